"""`crossover analyse`: anybody's table in, crossovers out."""

import re
import sys

import numpy as np
import pandas as pd
import pytest

from crossover.cli import main
from crossover.crossing.answer import Settings
from crossover.files.untrusted import InputError
from crossover.findings import Answer, SizeZone
from crossover.selftest.simulate import SIZES, Model, cost_curve, seconds
from crossover.sources.table.analyse import analyse, analyse_file
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.rows import Table, read_table
from crossover.sources.table.told import GroupAnswer, line

ASKED = TableAsk("n", "sec", "who", "cpu", "gpu", "rep", ("model",))


def table(truths=(("mlp", 1000.0), ("cnn", 3000.0)), model=None):
    parts = []
    for name, truth in truths:
        times = seconds(
            cost_curve(truth, 10.0), model or Model(), np.random.default_rng(1)
        )
        who, size, rep = np.indices(times.shape).reshape(3, -1)
        parts.append(
            pd.DataFrame(
                {
                    "model": name,
                    "who": np.array(["cpu", "gpu"])[who],
                    "n": SIZES[size].astype(int),
                    "rep": rep,
                    "sec": times.ravel(),
                }
            )
        )
    # as measured in turns: the rows of a round follow each other
    return pd.concat(parts).sort_values(["rep", "n"], kind="stable")


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "times.csv"
    table().to_csv(path, index=False)
    return path


def test_one_crossover_a_group_in_the_tables_order(csv, tmp_path):
    lines = analyse_file(csv, ASKED, tmp_path / "out")
    assert [line.partition(":")[0] for line in lines] == ["model = mlp", "model = cnn"]
    said = "found, doubtful (no size measured between 512 and 1,024): over n, "
    assert f"model = mlp: {said}gpu is ahead from" in lines[0]
    assert all("below, cpu is up to" in line for line in lines)
    written = pd.read_csv(tmp_path / "out" / "analyse.csv")
    assert list(written.model) == ["mlp", "cnn"]
    assert list(written.outcome) == ["found", "found"]
    assert (written.parity_low < [1000, 3000]).all()
    assert (written.parity_high > [1000, 3000]).all()
    assert (written["at"] > written.parity).all()
    assert (written.zones.str.split(";").str.len() == len(SIZES)).all()
    assert lines[0] in (tmp_path / "out" / "analyse.md").read_text()


def test_row_order_and_repeats_within_a_round_do_not_matter(csv):
    read = read_table(csv, ASKED)
    shuffled = Table(read.rows.sample(frac=1, random_state=0))
    first = {row.group: row.answer for row in analyse(read, ASKED, Settings())}
    for row in analyse(shuffled, ASKED, Settings()):
        assert row.answer.at == pytest.approx(first[row.group].at)
    rows = read.rows
    thrice = pd.concat([rows, rows.assign(sec=rows.sec * 50), rows])
    repeated = analyse(Table(thrice), ASKED, Settings())[0].answer
    assert repeated.at == pytest.approx(first["mlp",].at)


def test_one_time_a_size_has_no_interval(tmp_path):
    path = tmp_path / "once.csv"
    table()[lambda rows: rows.rep == 0].to_csv(path, index=False)
    asked = TableAsk("n", "sec", "who", "cpu", "gpu", None, ("model",))
    for row in analyse(read_table(path, asked), asked, Settings()):
        assert row.answer.outcome == "found"
        assert row.answer.low is row.answer.high is row.answer.confidence is None
        assert row.answer.flags[0] == "no_rounds"
        assert row.answer.flags[1].startswith("coarse_grid: ")
    assert " (no interval) on, " in analyse_file(path, asked, None)[0]


def test_a_margin_moves_the_lead_and_not_parity(csv, capsys, tmp_path):
    narrow, wide = (
        analyse_file(csv, ASKED, tmp_path / str(margin), margin)
        and pd.read_csv(tmp_path / str(margin) / "analyse.csv")
        for margin in (0.02, 0.3)
    )
    assert (narrow["at"] < wide["at"]).all()
    assert narrow.parity.to_list() == pytest.approx(wide.parity.to_list(), rel=0.02)


@pytest.mark.parametrize("named", ["rep", None])
def test_a_start_that_was_timed_is_left_out_and_named(named):
    rows = table(model=Model(rounds=10))
    is_cold = (rows.rep == 0) & (rows.who == "gpu")
    cold = rows.assign(sec=rows.sec + 5 * rows.sec.max() * is_cold)
    asked = TableAsk("n", "sec", "who", "cpu", "gpu", named, ("model",))
    found = analyse(Table(cold), asked, Settings())
    without = analyse(Table(rows[rows.rep > 0]), asked, Settings())
    for one, other in zip(found, without, strict=True):
        number = 1 if named is None else 0
        assert f"cold_round: {number} of gpu" in one.answer.flags
        assert one.answer.outcome == other.answer.outcome == "found"
        assert one.answer.at == pytest.approx(other.answer.at, rel=0.02)
        assert f"round {number} of gpu was slow at every size" in line(one, asked)


def test_one_slow_round_at_one_size_is_no_start():
    rows = table(model=Model(rounds=10))
    is_spike = (rows.rep == 3) & (rows.n == SIZES[2]) & (rows.who == "gpu")
    spiked = rows.assign(sec=rows.sec * np.where(is_spike, 100, 1))
    for row in analyse(Table(spiked), ASKED, Settings()):
        assert not any(flag.startswith("cold_round") for flag in row.answer.flags)


def test_an_undecided_group_says_what_would_decide_it():
    zones = (
        SizeZone(64.0, "undecided", 1.0, 0.8, 1.2),
        SizeZone(4096.0, "ahead", 2.0, 1.9, 2.1),
    )
    found = Answer("inconclusive", None, None, 1841.2, 0.95, zones=zones)
    assert line(GroupAnswer(("mlp",), found), ASKED) == (
        "model = mlp: inconclusive: over n, gpu against cpu: no answer yet; no "
        "difference shown at 64 (within 25 % either way); ahead at 4,096; a lead would "
        "begin below 1,841; next: time both in more rounds, in turns, at sizes from 64 "
        "to 1,841, and analyse them again"
    )


def test_a_group_that_lacks_a_contender_is_not_measured(tmp_path):
    both = table()
    path = tmp_path / "part.csv"
    both[(both.model == "mlp") | (both.who == "cpu")].to_csv(path, index=False)
    lines = analyse_file(path, ASKED, None)
    assert lines[1] == "model = cnn: not measured [no size has both contenders]"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": "secs"}, r"column = 'secs': .*did you mean sec\?"),
        ({"by": ("modl",)}, r"column = 'modl': .*did you mean model\?"),
        ({"round": "n"}, r"each must be named only once"),
        ({"baseline": "cpux"}, r"contender = 'cpux': .*did you mean cpu\?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(csv, change, message):
    with pytest.raises(InputError, match=message):
        read_table(csv, TableAsk(**{**vars(ASKED), **change}))


@pytest.mark.parametrize(
    ("column", "value"), [("sec", "fast"), ("sec", "-1"), ("sec", ""), ("n", "0")]
)
def test_a_bad_number_is_named_with_its_line(tmp_path, column, value):
    rows = table().astype(str)
    rows.iloc[4, rows.columns.get_loc(column)] = value
    path = tmp_path / "bad.csv"
    rows.to_csv(path, index=False)
    message = rf"^{column} = '{re.escape(value)}' in line 6: must be a number > 0$"
    with pytest.raises(InputError, match=message):
        read_table(path, ASKED)


@pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n4,5,6,7\n"])
def test_no_table_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "empty.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_table(path, ASKED)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="No such file"):
        read_table(tmp_path / "nowhere.csv", ASKED)


def test_the_command(csv, tmp_path, monkeypatch, capsys):
    def command(*extra):
        arguments = [
            "crossover", "analyse", str(csv), "--axis", "n", "--time", "sec",
            "--contender", "who", "--round", "rep", "--by", "model",
            "--challenger", "gpu", *extra,
        ]  # fmt: skip
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code or 0, *capsys.readouterr()

    code, out, _ = command("--baseline", "cpu", "--out", str(tmp_path / "out"))
    assert code == 0
    assert out.count("gpu is ahead from") == 2
    assert (tmp_path / "out" / "analyse.csv").exists()
    code, _, error = command("--baseline", "nobody")
    assert code == 2
    assert error.count("\n") == 1

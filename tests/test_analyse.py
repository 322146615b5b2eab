"""`crossover analyse`: anybody's table in, crossovers out."""

import io
import sys

import numpy as np
import pandas as pd
import pytest

from crossover.cli import main
from crossover.crossing.answer import Settings
from crossover.files.untrusted import InputError
from crossover.findings import Answer, SizeZone
from crossover.selftest.simulate import SIZES, Model, cost_curve, seconds
from crossover.sources.table.analyse import analyse, analyse_file, analyse_frame
from crossover.sources.table.ask import TableAsk, Wanted
from crossover.sources.table.rows import Table, read_table
from crossover.sources.table.text.file import read_file
from crossover.sources.table.told import GroupAnswer, line

ASKED = TableAsk("n", "sec", "who", "cpu", "gpu", "rep", ("model",))
WANTED = Wanted("n", "sec", "who", "cpu", ("gpu",), "rep", ("model",))


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


def tabled(rows):
    """Return rows of which nothing was left out."""
    return Table(rows, rows.head(0), rows.head(0))


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "times.csv"
    table().to_csv(path, index=False)
    return path


def test_one_crossover_a_group_in_the_tables_order(csv, tmp_path):
    lines = analyse_file(csv, WANTED, tmp_path / "out").lines
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
    read = read_table(read_file(csv), ASKED)
    shuffled = tabled(read.rows.sample(frac=1, random_state=0))
    first = {row.group: row.answer for row in analyse(read, ASKED, Settings())}
    for row in analyse(shuffled, ASKED, Settings()):
        assert row.answer.at == pytest.approx(first[row.group].at)
    rows = read.rows
    thrice = pd.concat([rows, rows.assign(sec=rows.sec * 50), rows])
    repeated = analyse(tabled(thrice), ASKED, Settings())[0].answer
    assert repeated.at == pytest.approx(first["mlp",].at)


def test_one_time_a_size_has_no_interval(tmp_path):
    path = tmp_path / "once.csv"
    table()[lambda rows: rows.rep == 0].to_csv(path, index=False)
    asked = TableAsk("n", "sec", "who", "cpu", "gpu", None, ("model",))
    for row in analyse(read_table(read_file(path), asked), asked, Settings()):
        assert row.answer.outcome == "found"
        assert row.answer.low is row.answer.high is row.answer.confidence is None
        assert row.answer.flags[0] == "no_rounds"
        assert row.answer.flags[1].startswith("coarse_grid: ")
    wanted = Wanted("n", "sec", "who", "cpu", by=("model",))
    assert " (no interval) on, " in analyse_file(path, wanted, None).lines[0]


def test_a_margin_moves_the_lead_and_not_parity(csv, capsys, tmp_path):
    narrow, wide = (
        analyse_file(csv, WANTED, tmp_path / str(margin), margin)
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
    found = analyse(tabled(cold), asked, Settings())
    without = analyse(tabled(rows[rows.rep > 0]), asked, Settings())
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
    for row in analyse(tabled(spiked), ASKED, Settings()):
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
    lines = analyse_file(path, WANTED, None).lines
    assert lines[1] == "model = cnn: not measured [no size has both contenders]"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": "secs"}, r"column = 'secs': .*did you mean sec\?"),
        ({"by": ("modl",)}, r"column = 'modl': .*did you mean model\?"),
        ({"round": "n"}, r"each must be named only once"),
        ({"baseline": "cpux"}, r"contender = 'cpux': .*did you mean cpu\?"),
        ({"challengers": ("GPUx",)}, r"contender = 'GPUx': .*did you mean gpu\?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(csv, change, message):
    with pytest.raises(InputError, match=message):
        analyse_file(csv, Wanted(**{**vars(WANTED), **change}), None)


@pytest.mark.parametrize(
    ("column", "value"), [("sec", "fast"), ("sec", "-1"), ("n", "0"), ("n", "")]
)
def test_a_bad_number_is_left_out_and_named_with_its_line(tmp_path, column, value):
    rows = table().astype(str)
    rows.iloc[4, rows.columns.get_loc(column)] = value
    path = tmp_path / "bad.csv"
    rows.to_csv(path, index=False)
    found = analyse_file(path, WANTED, None)
    assert found.left_out == (f"{column} = '{value}' in line 6: must be a number > 0",)
    assert not found.is_whole
    assert [row.answer.outcome for row in found.answers] == ["found", "found"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2,3\n4,5,6,7\n"])
def test_no_table_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "empty.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        analyse_file(path, WANTED, None)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="No such file"):
        analyse_file(tmp_path / "nowhere.csv", WANTED, None)


def test_a_table_of_pandas_gives_the_same_answers(csv):
    said = analyse_file(csv, WANTED, None).lines
    assert analyse_frame(pd.read_csv(csv), WANTED).lines == said
    indexed = pd.read_csv(csv).set_index(["model", "n"])
    assert analyse_frame(indexed, WANTED).lines == said


@pytest.mark.parametrize("kind", ["lines", "records", "parquet", "excel"])
def test_other_kinds_of_files_are_read_through_pandas(csv, tmp_path, kind):
    rows, path = pd.read_csv(csv), tmp_path / "times"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        rows.to_parquet(path)
    elif kind == "excel":
        pytest.importorskip("openpyxl")
        with path.open("wb") as file:
            rows.to_excel(file, index=False)
    else:
        rows.to_json(path, orient="records", lines=kind == "lines", double_precision=15)
    found = analyse_file(path, WANTED, None)
    expected = analyse_file(csv, WANTED, None)
    for one, other in zip(found.answers, expected.answers, strict=True):
        assert one.answer.at == pytest.approx(other.answer.at)


@pytest.mark.parametrize(
    ("begin", "name"), [(b"PAR1", "pyarrow"), (b"PK\3\4", "openpyxl")]
)
def test_what_pandas_lacks_is_one_line(tmp_path, monkeypatch, begin, name):
    path = tmp_path / "times"
    path.write_bytes(begin + b"no such thing")
    with pytest.raises(InputError, match=r"file that can be read|needs openpyxl"):
        analyse_file(path, WANTED, None)
    monkeypatch.setattr("crossover.sources.table.text.file.find_spec", lambda _: None)
    with pytest.raises(InputError, match=f"needs {name}: pip install {name}"):
        analyse_file(path, WANTED, None)


def test_standard_input_is_a_file(csv, crossover, monkeypatch):
    data = io.TextIOWrapper(io.BytesIO(csv.read_bytes()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", data)
    code, said, error = crossover("analyse", "-", "--by", "model")
    assert (code, error) == (0, "")
    assert said.count("gpu is ahead from") == 2


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

"""`crossover analyse` does not take unlike rows for repetitions of one measurement."""

import itertools
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TABLES = Path(__file__).parent / "fixtures" / "tables"
SIZES = (1024, 4096, 16384, 65536, 262144)
PAIR = (
    "--axis", "n", "--contender", "device", "--baseline", "cpu", "--challenger", "gpu",
    "--time", "ms",
)  # fmt: skip
TRUE = 27_778
"""Where cpu = 2e-5 n and gpu = 0.5 + 2e-6 n cross; one time a size reads 28,500."""


def milliseconds(n, device):
    return 2e-5 * n if device == "cpu" else 0.5 + 2e-6 * n


def made(**columns):
    """Make a row for each size, device and combination of values, all of the same cost.

    A column that is a function is drawn for each row.
    """
    rng = np.random.default_rng(0)
    fixed = {k: v for k, v in columns.items() if not callable(v)}
    rows = []
    for n, *values, device in itertools.product(SIZES, *fixed.values(), ("cpu", "gpu")):
        noise = 1 + 0.01 * rng.standard_normal()
        row = {"n": n, "device": device, **dict(zip(fixed, values, strict=True))}
        drawn = {k: draw(rng) for k, draw in columns.items() if callable(draw)}
        rows.append({**row, **drawn, "ms": milliseconds(n, device) * noise})
    return pd.DataFrame(rows)


@pytest.fixture
def analyse(crossover, tmp_path, undrawn):
    """Analyse a table; the folder's table if none is given anew."""
    path = tmp_path / "times.csv"

    def command(table, *options):
        if isinstance(table, pd.DataFrame):
            table.to_csv(path, index=False)
        file = path if isinstance(table, pd.DataFrame) else TABLES / table
        out = tmp_path / "out"
        code, said, error = crossover("analyse", file, *PAIR, *options, "--out", out)
        assert error.count("\n") == (code == 2)
        answers = pd.read_csv(out / "analyse.csv") if code == 0 else None
        return code, said or error, answers

    return command


def is_near(answers):
    """Tell whether one answer has an interval about a crossing near the true one."""
    (at,), (low,), (high,) = answers["at"], answers.low, answers.high
    return low < at < high and 0.9 * TRUE < at < 1.1 * TRUE


def added(error, option):
    """Return an option as a refusal writes it, ready to copy."""
    words = shlex.split(error)
    return words[words.index(option) : words.index(option) + 2]


@pytest.mark.parametrize(
    ("name", "column", "values", "right"),
    [
        ("pooled_dtype", "dtype", "fp32, fp16", {"fp32": "found", "fp16": "always"}),
        ("pooled_gpu_name", "gpu_name", "old, new", {"old": "found", "new": "always"}),
        ("pooled_kernels", "kernel", "gemv, gemm", {"gemm": "found"}),
    ],
)
def test_a_forgotten_group_is_named_and_then_answered(
    analyse, name, column, values, right
):
    code, error, _ = analyse(f"{name}.csv")
    assert code == 2
    assert f"rows that share n and device differ in {column} ({values})" in error
    code, _, answers = analyse(f"{name}.csv", *added(error, "--by"))
    assert code == 0
    found = answers.set_index(column)
    assert {v: found.outcome[v] for v in right} == right
    at = found["at"][found.outcome == "found"]
    assert 0.9 * TRUE < at.iloc[0] < 1.1 * TRUE
    code, said, _ = analyse(f"{name}.csv", *added(error, "--pool"))
    assert code == 0
    assert f"pooled {column} ({values})" in said


SETTINGS = {
    "text": {"precision": ["half", "float"]},
    "yes_or_no": {"pinned": [True, False]},
    "integers": {"batch": [32, 64, 128]},
    "fractions": {"sparsity": [0.5, 0.9]},
    "a_number_and_a_unit": {"model": ["1B", "7B", "70B"]},
    "a_rate_that_is_a_setting": {"learning_rate": [0.1, 0.01]},
    "a_maximum_that_is_a_setting": {"max_depth": [3, 5]},
    "a_clock": {"freq_ghz": [1.2, 2.4]},
    "iterations": {"Iterations": [1, 8, 64]},
    "space_in_the_name": {"Device Name": ["A 100", "H 100"]},
    "two_settings": {"dtype": ["a", "b"], "layout": ["x", "y"]},
    "commits": {"commit": ["1a2b3c4", "5e6f7a8"]},
    "hosts": {"host": ["node1", "node2"]},
    "empty_in_some": {"mode": ["", "graph"]},
}


@pytest.mark.parametrize("columns", SETTINGS.values(), ids=SETTINGS)
def test_any_setting_is_refused_until_it_is_named(analyse, columns):
    code, error, _ = analyse(made(**columns))
    assert code == 2
    for name, values in columns.items():
        for value in values[:4]:
            shown = "empty" if value == "" else str(value)
            assert shown in error.split(f"{name} (")[1].split(")")[0]
    code, _, answers = analyse(made(**columns), *added(error, "--by"))
    assert code == 0
    assert len(answers) == np.prod([len(values) for values in columns.values()])
    assert set(answers.outcome) == {"found"}
    assert analyse(made(**columns), *added(error, "--pool"))[0] == 0


def test_a_second_forgotten_group_is_added_to_the_first(analyse):
    table = made(dtype=["a", "b"], layout=["x", "y"])
    error = analyse(table, "--by", "dtype")[1]
    assert "rows that share dtype, n and device differ in layout (x, y)" in error
    assert added(error, "--by") == ["--by", "dtype,layout"]
    assert added(error, "--pool") == ["--pool", "layout"]
    error = analyse(table, "--pool", "dtype")[1]
    assert added(error, "--pool") == ["--pool", "dtype,layout"]


def test_a_name_that_tells_no_more_than_a_setting_is_left_out(analyse):
    table = made(dtype=["fp16", "fp32"])
    table["full_name"] = table.device + "/" + table.dtype + "/" + table.n.astype(str)
    error = analyse(table)[1]
    assert added(error, "--by") == ["--by", "dtype"]
    assert "full_name" not in error


def test_a_setting_of_one_contender_makes_no_groups(analyse):
    table = made(threads=[1, 2, 4])
    table = table[(table.device == "cpu") | (table.threads == 1)]
    table.loc[table.device == "gpu", "threads"] = 0
    code, error, _ = analyse(table)
    assert code == 2
    assert "differ in threads (1, 2, 4)" in error
    assert "leave the rows of one threads in the file" in error
    assert "--by" not in error


def of_one_kind(values):
    return lambda rng: rng.choice(values)


MEASURED = {
    "another_time": lambda rng: rng.random(),
    "memory": lambda rng: int(rng.integers(10**6, 10**9)),
    "energy_j": lambda rng: f"{rng.random():.6f}",
    "stddev": of_one_kind([0.1, 0.2]),
    "min": of_one_kind([0.1, 0.2]),
    "cpu_time_ms": of_one_kind([1.0, 2.0]),
    "GB/s": of_one_kind([10.5, 11.5]),
    "timestamp": of_one_kind(["2026-01-01", "2026-01-02"]),
    "started_utc": lambda rng: f"2026-01-01T10:{rng.integers(10, 60)}:00.123+00:00",
    "when": lambda rng: f"2026-01-01 10:{rng.integers(10, 60)}:00",
    "pid": of_one_kind([101, 102, 103]),
    "all_times": lambda rng: f"{rng.random():.5f};{rng.random():.5f}",
}


@pytest.mark.parametrize("name", MEASURED)
def test_what_was_measured_or_says_when_is_no_setting(analyse, name):
    code, said, answers = analyse(made(rep=range(6), **{name: MEASURED[name]}))
    assert code == 0, said
    assert list(answers.outcome) == ["found"]
    assert is_near(answers)


@pytest.mark.parametrize(
    "name", ["rep", "repetition_index", "Run", "trial", "sample", "iteration", "seed"]
)
def test_repetitions_without_rounds_are_unpaired(analyse, name):
    code, said, answers = analyse(made(**{name: range(6)}))
    assert code == 0
    assert " (16,384 to 65,536) on, " in said
    assert "[unpaired: no --round says that the contenders took turns]" in said
    assert list(answers.outcome) == ["found"]


def test_a_number_of_the_row_is_no_setting(analyse):
    table = pd.concat([made(), made()]).reset_index(drop=True)
    assert analyse(table.rename_axis("").reset_index())[0] == 0
    # in any other order it is one like any other
    table["k"] = np.random.default_rng(0).permutation(len(table)) % 5 * 2
    assert analyse(table)[0] == 2


def test_a_count_by_an_unknown_name_may_be_a_round(analyse):
    table = made(k=range(1, 7))
    code, error, _ = analyse(table)
    assert code == 2
    assert "add --round k if the contenders took turns in each" in error
    assert "--pool k" in error
    code, said, _ = analyse(table, *added(error, "--round"))
    assert code == 0
    assert "unpaired" not in said


def test_rounds_do_not_hide_a_setting(analyse):
    table = made(rep=range(6), dtype=["a", "b"])
    error = analyse(table, "--round", "rep")[1]
    assert "rows that share n, device and rep differ in dtype (a, b)" in error
    # numbered through, no two rows share a round, and yet they are unlike
    table["rep"] = table.groupby(["n", "device"]).cumcount()
    error = analyse(table, "--round", "rep")[1]
    assert "rows that share n and device differ in dtype (a, b)" in error
    table = made(rep=range(6))
    table["label"] = "run " + table.rep.astype(str) + " of mine"
    table["order"] = (table.device == "gpu") ^ (table.rep % 2 == 1)
    table["order"] = table["order"].astype(int)
    table["notes"] = np.where(np.arange(len(table)) % 7 == 0, "hot", "")
    assert analyse(table, "--round", "rep")[0] == 0


def test_rows_of_other_contenders_do_not_matter(analyse):
    table = made(dtype=["a", "b"])
    table.loc[table.dtype == "b", "device"] += "2"
    table.loc[table.dtype == "b", "ms"] = np.nan
    code, _, answers = analyse(table)
    assert code == 0
    assert list(answers.outcome) == ["found"]


def test_a_pooled_column_must_be_there_and_have_no_other_part(analyse):
    table = made(dtype=["a", "b"])
    error = analyse(table, "--pool", "dtyp")[1]
    assert "column = 'dtyp': must be one of" in error
    assert "did you mean dtype?" in error
    error = analyse(table, "--pool", "dtype", "--by", "dtype")[1]
    assert "each must be named only once" in error


def test_turns_are_seen_in_the_order_of_the_rows(analyse):
    table = made(rep=range(6))
    assert "unpaired" not in analyse(table, "--round", "rep")[1]
    blocks = table.sort_values(["device", "rep"], kind="stable")
    said = analyse(blocks, "--round", "rep")[1]
    assert "unpaired: the table lists each contender's rounds in a block" in said
    abba = table.assign(turn=(table.rep % 2) ^ (table.device == "gpu"))
    abba = abba.sort_values(["n", "rep", "turn"]).drop(columns="turn")
    assert "unpaired" not in analyse(abba, "--round", "rep")[1]


def test_rounds_that_never_meet_are_unpaired_repetitions(analyse):
    table = made(rep=range(8))
    table["run"] = np.arange(len(table))
    code, said, answers = analyse(table.drop(columns="rep"), "--round", "run")
    assert code == 0
    assert "unpaired: no run has both contenders" in said
    assert is_near(answers)
    # integers are one round in both spellings
    table = made(rep=range(8))
    table["rep"] = table.rep.astype(str) + np.where(table.device == "gpu", ".0", "")
    assert "unpaired" not in analyse(table, "--round", "rep")[1]


def test_more_repetitions_of_one_contender_are_taken_evenly(analyse):
    table = made(rep=range(30))
    slow = (table.device == "cpu") & (table.rep >= 15)
    table.loc[slow, "ms"] *= 4  # the second half of the time
    few = table[(table.device == "cpu") | (table.rep < 6)]
    ratio = analyse(few)[2].speedup_largest[0]
    fast, slowed = 5.24288 / 1.024288, 4 * 5.24288 / 1.024288
    assert 1.2 * fast < ratio < 0.9 * slowed
    # fewer than five at some size: the medians of all, and no interval
    sparse = table[(table.device == "cpu") | (table.rep < 3)]
    _, said, answers = analyse(sparse)
    assert "(no interval)" in said
    assert "fewer than 5 repetitions" in said
    assert list(answers.outcome) == ["found"]


def aggregates(kinds=("mean", "median", "stddev", "cv")):
    table = made(aggregate_name=list(kinds))
    scale = {"median": 1.0, "mean": 1.3, "stddev": 0.05, "cv": 0.01, "min": 0.9}
    return table.assign(ms=table.ms * table.aggregate_name.map(scale).fillna(1.0))


def test_of_aggregates_the_median_is_the_time(analyse):
    path = "aggregates_only.csv"
    code, said, answers = analyse(path, "--time", "real_time")
    assert code == 0
    assert 0.9 * TRUE < answers["at"][0] < 1.1 * TRUE
    assert "median rows of aggregate_name" in said
    assert answers.speedup_largest[0] == pytest.approx(5.19045 / 1.01405)
    _, said, answers = analyse(aggregates(["mean", "stddev", "cv"]))
    assert "mean rows of aggregate_name" in said
    assert answers.speedup_largest[0] == pytest.approx(5.12, rel=0.1)
    part = aggregates().query("aggregate_name != 'median' or n < 99999")
    assert "mean rows" in analyse(part)[1]  # which are there for every size


def test_aggregates_are_told_by_the_end_of_a_name(analyse):
    table = aggregates()
    table["name"] = "BM_" + table.device + "/" + table.n.astype(str)
    table["name"] += "_" + table.aggregate_name
    _, said, answers = analyse(table.drop(columns="aggregate_name"))
    assert "median rows of name" in said
    assert 0.9 * TRUE < answers["at"][0] < 1.1 * TRUE


def test_repetitions_count_rather_than_their_aggregates(analyse):
    table = made(rep=range(6)).assign(aggregate_name="")
    both = pd.concat([table, aggregates().assign(rep=0)])
    code, said, answers = analyse(both)
    assert code == 0
    assert "no aggregates of aggregate_name" in said
    assert is_near(answers)


def test_no_typical_time_for_every_size_is_refused(analyse):
    table = aggregates()
    part = table[(table.aggregate_name != "mean") | (table.n > 5000)]
    part = part[(part.aggregate_name != "median") | (part.n < 5000)]
    code, error, _ = analyse(part)
    assert code == 2
    assert "aggregate_name holds cv, mean, median, stddev" in error

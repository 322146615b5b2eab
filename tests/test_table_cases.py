"""Strangers' tables, one of each kind that was once misread or refused: `analyse`."""

from pathlib import Path

import pandas as pd
import pytest

TABLES = Path(__file__).parent / "fixtures" / "tables"
NAMED = (
    "--axis", "n", "--contender", "device", "--baseline", "cpu", "--challenger", "gpu",
)  # fmt: skip
MS = (*NAMED, "--time", "ms")
TRUE = 27_778
"""Where cpu = 2e-5 n and gpu = 0.5 + 2e-6 n cross; one time a size reads 28,500."""


@pytest.fixture
def analyse(crossover, tmp_path, undrawn):
    """Analyse a table; return the exit code, stdout, stderr and the answers."""

    def command(table, *options):
        path = TABLES / table
        if "\n" in str(table):
            path = tmp_path / "times.csv"
            path.write_text(table)
        out = tmp_path / "out"
        code, said, error = crossover("analyse", path, *options, "--out", out)
        answers = pd.read_csv(out / "analyse.csv") if code in (0, 3) else None
        return code, said, error, answers

    return command


def is_near(answers, true=TRUE):
    return (
        list(answers.outcome) == ["found"]
        and 0.9 * true < answers.parity.iloc[0] < 1.1 * true
    )


@pytest.mark.parametrize(
    ("table", "options"),
    [
        ("comment_line.csv", MS),
        ("excel_sep_line.csv", MS),
        ("head_repeated.csv", MS),
        ("semicolon.csv", MS),
        ("semicolon_decimal_comma.csv", MS),
        ("size_K.csv", MS),
        ("size_NxN.csv", MS),
        ("size_pow.csv", MS),
        ("spaces_after_commas.csv", MS),
        ("tab.tsv", MS),
        ("thousands.csv", (*NAMED, "--time", "us")),
        ("times_in_one_cell.csv", (*NAMED, "--time", "times")),
        ("utf16.csv", MS),
        ("wide.csv", ("--axis", "n", "--baseline", "cpu", "--challenger", "gpu")),
        ("unit_in_cells.csv", (*NAMED, "--time", "time")),
        ("unit_column.csv", (*NAMED, "--time", "real_time")),
        ("nan_other_contender.csv", MS),
        ("by_32_and_32.0.csv", (*MS, "--by", "batch")),
        ("rounds_1_and_1.0.csv", (*MS, "--round", "rep")),
        ("rounds_numbered_through.csv", (*MS, "--round", "run")),
        ("three_rounds.csv", (*MS, "--round", "rep")),
        ("first_round_cold.csv", (*MS, "--round", "run")),
    ],
)
def test_a_usual_table_is_read(analyse, table, options):
    code, said, error, answers = analyse(table, *options)
    assert code == 0, error
    assert is_near(answers)
    assert said.splitlines()[-1].startswith("Read: ")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("semicolon_decimal_comma.csv", "n is the size, device who ran, ms the time"),
        ("semicolon_decimal_comma.csv", "decimal comma"),
        ("tab.tsv", "cells between tabs"),
        ("utf16.csv", "text in UTF-16"),
        ("size_K.csv", "1K = 1,024"),
        ("size_NxN.csv", "32x32 = 1,024 (the product)"),
        ("wide.csv", "cpu, gpu are times, side by side"),
        ("times_in_one_cell.csv", "several times in a cell are repetitions"),
        ("nan_own.csv", "cpu the baseline"),
    ],
)
def test_a_table_of_which_nothing_is_said_is_understood(analyse, table, told):
    code, said, error, answers = analyse(table)
    assert code in (0, 3), error
    assert is_near(answers)
    assert told in said.splitlines()[-1]
    assert list(answers.baseline) == ["cpu"]
    assert told in (Path.cwd() / "out" / "analyse.md").read_text()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("nan_own.csv", "unfinished (cpu has no time at 1,048,576 (nan))"),
        ("oom.csv", "unfinished (gpu has no time at 1,048,576 (OOM))"),
        ("rounded_to_zero.csv", "cpu has no time at 1,024 (rounded to 0)"),
    ],
)
def test_a_size_without_a_time_is_said_and_the_rest_counts(analyse, table, told):
    code, said, error, answers = analyse(table, *MS)
    assert (code, error) == (3, "")
    assert told in said.splitlines()[0]
    assert list(answers.outcome) == ["found"]
    assert 16_384 < answers.parity[0] < 65_536
    assert list(answers.sizes) == [4 if table == "rounded_to_zero.csv" else 5]
    assert list(answers.sizes_alone) == [1]


def test_a_bound_tells_who_is_ahead_and_never_where(analyse):
    code, said, _, answers = analyse("timeout_bound.csv", *MS)
    assert code == 0
    assert is_near(answers)
    assert said.count("timed out: cpu at 1,048,576") == 1
    assert (
        answers.zones[0].endswith("1048576 ahead")
        or "1,048,576 ahead" in (answers.zones[0])
    )
    below = "n,cpu_ms,gpu_ms\n1024,0.02,0.5\n4096,0.08,0.5\n16384,over 30 s,0.5\n"
    _, said, _, answers = analyse(below)
    assert list(answers.outcome) == ["inconclusive"]
    assert (answers["at"].isna() & answers.high.isna()).all()
    assert list(answers.low) == [4096]
    assert "ahead at 16,384" in said
    # a bound that the other does not reach tells nothing
    open_ = below.replace("30 s,0.5", "30 s,40000")
    assert "16,384 ahead" not in analyse(open_)[3].zones[0]


def test_one_bad_value_is_left_out_and_named(analyse):
    table = (TABLES / "wide.csv").read_text() + "4194304,fast,1\n"
    code, said, error, answers = analyse(table)
    assert code == 3
    assert error == (
        "crossover: left out: time = 'fast' in line 7: must be a number > 0\n"
    )
    assert is_near(answers)
    assert "4,194,304 is the largest" not in said
    assert "gpu alone: 4,194,304" in said
    code, _, error, _ = analyse((TABLES / "oom.csv").read_text() + "x,gpu,1\n", *MS)
    assert code == 3
    assert "left out: n = 'x' in line 14: must be a number > 0" in error


@pytest.mark.parametrize("value", ["fast", "-1", "1.2.3", "12 apples"])
def test_where_most_values_are_bad_the_table_is_refused(analyse, value):
    table = f"n,device,ms\n1,cpu,{value}\n1,gpu,{value}\n2,cpu,{value}\n2,gpu,2\n"
    code, _, error, _ = analyse(table, *MS)
    assert code == 2
    assert f"ms = '{value}' in line 2: must be a number > 0" in error


def test_a_verdict_says_which_sizes_it_is_over(analyse):
    code, said, _, answers = analyse("cpu_stops_early.csv", *MS)
    assert code == 0
    assert list(answers.outcome) == ["inconclusive"]
    assert (
        "16,384 is the largest n that both have; gpu alone: 65,536, 262,144"
        in (said.splitlines()[0])
    )
    assert [*answers.sizes, *answers.sizes_alone] == [3, 2]
    _, said, _, answers = analyse("one_common_size.csv", *MS)
    assert list(answers.outcome) == ["inconclusive"]
    assert "65,536 is the only n that both have" in said
    assert "next: time both at sizes that only one has" in said
    # alone between others: the verdict is of the ends, and the gap is said
    table = "n,cpu,gpu\n1,1,9\n2,,9\n4,4,9\n8,8,9\n"
    _, said, _, answers = analyse(table)
    assert list(answers.outcome) == ["never"]
    assert "cpu has no time at 2 (empty)" in said


def test_rounds_of_some_groups_that_never_meet_do_not_lose_the_others(analyse):
    rows = ["n,device,g,run,ms"]
    for g in ("meets", "apart"):
        for n in (1024, 4096, 16384, 65536, 262144):
            for run in range(6):
                for who, ms in (("cpu", 2e-5 * n), ("gpu", 0.5 + 2e-6 * n)):
                    own = run + 100 * (g == "apart" and who == "gpu")
                    rows.append(f"{n},{who},{g},{own},{ms * (1 + 0.001 * run)}")
    _, said, _, answers = analyse(
        "\n".join(rows) + "\n", *MS, "--round", "run", "--by", "g"
    )
    assert list(answers.outcome) == ["found", "found"]
    first, second, _ = said.splitlines()
    assert "unpaired" not in first
    assert "unpaired: no run has both contenders" in second


@pytest.mark.parametrize("spelled", ["01", "1.0", " 1", "1e0"])
def test_a_round_is_one_in_any_spelling(analyse, spelled):
    rows = ["n,device,run,ms"]
    for n in (1024, 4096, 16384, 65536, 262144):
        for run in range(6):
            for who, ms in (("cpu", 2e-5 * n), ("gpu", 0.5 + 2e-6 * n)):
                name = spelled.replace("1", str(run)) if who == "gpu" else run
                rows.append(f"{n},{who},{name},{ms * (1 + 0.001 * run)}")
    _, said, _, answers = analyse("\n".join(rows) + "\n", *MS, "--round", "run")
    assert is_near(answers)
    assert "unpaired" not in said


def test_a_line_is_counted_with_those_that_are_blank(analyse):
    code, _, error, _ = analyse("line_number.csv", *MS)
    assert code == 3
    assert "ms = 'bad' in line 24: must be a number > 0" in error


@pytest.mark.parametrize("text", ["n,device,ms\n\n", "# only a comment\n\n"])
def test_a_table_without_rows_is_said_to_have_none(analyse, text):
    code, _, error, _ = analyse(text, *MS)
    assert code == 2
    assert "file has no rows" in error
    assert error.count("\n") == 1


def test_names_that_differ_in_case_or_unseen_characters_are_found(analyse):
    text = (TABLES / "semicolon.csv").read_text()
    text = text.replace("cpu", "CPU").replace("n;device", "\u200bN ;\u00a0Device")
    code, _, error, answers = analyse(text, *MS)
    assert code == 0, error
    assert is_near(answers)
    assert list(answers.baseline) == ["CPU"]
    code, _, error, _ = analyse(text, *MS[:-1], "Msec")
    assert code == 2
    assert error.isprintable() or error.strip().isprintable()
    code, _, error, _ = analyse(text.replace("1024;CPU", "1024;cpu"), *MS)
    assert code == 2
    assert "contender = 'cpu': the table has" in error
    assert "write one spelling" in error


def test_a_pair_that_is_named_the_wrong_way_round_is_said(analyse):
    turned = ("--axis", "n", "--baseline", "gpu", "--challenger", "cpu")
    _, said, _, answers = analyse("wide.csv", *turned)
    assert list(answers.outcome) != ["found"]
    first = said.splitlines()[0]
    assert "gpu is ahead of cpu from n " in first
    assert "ask with --baseline cpu --challenger gpu" in first


@pytest.mark.parametrize("factor", [1000, 0.001, 1e6])
def test_seconds_beside_milliseconds_are_doubted(analyse, factor):
    rows = ["n,device,t"]
    for n in (16384, 32768, 65536):
        rows += [f"{n},cpu,{2e-5 * n}", f"{n},gpu,{(0.5 + 2e-6 * n) * factor}"]
    _, said, _, _ = analyse("\n".join(rows) + "\n")
    assert "seconds beside m" in said.splitlines()[0]
    rows = [row + (" ms" if i else "") for i, row in enumerate(rows)]
    assert "seconds beside" not in analyse("\n".join(rows) + "\n")[1]


def test_json_that_is_no_table_and_a_table_that_is_no_json(
    analyse, crossover, tmp_path
):
    code, _, error, _ = analyse('{"rows": [{"name": "a",\n"spent": [1, 2]}]}\n')
    assert code == 2
    assert "is JSON and no table" in error
    one_line = '{"results": [{"name": "a", "spent": [1, 2]}]}\n'
    assert "is JSON and no table" in analyse(one_line)[2]
    code, _, error = crossover(
        "report", "--from-pytest-benchmark", TABLES / "wide.csv", "--show"
    )
    assert code == 2
    assert "use `crossover analyse`" in error

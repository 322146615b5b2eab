"""`crossover compare`: what changed between runs, what did not, what is a failure."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import make_machine
from two_runs import PAIR, run

from crossover.cli import main
from crossover.crossing.shifts import drawn_interval, pooled_interval, welch_interval
from crossover.files.untrusted import InputError
from crossover.gate import changes, words
from crossover.gate.changes import Limits
from crossover.gate.history import drawn
from crossover.gate.outcome import Comparison
from crossover.record import run_folder

SCHEMA = Path(__file__).parent.parent / "docs" / "schemas" / "compare.json"
BOTH = Limits(fail_slower=0.05, fail_moved=1.25)


def compare(*runs, limits=None):
    return changes.compare(runs, [one.run_id for one in runs], limits)


def of_kind(found, kind):
    return [c for c in found.changes if c.kind == kind]


def crossing(found):
    return next(c for c in of_kind(found, "crossover") if c.view == "train")


def said(found):
    """Return the verdict of each contender over all of its cases."""
    return {c.contender: c.verdict for c in of_kind(found, "contender")}


def test_a_moved_crossover_has_its_direction_and_interval():
    found = compare(run(1), run(2, fixed=1100.0), limits=BOTH)
    train = crossing(found)
    # (100 + n) / (600 + 0.1 n) = 1.05, and with 1,100 for 600
    assert train.before == pytest.approx(530 / 0.895, rel=0.05)
    assert train.after == pytest.approx(1055 / 0.895, rel=0.05)
    assert train.low < 2 < train.high
    assert (train.verdict, train.failed) == ("later", True)
    assert found.changed
    assert found.failed
    assert len(of_kind(found, "crossover")) == 3
    back = crossing(compare(run(2, fixed=1100.0), run(1)))
    assert (back.verdict, back.failed) == ("earlier", False)


def test_a_slower_machine_is_said_and_is_no_failure():
    found = compare(run(1), run(2, speed=1.3), limits=BOTH)
    assert not found.failed
    assert not found.changed
    (shift,) = found.shifts
    assert shift.is_common
    assert shift.low < 1.3 < shift.high
    assert all(c.seconds_ratio > 1.2 for c in of_kind(found, "time"))
    assert any("This does not count as a change" in line for line in words.lines(found))


@pytest.mark.parametrize(("who", "name"), [("one", PAIR[0]), ("two", PAIR[1])])
def test_a_slower_contender_is_found_and_named(who, name):
    found = compare(run(1), run(2, **{who: 1.2}), limits=BOTH)
    assert found.failed
    assert said(found)[name] == "slower"
    assert {c.contender for c in found.changes if c.verdict == "slower"} == {name}
    over = next(c for c in of_kind(found, "contender") if c.contender == name)
    assert over.low < 1.2 < over.high
    failed = [c.failed for c in found.changes]
    assert failed == sorted(failed, reverse=True)
    again = compare(run(1), run(2, **{who: 1.2}), limits=Limits(fail_slower=0.25))
    assert not again.failed


def test_a_faster_contender_never_fails():
    found = compare(run(1), run(2, two=0.3), limits=Limits(fail_slower=0.05))
    assert said(found)[PAIR[1]] == "faster"
    assert said(found)[PAIR[0]] == "unclear"  # slower only against the other
    assert not found.failed
    assert not compare(run(1), run(2, two=0.3)).failed


def test_only_some_rows_share_the_error():
    pair = run(1), run(2, one=1.2)
    found = compare(*pair, limits=Limits(fail_slower=0.05, only="resident@2"))
    assert not any(c.failed for c in found.changes)
    assert all("resident@2" in c.what for c in found.changes)
    every = {c.what: c for c in compare(*pair).changes}
    for c in found.changes:
        assert c.low >= every[c.what].low
        assert c.high <= every[c.what].high


def test_a_crossover_that_left_the_sizes_is_an_open_change():
    both = compare(run(1), run(2, fixed=1e5))
    found = crossing(both)
    assert (found.after, found.ratio, found.high) == (None, None, None)
    assert found.verdict == "later"
    assert any("-> nowhere, no ratio (" in line for line in words.lines(both))


def test_a_run_whose_control_fired_moves_no_crossover():
    found = compare(run(1, copy=1.3), run(2, fixed=1100.0), limits=BOTH)
    assert {c.verdict for c in of_kind(found, "crossover")} == {"unclear"}
    assert found.sides[0].control_fired
    assert "3 of 3 crossovers are not judged" in found.undecided[0]
    result, *rest = words.lines(found)
    assert "Not decided: 3 of 3 crossovers are not judged" in result
    assert "Passed" not in result
    assert not any("not judged" in line for line in rest)
    assert "passed" not in words.summary(found)
    assert found.incomplete


def test_what_its_copy_differs_by_widens_every_interval_of_a_time():
    plain = compare(run(1, copy=1.0), run(2))
    wide = compare(run(1, copy=1.04), run(2))
    assert wide.sides[0].between_processes == pytest.approx(1.04, rel=0.02)
    widths = [
        np.median([c.high / c.low for c in of_kind(f, "time")]) for f in (plain, wide)
    ]
    assert widths[1] > 1.04 * widths[0]


def test_a_contender_alone_is_not_told_from_its_machine():
    alone = [run(i, only=PAIR[:1]) for i in (1, 2)]
    found = compare(*alone)
    assert {c.verdict for c in found.changes} == {"alone"}
    assert not found.undecided
    assert "nothing tells them from the machine" in words.circumstances(found)[-1]
    with pytest.raises(InputError, match="must have a second contender"):
        compare(*alone, limits=Limits(fail_slower=0.05))
    with pytest.raises(InputError, match="must have a pair"):
        compare(*alone, limits=Limits(fail_moved=1.25))


def test_runs_without_anything_in_common_are_refused():
    with pytest.raises(InputError, match="runs = 'r1', 'r2': must have a case"):
        compare(run(1, only=PAIR[:1]), run(2, only=PAIR[1:]))


def test_crossovers_are_compared_between_other_sizes():
    """A search chooses its sizes anew in each run."""
    found = compare(run(1), run(2, sizes=(65, 257, 520, 1100, 4000)))
    assert {c.kind for c in found.changes} == {"crossover"}
    train = crossing(found)
    assert train.low < 1 < train.high
    assert train.before == pytest.approx(train.after, rel=0.1)


@pytest.mark.parametrize("only", ["(", "no such contender"])
def test_what_no_row_has_in_its_words_is_refused(only):
    with pytest.raises(InputError, match="only = "):
        compare(run(1), run(2), limits=Limits(only=only))


def test_another_machine_is_said():
    other = run(2)
    machine = make_machine(cpu="another", fingerprint="g")
    found = compare(run(1), dataclasses.replace(other, machine=machine))
    said = "The runs are from different machines (r1: a CPU; r2: another)."
    assert said in words.circumstances(found)


def test_several_runs_are_a_history():
    names = "first", "same", "slow"
    runs = [run(1, name="first"), run(2, name="same"), run(3, name="slow", two=1.3)]
    found = compare(*runs, limits=BOTH)
    assert [side.name for side in found.sides] == [*names]
    assert {c.run for c in found.changes if c.verdict == "slower"} == {"slow"}
    assert [shift.run for shift in found.shifts] == ["same", "slow"]
    assert any(line.startswith("  slow: cpu/resident@2") for line in words.lines(found))
    picture = drawn(found, "svg").decode()
    assert all(name in picture for name in names)
    assert "cpu/resident@2 over 6 cases" in picture
    assert drawn(found, "png").startswith(b"\x89PNG")


def test_the_schema_is_that_of_the_models_and_holds_what_is_printed():
    schema = Comparison.model_json_schema(mode="serialization")
    assert json.loads(SCHEMA.read_text("utf-8")) == schema
    found = compare(run(1), run(2), limits=BOTH)
    text = found.model_dump_json()
    assert Comparison.model_validate_json(text) == found
    assert set(json.loads(text)) == set(schema["required"])


def test_the_summary_has_the_rows_that_changed_only():
    text = words.summary(compare(run(1), run(2, two=1.2), limits=BOTH))
    assert text.startswith("# Benchmarks: failed\n")
    rows = [line for line in text.splitlines() if line.startswith("| cpu")]
    assert rows
    assert all("slower" in row or "moved" in row for row in rows)
    quiet = words.summary(compare(run(1), run(2), limits=BOTH))
    assert quiet.startswith("# Benchmarks: passed\n")
    assert "|" not in quiet


def test_intervals_of_a_shift():
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, 40), rng.normal(3, 1, 40)
    low, high = welch_interval(one, other)(0.95)
    assert low < 3 < high
    assert high - low < 1.4
    tighter = welch_interval(one, other)(0.5)
    assert low < tighter[0] < tighter[1] < high
    several = [(rng.normal(0, 1, 40), rng.normal(3, 1, 40)) for _ in range(4)]
    pooled = pooled_interval(several)(0.95)
    assert pooled[0] < 3 < pooled[1]
    assert pooled[1] - pooled[0] < 0.7 * (high - low)
    assert pooled_interval([(np.zeros(9), np.ones(9))])(0.95) == (1, 1)
    walk = np.cumsum(rng.normal(0, 1, 40))
    plain = 2 * 2.0 * np.std(walk) / np.sqrt(40)
    slow_low, slow_high = welch_interval(walk, walk + 1)(0.95)
    assert slow_high - slow_low > 2 * plain
    low, high = drawn_interval(rng.normal(0, 0.1, 500), rng.normal(1, 0.1, 500))(0.95)
    assert low == pytest.approx(1 - 0.277, abs=0.03)
    assert high == pytest.approx(1 + 0.277, abs=0.03)
    outside = np.full(500, np.inf)
    assert drawn_interval(outside, outside)(0.95) == (-np.inf, np.inf)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Return a function that compares kept runs: (exit code, output, errors)."""
    runs = {
        "a": run(1), "same": run(2), "slow": run(3, two=1.2), "fast": run(4, two=0.5),
    }  # fmt: skip
    for name, recorded in runs.items():
        run_folder.put(tmp_path / name, recorded)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["crossover", "compare", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, *capsys.readouterr()

    return call


def test_the_exit_code_is_that_of_a_gate(command):
    code, out, _ = command("a", "same", "--fail-slower", "5%", "--fail-moved", "1.5")
    assert code == 0
    first, second, *_ = out.splitlines()
    assert first.endswith("Passed: nothing is slower by more than 5 % or moved by more "
                          "than 1.5x")  # fmt: skip
    assert second.startswith("a: r1; load 0 on 2 cores as it began; drifted by ")
    code, out, _ = command("a", "slow", "--fail-slower", "5%", "--markdown", "pr.md")
    assert code == 1
    assert "FAILED: " in out.splitlines()[0]
    assert Path("pr.md").read_text("utf-8").startswith("# Benchmarks: failed\n")
    assert command("a", "slow")[0] == 0
    assert command("a", "fast", "--fail-slower", "5%")[0] == 0
    code, out, _ = command("a", "same", "slow", "--json", "--plot", "history.svg")
    assert code == 0
    assert [side["name"] for side in json.loads(out)["sides"]] == ["a", "same", "slow"]
    assert "<svg" in Path("history.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "nothing"], "run = 'nothing'"),
        (["a"], "runs: must be two at least, BEFORE AFTER"),
        (["a", "same", "--fail-slower", "much"], "fail_slower = 'much': must be a"),
        (["a", "same", "--fail-moved", "0.9"], "fail_moved = '0.9': must be a factor"),
        (["a", "same", "--fail-moved", "nan"], "fail_moved = 'nan': must be a factor"),
        (["a", "same", "--plot", "x.jpg"], "plot = 'x.jpg': must end in .svg or .png"),
        (["a", "same", "--markdown", "no/x.md"], "markdown = 'no/x.md'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(command, arguments, message):
    code, _, errors = command(*arguments)
    assert code == 2
    assert errors.count("\n") == 1
    assert message in errors

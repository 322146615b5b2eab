"""A timeout is a bound: it may settle who is ahead, and never from which size on."""

import pytest
from builders import cases_of, make_rounds, make_run

from crossover.analysis.crossover import crossovers
from crossover.analysis.sweeps import sweep_results
from crossover.gate.changes import compare
from crossover.report.words.sentences import headed, sentence
from crossover.spec.spec import parse_spec

ONE, TWO = "cpu/resident@1", "cpu/resident@2"
SIZES = (10, 100, 1000, 10000)
AHEAD, BEHIND = 0.5, 2.0
"""Seconds of two threads, where one takes a second."""


def run_of(challenger_s, late, bound_s=120.0, sizes=SIZES):
    """Return a run in which each size has a ratio, and some contenders time out.

    Args:
        challenger_s: seconds of two threads, by size.
        late: who times out, by size.
        bound_s: what is known of their time.
        sizes: all sizes.
    """
    spec = parse_spec(
        {
            "name": "bounds", "rounds": 8, "grid": True, "control": False,
            "width": 100.0, "contenders": [ONE, TWO], "pairs": [[ONE, TWO]],
            "sweep": [
                {"axis": "batch_size", "values": list(sizes), "samples": 10000}
            ],
        },
        "test",
    )  # fmt: skip

    def law(case, contender, number):
        size = case["batch_size"]
        if late.get(size) == str(contender):
            ended = {"status": "timeout", "notes": "slower", "bound_s": bound_s}
            return ended if number == 0 else None
        took_s = 1.0 if contender.threads == 1 else challenger_s[size]
        if challenger_s[size] is None:
            return None
        more = {"calls_per_sample": 1, "epochs_run": 1, "transfer_s": 0.0}
        jitter = 1 + 0.001 * ((7 * number + 3 * (contender.threads or 0)) % 11 - 5)
        return {"samples_s": (took_s * jitter,), "setup_s": 0.0, **more}

    return make_run(spec, make_rounds(cases_of(spec), (ONE, TWO), law))


def answered(*arguments, **fields):
    return next(c for c in crossovers(run_of(*arguments, **fields)))


def by_size(*seconds):
    return dict(zip(SIZES, seconds, strict=True))


@pytest.mark.parametrize(
    ("seconds", "late", "outcome", "low", "high", "said"),
    [
        (
            by_size(BEHIND, BEHIND, BEHIND, AHEAD), {10000: ONE},
            "inconclusive", 1000.0, None, "; a lead would begin above 1,000",
        ),
        (
            by_size(BEHIND, AHEAD, AHEAD, AHEAD), {10: TWO},
            "inconclusive", None, 100.0, "; a lead would begin below 100",
        ),
        (
            by_size(BEHIND, BEHIND, AHEAD, AHEAD), {1000: ONE, 10000: ONE},
            "inconclusive", 100.0, None, "; a lead would begin above 100",
        ),
        (
            by_size(BEHIND, BEHIND, AHEAD, AHEAD), {10: TWO, 100: TWO, 10000: ONE},
            "inconclusive", None, 1000.0, "; a lead would begin below 1,000",
        ),
        (
            by_size(BEHIND, BEHIND, BEHIND, BEHIND), {10000: TWO},
            "never", None, None, "slower at 1,000",
        ),
        (
            by_size(AHEAD, AHEAD, AHEAD, AHEAD), {1000: ONE, 10000: ONE},
            "always", None, None, "faster at 10, ",
        ),
        (
            by_size(BEHIND, AHEAD, AHEAD, BEHIND), {10000: TWO},
            "not_monotone", None, None, "changes more than once or is lost",
        ),
        (
            by_size(AHEAD, AHEAD, AHEAD, AHEAD), dict.fromkeys(SIZES, ONE),
            "always", None, None, "smallest size on: not measured, not measured",
        ),
    ],
)  # fmt: skip
def test_a_bound_settles_a_sign_and_no_position(
    seconds, late, outcome, low, high, said
):
    found = answered(seconds, late)
    assert (found.answer.outcome, found.answer.at) == (outcome, None)
    assert (found.answer.low, found.answer.high) == (low, high)
    assert said in sentence(found)
    assert "; timed out: " in sentence(found)
    assert all(f"{who} at " in sentence(found) for who in late.values())
    assert "timed out" not in headed(found)


@pytest.mark.parametrize("sizes", [SIZES, SIZES[:3]])
def test_a_crossing_between_measured_sizes_rests_on_these_alone(sizes):
    """Sizes where one timed out, or that do not exist, give the same answer."""
    seconds = by_size(BEHIND, 1.2, AHEAD, AHEAD)
    late = {10000: ONE} if 10000 in sizes else {}
    found = answered(seconds, late, sizes=sizes).answer
    only = answered(seconds, {}, sizes=SIZES[:3]).answer
    assert found.outcome == "found"
    assert (found.low, found.high) == (100, 1000)
    assert 100 < found.at < 1000
    numbers = "at", "low", "high", "speedup_smallest", "speedup_largest", "fitted"
    assert all(getattr(found, n) == getattr(only, n) for n in numbers)


@pytest.mark.parametrize("late", [{10000: ONE}, {10: TWO}, {10: TWO, 10000: ONE}])
@pytest.mark.parametrize("middle", [(BEHIND, AHEAD), (BEHIND, 0.9), (0.9, AHEAD)])
def test_no_number_depends_on_how_long_was_waited(late, middle):
    seconds = by_size(BEHIND, *middle, AHEAD)
    short, long = (answered(seconds, late, bound_s=s).answer for s in (20.0, 1e5))
    assert short == long


def test_a_size_that_was_not_measured_hides_no_answer_beside_a_bound():
    """Two threads time out at the smallest size; the largest was never reached."""
    seconds = {**by_size(BEHIND, BEHIND, AHEAD, AHEAD), 10000: None}
    found = answered(seconds, {10: TWO}).answer
    assert (found.outcome, found.flags[-1]) == ("found", f"timed_out: {TWO} at 10")
    assert 100 < found.at < 1000


def test_a_bound_that_the_other_took_longer_than_tells_nothing():
    seconds = by_size(BEHIND, BEHIND, BEHIND, AHEAD)
    found = answered(seconds, {10000: ONE}, bound_s=0.4)
    assert (found.answer.outcome, found.answer.low) == ("inconclusive", None)
    assert "failed: timeout at 10,000" in found.flags


def test_tables_and_comparisons_hold_no_bound():
    run = run_of(by_size(BEHIND, BEHIND, AHEAD, AHEAD), {10000: ONE})
    (result,) = sweep_results(run, crossovers(run))
    assert [p.size for p in result.speedups] == [10, 100, 1000]
    other = run_of(by_size(BEHIND, BEHIND, AHEAD, AHEAD), {10000: ONE}, bound_s=1e5)
    names = ["a", "b"]
    assert compare([run, other], names) == compare([run, run], names)

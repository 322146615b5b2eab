"""What rounded times hide is seen from the times alone, and widens the interval."""

import numpy as np
import pytest

from crossover.crossing.answer import Settings, answer, point_answer
from crossover.crossing.rounding import hidden
from crossover.selftest.simulate import SIZES, Model, cost_curve, seconds

SECOND = 2.0**-20
"""The step of a clock that counts seconds in floats, read a billion of them on."""


def to_decimals(times):
    return np.maximum(np.round(times), 1.0)


def to_a_digit(times):
    place = 10.0 ** np.floor(np.log10(times))
    return np.round(times / place) * place


def to_clock(times):
    return np.maximum(np.round(times / SECOND), 1) * SECOND


def printed(times):
    """Round to a clock's step, print in microseconds to two decimals."""
    return np.round(1e6 * to_clock(times), 2)


def looped(times):
    """Time a size's calls together, fewer of the longer ones, by 4 steps or more."""
    calls = np.ceil(4 * 0.1 / np.median(times, axis=(0, 2), keepdims=True))
    return np.round(times * calls / 0.1) * 0.1 / calls


def rounded(how, unit, seed, truth=2000.0, noise=0.02):
    """Return (rounded, exact) times of a sweep of which a unit is the least time."""
    exact = seconds(
        cost_curve(truth, 10.0), Model(noise=noise), np.random.default_rng([seed, 5])
    )
    exact *= unit / exact.min()
    return how(exact), exact


KINDS = {
    "whole milliseconds": (to_decimals, 1.0),
    "one digit": (to_a_digit, 37.0),
    "a clock's steps": (to_clock, 1.2 * SECOND),
    "a clock's steps, printed": (printed, 1.2 * SECOND),
    "a clock's steps, looped": (looped, 1.0),
}


def ends(found):
    return found.parity_low or 0.0, found.parity_high or np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_the_exact_times_lie_within_what_is_hidden(kind):
    how, unit = KINDS[kind]
    coarse = 0
    for seed in range(20):
        times, exact = rounded(how, unit, seed)
        hides = hidden(list(times[0]), list(times[1]))
        (one, other), (b, c) = (np.median(t, axis=2) for t in (times, exact))
        off = np.log(b / c) - np.log(one / other)
        assert (off <= hides.higher + 0.003).all()
        assert (-off <= hides.lower + 0.003).all()
        coarse += max(hides.lower.max(), hides.higher.max()) > 0.02
    assert coarse == 20


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_of_rounded_times_holds_the_truth(kind):
    how, unit = KINDS[kind]
    work = np.ones((len(SIZES), 1))
    held = 0
    for seed in range(40):
        truth = float(np.exp(np.random.default_rng([seed, 6]).uniform(5.0, 9.0)))
        times, _ = rounded(how, unit, seed, truth)
        found = answer(SIZES, list(times[0]), list(times[1]), work, Settings())
        low, high = ends(found)
        held += low <= truth <= high
    assert held >= 38


@pytest.mark.parametrize("digits", [6, 12, 17])
@pytest.mark.parametrize("rounds", [1, 5, 16])
def test_times_with_many_digits_hide_nothing(digits, rounds):
    for seed in range(40):
        model = Model(rounds=rounds, noise=0.02)
        rng = np.random.default_rng([seed, 7])
        times = seconds(cost_curve(2000.0, 10.0), model, rng) * 1e-3
        place = 10.0 ** (np.floor(np.log10(times)) + 1 - digits)
        times = np.round(times / place) * place
        assert not hidden(list(times[0]), list(times[1]))


def test_the_step_is_the_same_in_any_unit():
    times, _ = rounded(to_decimals, 1.0, 0)
    once = hidden(list(times[0]), list(times[1]))
    for unit in (1e-9, 1e-3, 60.0, 1e6):
        again = hidden(list(times[0] * unit), list(times[1] * unit))
        assert again.higher == pytest.approx(once.higher)
        assert again.lower == pytest.approx(once.lower)
        assert again.values == once.values


def test_a_finer_contender_does_not_hide_that_the_other_is_rounded():
    times, exact = rounded(to_decimals, 1.0, 0)
    mixed = hidden(list(times[0]), list(exact[1]))
    assert mixed.higher[0] == pytest.approx(np.log1p(0.5 / np.median(times[0][0])))


def test_a_lead_of_one_step_is_no_lead():
    """Two steps against one may be a tie: 1.5 against 1.5."""
    sizes, work = np.array([1.0, 10, 100, 1000]), np.ones((4, 1))
    baseline, challenger = np.array([2.0, 2, 5, 50]), np.array([1.0, 1, 3, 11])
    found = point_answer(sizes, baseline, challenger, work, 0.02)
    assert (found.outcome, found.at) == ("inconclusive", None)
    assert "a crossing would lie below 100" in found.flags
    assert "rounded_times: 6 different times" in found.flags
    finer = point_answer(
        sizes, baseline + 0.001, challenger - [0.003, 0.004, 0.001, 0], work, 0.02
    )
    assert (finer.outcome, finer.flags) == ("always", ("no_rounds",))


def test_rounding_that_changes_nothing_is_not_flagged():
    """Whole milliseconds, but thousands of them wherever the answer is decided."""
    times, _ = rounded(to_decimals, 1000.0, 0)
    work = np.ones((len(SIZES), 1))
    found = answer(SIZES, list(times[0]), list(times[1]), work, Settings())
    assert found.outcome == "found"
    assert found.flags == ("coarse_grid: 2,048 and 4,096",)

"""An estimate stays between the two sizes where the sign changes."""

from pathlib import Path

import numpy as np
import pytest

from bench.analysis.answer import Settings, answer, point_answer
from bench.analysis.locate import locate
from bench.analysis.rounding import hidden, step_of
from bench.sources.table import Asked, analyse, read_table

TABLES = Path(__file__).parent / "fixtures" / "tables"
SETTINGS = Settings()


def answer_of(name, time, round_=None):
    asked = Asked("n", time, "device", "cpu", "gpu", round_)
    (found,) = analyse(read_table(TABLES / f"{name}.csv", asked), asked, SETTINGS)
    return found.answer


def curve(rng):
    """Draw (sizes, log-ratios) of a monotone curve that turns positive once.

    Plateaus and steps are likely; no point is within the margin of 0.
    """
    n = int(rng.integers(4, 11))
    sizes = np.cumprod(rng.uniform(1.2, 4.0, n)) * rng.uniform(1, 100)
    steps = rng.choice([0.0, 0.002, 0.05, 0.3, 1.5], n - 1) * rng.uniform(
        0.5, 1.5, n - 1
    )
    i = int(rng.integers(1, n))
    steps[i - 1] = rng.uniform(0.1, 1.5)
    ratios = np.concatenate([[0.0], np.cumsum(steps)])
    share = rng.uniform(0.3, 0.7)
    ratios -= ratios[i - 1] + share * steps[i - 1]
    return sizes, ratios, i


def test_3000_random_monotone_curves_without_rounds():
    rng = np.random.default_rng(1)
    for _ in range(3000):
        sizes, ratios, i = curve(rng)
        work = np.column_stack([np.ones(len(sizes)), sizes])
        found = point_answer(sizes, np.exp(ratios), np.ones(len(sizes)), work, 0.02)
        assert found.outcome == "found"
        assert sizes[i - 1] <= found.at <= sizes[i]


def test_3000_random_monotone_curves_with_rounds():
    """Decided at every size, and so the bracket is known: `at` never leaves it."""
    rng, inside = np.random.default_rng(2), 0
    for _ in range(3000):
        sizes, ratios, i = curve(rng)
        rounds = [r + rng.normal(0, 0.004, 12) for r in ratios]
        found = locate(sizes, rounds, 0.95, 0.02, seed=0)
        if found.signs != tuple(np.where(np.arange(len(sizes)) < i, -1, 1)):
            continue
        inside += 1
        assert found.outcome == "found"
        assert sizes[i - 1] <= found.at <= sizes[i]
        assert found.low is None or found.low <= found.at
        assert found.high is None or found.at <= found.high
    assert inside > 2000


def test_noise_never_puts_a_crossing_beyond_a_size_that_is_decided():
    rng, seen = np.random.default_rng(3), 0
    for _ in range(600):
        sizes, ratios, _ = curve(rng)
        spread = rng.choice([0.01, 0.05, 0.3], len(sizes))
        rounds = [r + rng.normal(0, s, 12) for r, s in zip(ratios, spread, strict=True)]
        found = locate(sizes, rounds, 0.95, 0.02, seed=0)
        if found.outcome != "found":
            continue
        seen += 1
        behind = [s for s, sign in zip(sizes, found.signs, strict=True) if sign < 0]
        ahead = [s for s, sign in zip(sizes, found.signs, strict=True) if sign > 0]
        assert max(behind, default=0) <= found.at <= min(ahead)
        assert (found.low or 0) <= found.at <= (found.high or np.inf)
    assert seen > 200


@pytest.mark.parametrize(
    ("name", "round_", "low", "high"),
    [("outside_bracket", None, 32, 64), ("outside_bracket_rounds", "rep", 128, 256)],
)
def test_a_plateau_before_a_step_keeps_the_crossing_in_the_step(
    name, round_, low, high
):
    found = answer_of(name, "ms", round_)
    assert found.outcome == "found"
    assert low < found.at < high
    assert found.flags == (() if round_ else ("no_rounds",))
    if round_:
        assert 0.9 * low < found.low < 133.5 < found.high < high


def test_a_crossing_below_the_smallest_size_is_no_answer():
    found = answer_of("at_zero", "ms")
    assert (found.outcome, found.at, found.high) == ("inconclusive", None, 2048)


def test_no_point_answer_is_0_or_infinite():
    rng = np.random.default_rng(4)
    for _ in range(1000):
        n = int(rng.integers(2, 8))
        sizes = np.cumsum(rng.uniform(1, 50, n))
        seconds = np.exp(rng.normal(0, 0.1, (2, n)))
        work = np.column_stack([np.ones(n), sizes])
        at = point_answer(sizes, *seconds, work, 0.02).at
        assert at is None or sizes[0] <= at <= sizes[-1]


def test_times_of_one_step_of_the_clock_leave_the_crossing_open():
    found = answer_of("timer_steps", "ns", "rep")
    assert found.outcome == "found"
    assert found.low is None
    assert 110 <= found.at <= found.high <= 1100
    assert "coarse_times: 4 different ones, steps of 953.7" in found.flags


def test_whole_milliseconds_hold_the_truth_that_they_hide():
    found = answer_of("whole_milliseconds", "ms", "rep")
    assert found.low is None or found.low < 8125
    assert 10_000 < found.high < 100_000
    assert any(flag.startswith("coarse_times") for flag in found.flags)


@pytest.mark.parametrize("step", [0.001, 953.6743e-9, 0.25])
def test_the_step_of_rounded_times_is_found(step):
    rng = np.random.default_rng(5)
    times = np.round(rng.uniform(1, 40, 200)) * step
    assert step_of(times) == pytest.approx(step)
    assert step_of(np.round(times, 9)) == pytest.approx(step, rel=1e-2)


def test_times_with_all_their_digits_have_no_step():
    rng = np.random.default_rng(6)
    assert step_of(rng.uniform(1, 2, 200)) == 0
    assert step_of(np.repeat(rng.uniform(1, 2, 8), 16)) == 0  # noiseless rounds
    assert step_of(np.round(rng.uniform(1, 2, 200), 4)) == 0  # nothing material
    assert step_of(np.ones(9)) == 0  # too few to tell


def test_an_interval_of_rounded_times_holds_the_truth():
    """cpu = n, gpu = 1.3 + n / 5 in steps of 1: 300 seeded tables of 10 rounds."""
    truth, sizes, held = 1.3 / 0.8, np.array([0.5, 1, 2, 4, 8, 16]), 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        noise = np.exp(rng.normal(0, 0.03, (2, len(sizes), 10)))
        exact = np.stack([2 * sizes, 2 * (1.3 + sizes / 5)])[:, :, None] * noise
        base, other = np.maximum(np.round(exact), 1)
        work = np.column_stack([np.ones(len(sizes)), sizes])
        found = answer(sizes, list(base), list(other), work, SETTINGS)
        held += (found.low or 0) <= truth <= (found.high or np.inf)
    assert held >= 0.95 * 300


def test_what_rounding_hides_is_half_a_step_of_both():
    more, less = hidden(1.0, np.array([2.0]), np.array([2.0]))
    assert more == pytest.approx(np.log(2.5 / 1.5), rel=1e-6)
    assert less == pytest.approx(np.log(2.5 / 1.5), rel=1e-6)

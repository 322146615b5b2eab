"""The estimator against simulated truth: the crossing is known by construction."""

import numpy as np
import pytest

from bench.analysis.crossover import fitted, least_regret
from bench.analysis.locate import decide, isotonic_zero, locate
from softmax_core.case import Case

SIZES = 2.0 ** np.arange(6, 16)


def simulated(truth, rounds, sigma, seed, speedup=10.0):
    """Baseline a + b n against challenger A + b n / speedup, equal at `truth`."""
    rng = np.random.default_rng(seed)
    b = 1.0
    a = 100.0
    A = a + b * truth * (1 - 1 / speedup)
    ratio = np.log((a + b * SIZES) / (A + b * SIZES / speedup))
    noise = rng.normal(0, sigma, (len(SIZES), rounds, 2))
    return [r + noise[i, :, 0] - noise[i, :, 1] for i, r in enumerate(ratio)]


def test_interval_covers_the_truth():
    """95 % intervals over 200 sweeps: below 90 % has probability < 0.002."""
    hits = 0
    for seed in range(200):
        found = locate(SIZES, simulated(2000.0, 16, 0.05, seed), 0.95, 0.02, seed)
        assert found.outcome == "found"
        hits += (found.low or 0) <= 2000.0 <= (found.high or np.inf)
    assert hits >= 180


def test_a_contender_never_overtakes_itself():
    """A/A: 300 sweeps without a difference find no crossover more than 1 % of times."""
    rng = np.random.default_rng(1)
    outcomes = [
        locate(SIZES, list(rng.normal(0, 0.07, (10, 12))), 0.95, 0.02, 0).outcome
        for _ in range(300)
    ]
    assert sum(outcome != "inconclusive" for outcome in outcomes) <= 3


@pytest.mark.parametrize(
    ("levels", "outcome"),
    [
        ([-1, -0.5, 0.5, 1], "found"),
        ([0.5, 0.6, 0.7, 1], "always"),
        ([-1, -0.7, -0.6, -0.5], "never"),
        ([-1, 0.5, -0.5, 1], "not_monotone"),
        ([1, 0.5, -0.5, -1], "not_monotone"),
        ([0, 0, 0, 0], "inconclusive"),
        ([-1, -0.5, 0.5, 0], "inconclusive"),
    ],
)
def test_outcomes(levels, outcome):
    rng = np.random.default_rng(0)
    ratios = [level + rng.normal(0, 0.02, 12) for level in levels]
    found = locate(SIZES[:4], ratios, 0.95, 0.02, 0)
    assert found.outcome == outcome
    assert (found.at is not None) == (outcome == "found")


def test_every_crossing_is_listed():
    ratios = [np.full(12, level) + np.arange(12) * 1e-4 for level in (-1, 1, -1, 1)]
    found = locate(np.array([1.0, 100.0, 1e4, 1e6]), ratios, 0.95, 0.02, 0)
    assert found.crossings == pytest.approx((10, 1000, 1e5), rel=0.01)


def test_few_rounds_decide_nothing():
    assert decide([np.full(3, 5.0) + np.arange(3) / 10], 0.95, 0.02) == [0]


def test_isotonic_zero_interpolates():
    at = isotonic_zero(np.log([10.0, 1000.0]), np.array([-1.0, 1.0]))
    assert np.exp(at) == pytest.approx(100.0)


def test_least_regret_is_the_threshold_that_loses_least():
    sizes = np.array([1.0, 2, 4, 8])
    baseline, challenger = np.array([1.0, 2, 4, 8]), np.array([3.0, 3, 3, 3])
    assert least_regret(sizes, baseline, challenger) == 4
    assert least_regret(sizes, baseline, baseline * 2) is None


def test_fitted_root_of_known_cost_curves():
    sizes = np.array([10.0, 100, 1000, 10000])
    cases = [Case(samples=int(n), batch_size=10, epochs=1) for n in sizes]
    found = fitted(sizes, cases, 0.001 * sizes, 0.5 + 0.0001 * sizes)
    assert found == pytest.approx(0.5 / 0.0009, rel=1e-2)

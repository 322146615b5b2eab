"""The estimator, its decisions and the other definitions, on cases known exactly."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import isotonic_regression

from crossover.crossing.answer import Settings, answer, point_answer
from crossover.crossing.decide import decide, looks_up_to, p_ahead, walsh_averages
from crossover.crossing.definitions import (
    first_win,
    fitted,
    least_regret,
    steps_apart,
    steps_from_bracket,
)
from crossover.crossing.isotonic import isotonic_fits
from crossover.crossing.locate import crossing, locate
from crossover.selftest.simulate import SIZES, Model, cost_curve, log_ratios, seconds


def signs(ratios, **settings):
    return decide(ratios, 0.95, 0.02, **settings)


def around(levels, rounds=12, spread=0.02, seed=0):
    rng = np.random.default_rng(seed)
    return [level + rng.normal(0, spread, rounds) for level in levels]


@pytest.mark.parametrize("rounds", [5, 8, 16, 32, 60])
def test_the_signed_rank_test_is_scipys(rounds):
    rng = np.random.default_rng(rounds)
    for _ in range(20):
        values = rng.normal(0.03, 0.1, rounds)
        ours = p_ahead(values, walsh_averages(values), 0.02)
        method = "exact" if rounds <= 50 else "approx"
        theirs = stats.wilcoxon(
            values - 0.02, alternative="greater", correction=True, method=method
        ).pvalue
        if (values > 0.02).all():
            t = stats.ttest_1samp(values, 0.02, alternative="greater").pvalue
            theirs = min(theirs, t)
        assert ours == pytest.approx(theirs, rel=1e-6)


def test_the_isotonic_fits_are_scipys():
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(40, 7)), rng.integers(1, 5, 7).astype(float)
    expected = [isotonic_regression(row, weights=weights).x for row in rows]
    assert isotonic_fits(rows, weights) == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("levels", "outcome"),
    [
        ([-1, -0.5, 0.5, 1], "found"),
        ([0.5, 0.6, 0.7, 1], "always"),
        ([-1, -0.7, -0.6, -0.5], "never"),
        ([-1, 0.5, -0.5, 1], "not_monotone"),
        ([1, 0.5, -0.5, -1], "not_monotone"),
        ([1, -0.5, 0.5, 1], "not_monotone"),
        ([0, 0, 0, 0], "inconclusive"),
        ([-1, -0.5, 0.5, 0], "inconclusive"),
        ([-0.01, 0.5, 0.7, 1], "found"),
        ([0.01, 0.5, 0.7, 1], "inconclusive"),
        ([0, -0.5, 0.7, 1], "found"),
    ],
)
def test_outcomes(levels, outcome):
    found = locate(SIZES[:4], around(levels), 0.95, 0.02, 0)
    assert found.outcome == outcome
    assert (found.at is not None) == (outcome == "found")
    if outcome in ("always", "never", "not_monotone"):
        assert (found.low, found.high) == (None, None)


def test_every_crossing_is_listed():
    ratios = [np.full(12, level) + np.arange(12) * 1e-4 for level in (-1, 1, -1, 1)]
    found = locate(np.array([1.0, 100.0, 1e4, 1e6]), ratios, 0.95, 0.02, 0)
    assert found.crossings == pytest.approx((10, 1000, 1e5), rel=0.01)


def test_a_difference_within_the_margin_is_none():
    assert signs(around([-0.015, 0.015], rounds=32, spread=0.001)) == [0, 0]
    assert signs(around([-0.03, 0.03], rounds=32, spread=0.001)) == [-1, 1]


def test_eight_rounds_decide_ten_sizes_and_six_pairs():
    """A signed-rank test alone cannot: its least p-value is 1/256."""
    levels = [-0.9, -0.7, -0.5, -0.4, -0.3, 0.3, 0.4, 0.5, 0.7, 0.9]
    found = signs(around(levels, rounds=8, spread=0.05), looks=3, pairs=6)
    assert found == [-1] * 5 + [1] * 5


def test_the_level_is_shared_by_looks_and_pairs():
    values = np.array([0.03] * 7 + [0.6])  # p = 2 / 256 both ways; the t-test's is 0.3
    assert signs([values], looks=3, pairs=2) == [1]
    assert signs([values], looks=3, pairs=3) == [0]
    assert [looks_up_to(n) for n in (8, 12, 16, 32, 64)] == [1, 2, 2, 3, 4]


def test_too_few_rounds_are_left_out_and_rounds_may_differ():
    ratios = around([-1, -0.5, 0.5, 1])
    ratios[1] = ratios[1][:3]
    ratios[2] = ratios[2][:8]
    found = locate(SIZES[:4], ratios, 0.95, 0.02, 0)
    assert found.signs == (-1, 0, 1, 1)
    assert found.outcome == "found"
    assert SIZES[0] < found.low < found.at < found.high < SIZES[2]
    assert locate(SIZES[:2], [np.empty(0)] * 2, 0.95, 0.02, 0).signs == (0, 0)


def test_an_interval_beyond_the_sizes_is_open():
    found = locate(SIZES[:4], around([0.005, 0.5, 0.7, 1]), 0.95, 0.02, 0)
    assert found.low is None
    assert SIZES[0] <= found.high < SIZES[1]


def test_exact_times_give_the_exact_crossing_on_a_fine_grid():
    sizes = np.geomspace(500, 8000, 12)
    for speedup in (10.0, 2.0, 1.25):
        centres = cost_curve(2000.0, speedup, sizes)
        assert crossing(sizes, centres) == pytest.approx(2000, rel=1e-3)
    assert crossing(np.array([10.0, 1000.0]), np.array([-1.0, 1.0])) == pytest.approx(
        100.0
    )
    assert crossing(sizes, np.ones(12)) == 0
    assert crossing(sizes, -np.ones(12)) == np.inf


def test_the_slope_is_the_curves():
    sizes = SIZES[2:9]
    ratios = [np.full(8, c) for c in cost_curve(2000.0, 10.0, sizes)]
    logs = np.log([1990.0, 2010.0])
    curve = cost_curve(2000.0, 10.0, np.exp(logs))
    found = locate(sizes, ratios, 0.95, 0.02, 0)
    assert found.slope == pytest.approx(np.ptp(curve) / np.ptp(logs), rel=0.05)


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(0)
    ratios = log_ratios(seconds(cost_curve(2000.0, 2.0), Model(), rng))
    first, again, other = (
        locate(SIZES, ratios, 0.95, 0.02, seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert other.at == first.at
    assert other.low == pytest.approx(first.low, rel=0.03)


def test_least_regret_is_the_threshold_that_loses_least():
    sizes = np.array([1.0, 2, 4, 8])
    baseline, challenger = np.array([1.0, 2, 4, 8]), np.array([3.0, 3, 3, 3])
    assert least_regret(sizes, baseline, challenger) == 4
    assert least_regret(sizes, baseline, baseline * 2) is None
    assert first_win(sizes, np.log(baseline / challenger)) == 4
    assert first_win(sizes, -sizes) is None


def test_fitted_root_of_known_cost_curves():
    sizes = np.array([10.0, 100, 1000, 10000])
    work = np.column_stack([np.ones(4), sizes / 10, sizes])
    found = fitted(sizes, work, 0.001 * sizes, 0.5 + 0.0001 * sizes)
    assert found == pytest.approx(0.5 / 0.0009, rel=1e-2)
    assert fitted(sizes[:3], work[:3], sizes[:3], sizes[:3]) is None


def test_steps_between_definitions():
    assert steps_apart(SIZES, 64, 256) == pytest.approx(2)
    assert steps_apart(SIZES, 128, np.inf) == pytest.approx(8)
    assert steps_from_bracket(SIZES, 200.0, 256) == 0
    assert steps_from_bracket(SIZES, 256.0, 2048) == pytest.approx(2)
    assert steps_from_bracket(SIZES, 1024.0, 256) == pytest.approx(2)


def test_an_answer_holds_all_definitions_side_by_side():
    rng = np.random.default_rng(3)
    times = seconds(cost_curve(2000.0, 10.0), Model(), rng)
    work = np.column_stack([np.ones(len(SIZES)), SIZES])
    found = answer(SIZES, list(times[0]), list(times[1]), work, Settings())
    assert found.outcome == "found"
    assert found.low < 2000 < found.high
    assert found.at == pytest.approx(2000, rel=0.1)
    assert found.fitted == pytest.approx(2000, rel=0.1)
    assert {found.first_win, found.least_regret} <= {2048.0, 4096.0}
    assert found.speedup_smallest < 1 < found.speedup_largest < 10
    assert found.flags == ()
    few = answer(SIZES, [t[:4] for t in times[0]], list(times[1]), work, Settings())
    assert few.outcome == "not_measured"


def test_one_time_per_size_has_no_interval():
    work = np.column_stack([np.ones(len(SIZES)), SIZES])
    base = 100 + SIZES
    for truth, outcome in ((2000.0, "found"), (5.0, "always"), (1e6, "never")):
        other = base * np.exp(-cost_curve(truth, 2.0))
        found = point_answer(SIZES, base, other, work, 0.02)
        assert found.outcome == outcome
        assert found.confidence is found.low is found.high is None
        assert found.flags == ("no_rounds",)
    wave = base * np.exp([*itertools.islice(itertools.cycle([1.0, -1.0]), 10)])
    found = point_answer(SIZES, base, wave, work, 0.02)
    assert found.outcome == "not_monotone"
    assert len(found.flags[1].split(",")) == 9

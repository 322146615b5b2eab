"""The estimator, the answer and the other definitions, on cases known exactly."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import isotonic_regression

from crossover.crossing.answer import Settings, agreed, answer, point_answer
from crossover.crossing.boundaries import boundaries
from crossover.crossing.decide import looks_up_to, p_ahead, walsh_averages
from crossover.crossing.definitions import (
    first_win,
    fitted,
    least_regret,
    steps_apart,
    steps_from_bracket,
)
from crossover.crossing.isotonic import isotonic_fits
from crossover.crossing.locate import ahead_replicates, crossing
from crossover.selftest.simulate import SIZES, Model, cost_curve, log_ratios, seconds


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


def test_looks_are_counted_up_to_the_most_rounds():
    assert [looks_up_to(n) for n in (8, 12, 16, 32, 64)] == [1, 2, 2, 3, 4]


def test_eight_rounds_decide_ten_sizes_and_six_pairs():
    """A signed-rank test alone cannot: its least p-value is 1/256."""
    levels = [-0.9, -0.7, -0.5, -0.4, -0.3, 0.3, 0.4, 0.5, 0.7, 0.9]
    rows = around(levels, rounds=8, spread=0.05)
    found = boundaries(SIZES, rows, 0.95, 0.05, 0, looks=3, pairs=6)
    assert [zone.name for zone in found.zones] == ["behind"] * 5 + ["ahead"] * 5


def test_rounds_may_differ():
    ratios = around([-1, -0.5, 0.5, 1])
    ratios[1] = ratios[1][:3]
    ratios[2] = ratios[2][:8]
    found = boundaries(SIZES[:4], ratios, 0.95, 0.05, 0)
    ahead = found.ahead_from
    assert found.outcome == "found"
    assert SIZES[0] <= ahead.low < ahead.at < ahead.high <= SIZES[2]


def test_an_interval_beyond_the_sizes_is_open():
    rows = around([0.048, 0.5, 0.7, 1], spread=0.05)
    found = boundaries(SIZES[:4], rows, 0.95, 0.05, 0).ahead_from
    assert found.low is None
    assert SIZES[0] <= found.high <= SIZES[1]


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
    found = boundaries(sizes, ratios, 0.95, 0.05, 0).parity
    assert found.slope == pytest.approx(np.ptp(curve) / np.ptp(logs), rel=0.05)


def test_replicates_are_of_the_size_from_which_the_lead_reaches_the_margin():
    rng = np.random.default_rng(0)
    ratios = log_ratios(seconds(cost_curve(2000.0, 2.0), Model(), rng))
    zero, _ = ahead_replicates(SIZES, ratios, 0.0, 1)
    lead, drawn = ahead_replicates(SIZES, ratios, 0.05, 1)
    found = boundaries(SIZES, ratios, 0.95, 0.05, 1)
    assert np.exp(zero) == pytest.approx(found.parity.at)
    assert np.exp(lead) == pytest.approx(found.ahead_from.at)
    assert lead > zero
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert np.exp([low, high]) == pytest.approx(
        [found.ahead_from.low, found.ahead_from.high], rel=0.05
    )


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
    assert found.parity_low < 2000 < found.parity_high
    assert found.parity == pytest.approx(2000, rel=0.1)
    assert found.behind_until < found.parity < found.at == pytest.approx(2150, rel=0.1)
    assert found.fitted == pytest.approx(2000, rel=0.1)
    assert {found.first_win, found.least_regret} <= {2048.0, 4096.0}
    assert found.speedup_smallest < 1 < found.speedup_largest < 10
    assert (
        found.speedup_largest_low < found.speedup_largest < found.speedup_largest_high
    )
    assert found.most_behind <= found.speedup_smallest
    assert found.next_ahead in (2048, 4096)
    assert found.flags == ("coarse_grid: 2,048 and 4,096",)
    few = answer(SIZES, [t[:4] for t in times[0]], list(times[1]), work, Settings())
    assert few.outcome == "not_measured"


def test_one_time_per_size_has_no_interval():
    work = np.column_stack([np.ones(len(SIZES)), SIZES])
    base = 100 + SIZES
    for truth, outcome in ((2000.0, "found"), (5.0, "always"), (1e6, "never")):
        other = base * np.exp(-cost_curve(truth, 2.0))
        found = point_answer(SIZES, base, other, work, 0.05)
        assert found.outcome == outcome
        assert found.confidence is found.low is found.high is None
        assert found.flags[0] == "no_rounds"
        assert len(found.flags) == 1 + (outcome == "found")
    wave = base * np.exp([*itertools.islice(itertools.cycle([1.0, -1.0]), 10)])
    found = point_answer(SIZES, base, wave, work, 0.05)
    assert found.outcome == "not_monotone"
    assert len(found.flags[1].split(", ")) == 9


def tied_then_ahead(levels=(-0.3, -0.2, 0.0, 0.0, 0.2, 0.4), spread=0.01):
    base = np.ones((6, 16))
    rows = np.array(around(levels, 16, spread))
    work = np.column_stack([np.ones(6), SIZES[:6]])
    how = (SIZES[:6], list(base), list(base * np.exp(-rows)), work, Settings())
    return answer(*how)


def test_an_answer_says_in_numbers_what_its_zones_are():
    found = tied_then_ahead()
    names = ["behind", "behind", "equal", "equal", "ahead", "ahead"]
    assert [zone.name for zone in found.zones] == names
    assert (found.equal_from, found.equal_to) == (256, 512)
    assert found.next_ahead == 1024
    assert found.next_ahead_speedup == pytest.approx(np.exp(0.2), rel=0.02)
    assert found.most_behind == pytest.approx(np.exp(-0.3), rel=0.02)
    assert found.most_behind_low < found.most_behind < found.most_behind_high
    assert found.differs
    assert found.zones[2].within == pytest.approx(0.01, abs=0.012)


def test_a_tie_is_no_difference():
    found = tied_then_ahead([0.0] * 6)
    assert (found.outcome, found.differs) == ("never", False)
    assert (found.equal_from, found.equal_to) == (64, 2048)


def test_answers_agree_on_what_all_of_them_show():
    one = tied_then_ahead()
    other = tied_then_ahead([-0.3, -0.2, 0.0, 0.2, 0.3, 0.4])
    both = agreed([one, other])
    assert both.outcome == "found"
    assert (both.low, both.high) == (other.low, one.high)
    assert (both.equal_from, both.equal_to) == (256, 256)
    assert both.next_ahead == 1024
    assert both.zones[3].name == "undecided"
    never = tied_then_ahead([-0.3] * 6)
    apart = agreed([one, never])
    assert (apart.outcome, apart.at, apart.low, apart.parity) == (
        "inconclusive", None, None, None,
    )  # fmt: skip
    assert apart.zones[0].name == "behind"

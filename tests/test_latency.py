"""Quantiles of single calls, and what is fast enough, where the truth is known."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from crossover.crossing.boundaries import boundaries
from crossover.files.untrusted import InputError
from crossover.latency.enough import Bracket, Taken, bracket, parse_limit
from crossover.latency.quantiles import (
    QUANTILES,
    design_effect,
    independent_end,
    least_calls,
    least_of_round,
    of_round,
    quantile,
)
from crossover.selftest.latency import LAWS, Law, coverage
from crossover.selftest.simulate import SIZES, cost_curve

SEED = 2026


def dealt(n, rounds=8):
    """Return the times 1 to n, dealt to rounds that are as alike as can be."""
    return [np.arange(1.0, n + 1)[i::rounds] for i in range(rounds)]


@pytest.mark.parametrize("n", [400, 1000, 3200])
@pytest.mark.parametrize("share", QUANTILES.values())
def test_of_independent_calls_the_interval_is_the_binomial_one(n, share):
    """An end may lie between two calls: the one before it would be too near."""
    calls, below = np.arange(1.0, n + 1), stats.binom(n, share)
    low, high = (independent_end(calls, 1.0, share, 0.95, up) for up in (False, True))
    first, last = math.floor(low), math.ceil(high)
    assert below.cdf(first - 1) <= 0.025 < below.cdf(first)
    assert below.sf(last - 1) <= 0.025 < below.sf(last - 2)


@pytest.mark.parametrize("share", QUANTILES.values())
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_with_fewer_calls_than_needed_nothing_bounds_a_quantile(share, confidence):
    """Then all calls may lie on one side of it."""
    least, error = least_calls(share, confidence), (1 - confidence) / 2
    assert max(share, 1 - share) ** least <= error
    assert max(share, 1 - share) ** (least - 1) > error
    for n, is_known in ((least - 1, False), (least, True)):
        end = independent_end(np.arange(n) + 1.0, 1.0, share, confidence, True)
        assert (end is not None) == is_known


def test_no_number_stands_for_a_quantile_that_is_not_bounded():
    found = quantile(dealt(120), 0.99, 0.95)
    assert found.at is found.high is None
    assert found.low > 110
    assert quantile(dealt(120), 0.95, 0.95).at == 114


def test_a_hundredth_needs_some_hundred_calls():
    assert [least_calls(share, 0.95) for share in QUANTILES.values()] == [6, 72, 368]


def test_one_round_or_none_tells_nothing_of_the_next():
    assert quantile([], 0.5, 0.95) == quantile(dealt(1000, 1), 0.5, 0.95)
    assert quantile([], 0.5, 0.95).low is None


def test_rounds_that_differ_widen_the_interval_to_what_they_show():
    rng = np.random.default_rng(1)
    calls = rng.normal(100, 1, (8, 125))
    alike = quantile(list(calls), 0.5, 0.95)
    apart = quantile(list(calls + np.arange(8)[:, None]), 0.5, 0.95)
    assert apart.high - apart.low > 10 * (alike.high - alike.low)
    assert apart.low < 103.5 < apart.high


def test_calls_that_are_the_same_all_round_tell_as_much_as_one():
    """Each round has 50 calls of one time: the effect is the calls of a round."""
    times = np.arange(1.0, 41.0)
    found = design_effect([np.full(50, t) for t in times], 20.0)
    assert found == pytest.approx(50 * 40 / 39)


@pytest.mark.parametrize("share", QUANTILES.values())
def test_a_rounds_own_quantile_is_as_often_too_high_as_too_low(share):
    least = least_of_round(share)
    assert (least - 1 / 3) / (least + 1 / 3) >= share
    assert least == 1 or (least - 4 / 3) / (least - 2 / 3) < share
    rng = np.random.default_rng(5)
    for calls in {max(least, 30), 100, 125}:
        own = [of_round(rng.exponential(size=calls), share) for _ in range(2000)]
        assert np.mean(np.array(own) > -np.log1p(-share)) == pytest.approx(
            0.5, abs=0.06
        )


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_intervals_hold_the_quantile(law):
    for row in coverage(law, 60, SEED):
        assert row.ok, (row.what, row.found)


@pytest.mark.simulation
@pytest.mark.parametrize("seed", [SEED, 7])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_intervals_hold_the_quantile_in_93_to_98_of_a_hundred_runs(law, seed):
    for row in coverage(law, 1000, seed):
        assert row.ok, (row.what, row.found)


def crossing_in_p99(sweeps, seed):
    """Count the sweeps whose intervals hold where the p99 of both are equal.

    The challenger has spikes that the baseline has not: their medians cross elsewhere.
    """
    usual, spiky = Law("usual", spikes=0.0), Law("spiky", spikes=0.03)
    tails = np.log(spiky.truth(0.99) / usual.truth(0.99))
    held = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, i])
        truth = float(np.exp(rng.uniform(*np.log(SIZES[[4, 5]]))))
        shifts = cost_curve(truth, 4.0) + tails
        ratios = [
            np.array([
                np.log(of_round(one, 0.99) / of_round(other, 0.99)) + shift
                for one, other in zip(
                    dataclasses.replace(usual, rounds=32).drawn(rng),
                    dataclasses.replace(spiky, rounds=32).drawn(rng),
                    strict=True,
                )
            ])
            for shift in shifts
        ]  # fmt: skip
        found = boundaries(SIZES, ratios, 0.95, 0.05, i)
        low, high = found.parity.low or 0.0, found.parity.high or np.inf
        held += low <= truth <= high
    return held


def test_the_crossing_of_a_tail_is_where_the_tails_cross():
    held = crossing_in_p99(20, SEED)
    assert stats.binomtest(held, 20, 0.93, "less").pvalue > 0.001


@pytest.mark.simulation
def test_intervals_hold_the_crossing_of_the_tails_in_93_of_a_hundred_sweeps():
    assert crossing_in_p99(500, SEED) >= 0.93 * 500


@pytest.mark.parametrize(
    ("text", "limit_s"),
    [
        ("20ms", 0.02), ("1.5s", 1.5), ("800us", 8e-4), ("3\u00b5s", 3e-6),
        (" 2 ms ", 2e-3), ("1e-3s", 1e-3), (".5MS", 5e-4),
    ],
)  # fmt: skip
def test_a_limit_is_a_number_with_its_unit(text, limit_s):
    assert parse_limit(text) == pytest.approx(limit_s, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    ["", "20", "ms", "20 min", "-1ms", "0s", "nans", "1..2ms", "1e99s", "20ms20ms"],
)
def test_what_is_no_limit_is_refused_in_one_line(text):
    with pytest.raises(InputError, match=r"^good_enough = .*: must be a time") as said:
        parse_limit(text)
    assert "20ms" in str(said.value)


def taken(*times):
    """Return sizes 1, 2, 4 ... with a time each, and an interval of 10 % around it."""
    return [Taken(2**i, t, t and 0.9 * t, t and 1.1 * t) for i, t in enumerate(times)]


@pytest.mark.parametrize(
    ("times", "outcome", "ends"),
    [
        ((1, 2, 4, 8), "found", (2, 4, 2, 4)),
        ((1, 2.9, 3.1, 8), "found", (2, 4, 1, 8)),
        ((1, 3.1, 2.9, 8), "found", (1, 2, 1, 8)),
        ((1, 1.1, 1.2, 1.3), "every", (8, None, 8, None)),
        ((5, 6, 7, 8), "none", (None, 1, None, 1)),
        ((3, 6, 7, 8), "inconclusive", (None, None, None, 2)),
        ((1, 2, 2.5, 3), "inconclusive", (None, None, 4, None)),
        ((3, 3, 3, 3), "inconclusive", (None, None, None, None)),
        ((1, 5, 1, 8), "not_monotone", (None, None, 1, 8)),
        ((5, 1), "not_monotone", (None, None, None, None)),
        ((1, 2, None, 8), "found", (None, None, 2, 8)),
        ((2,), "every", (1, None, 1, None)),
    ],
)  # fmt: skip
def test_a_bracket_of_sizes_says_up_to_where_it_is_fast_enough(times, outcome, ends):
    assert bracket(taken(*times), 3.0) == Bracket(outcome, *ends)


def test_an_open_end_is_never_fast_enough():
    assert bracket([Taken(1, None, 0.5, None)], 3.0).outcome == "inconclusive"
    assert bracket([Taken(1, None, 4.0, None)], 3.0).outcome == "none"


@pytest.mark.parametrize("limit_s", [1.2, 3.0, 2.05])
def test_what_is_shown_of_a_known_curve_is_wrong_in_no_more_than_it_says(limit_s):
    """A call takes 1 s and 10 ms a unit of size, with noise of 10 %.

    2.05 s is the time of a size that is measured.
    """
    sizes = np.array([5, 10, 20, 40, 80, 105, 160, 320, 640])
    truths = 1 + 0.01 * sizes
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng([seed, int(100 * limit_s)])
        noise = np.exp(0.1 * rng.standard_normal((len(sizes), 9)))
        seen = np.sort(truths[:, None] * noise, axis=1)
        # the 2nd and the 8th of nine hold the median in 96.1 %
        known = [
            Taken(int(n), row[4], row[1], row[7])
            for n, row in zip(sizes, seen, strict=True)
        ]
        found = bracket(known, limit_s)
        within = dict(zip(sizes.tolist(), truths <= limit_s, strict=True))
        assert found.outcome != "every"
        wrong += (found.low is not None and not within[found.low]) or (
            found.high is not None and within[found.high]
        )
    assert stats.binomtest(wrong, 300, 0.04, "greater").pvalue > 0.001

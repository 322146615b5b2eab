"""An estimate lies between the two sizes where the sign changes, on random curves."""

import numpy as np
import pytest

from crossover.crossing.answer import point_answer
from crossover.crossing.boundaries import boundaries, crossings
from crossover.crossing.locate import crossing
from crossover.crossing.zones import Margins, Zone

MARGIN = 0.05
LEAST = 0.06
"""A random curve is at least this far ahead or behind at every size, as a log-ratio."""


def monotone(rng):
    """Return (sizes, log-ratios, the sizes where the sign changes) of a rising curve.

    It has plateaus and steps.
    """
    sizes = np.exp(np.cumsum(rng.uniform(0.1, 1.5, rng.integers(2, 13))))
    rises = rng.choice([0.0, 0.0, 0.002, 0.05, 0.5], len(sizes)) * rng.random(
        len(sizes)
    )
    curve = np.cumsum(rises)
    turn = rng.integers(1, len(sizes))
    curve[turn:] += rng.uniform(0, 0.5)
    below = curve[turn - 1] + rng.uniform(0, 1) * (curve[turn] - curve[turn - 1])
    curve -= below
    curve[:turn] = np.minimum(curve[:turn], 0) - LEAST
    curve[turn:] = np.maximum(curve[turn:], 0) + LEAST
    return sizes, curve, (sizes[turn - 1], sizes[turn])


def noisy(curve, rng, noise, rounds=8):
    return list(curve[:, None] + rng.normal(0, noise, (len(curve), rounds)))


def test_the_crossing_of_3000_curves_is_in_its_bracket():
    for seed in range(3000):
        sizes, curve, (below, above) = monotone(np.random.default_rng([seed, 1]))
        assert below <= crossing(sizes, curve) <= above, seed


def test_the_answer_to_one_time_a_size_is_in_its_bracket():
    for seed in range(300):
        sizes, curve, (below, above) = monotone(np.random.default_rng([seed, 1]))
        work = np.ones((len(sizes), 1))
        found = point_answer(sizes, np.exp(curve), np.ones(len(sizes)), work, MARGIN)
        assert found.outcome == "found"
        assert below <= found.at <= above, seed


def check_with_rounds(curves):
    for seed in range(curves):
        rng = np.random.default_rng([seed, 2])
        sizes, curve, (below, above) = monotone(rng)
        found = boundaries(sizes, noisy(curve, rng, 0.002), 0.95, MARGIN, seed)
        assert found.outcome == "found"
        for one in (found.behind_until, found.parity, found.ahead_from):
            assert below <= one.low <= one.at <= one.high <= above, seed
            assert one.low < one.high


def test_the_crossing_of_curves_with_rounds_is_in_its_bracket():
    check_with_rounds(300)


@pytest.mark.simulation
def test_the_crossing_of_3000_curves_with_rounds_is_in_its_bracket():
    check_with_rounds(3000)


def test_under_noise_the_crossing_is_between_the_sizes_that_are_decided():
    seen = 0
    for seed in range(200):
        rng = np.random.default_rng([seed, 3])
        sizes, curve, _ = monotone(rng)
        rounds = int(rng.choice([5, 8, 40]))
        noise = rng.choice([0.05, 0.2])
        found = boundaries(sizes, noisy(curve, rng, noise, rounds), 0.95, 0.0, seed)
        ahead = found.ahead_from
        if found.outcome != "found":
            assert ahead.at is None
            continue
        seen += 1
        is_ahead = np.array([zone.name == "ahead" for zone in found.zones])
        is_not_ahead = np.array([zone.is_not_ahead for zone in found.zones])
        assert 0 < ahead.at < np.inf
        assert not is_ahead[sizes < ahead.at].any()
        assert not is_not_ahead[sizes > ahead.at].any()
        assert (ahead.low or 0.0) <= ahead.at <= (ahead.high or np.inf)
    assert seen > 50


def test_a_size_that_is_decided_outweighs_the_median_of_its_neighbour():
    """The noisy third size pulls the second one's fit below zero."""
    steady, wild = np.linspace(-0.01, 0.01, 8), np.linspace(-2.0, 1.0, 8)
    ratios = [steady - 1, steady + 0.05, wild, steady + 1]
    ratios[1] += 0.02
    found = boundaries(np.array([1.0, 10.0, 100.0, 1000.0]), ratios, 0.95, MARGIN, 0)
    names = [zone.name for zone in found.zones]
    assert names == ["behind", "ahead", "undecided", "ahead"]
    assert 1 < found.ahead_from.at < 10


def test_a_listed_crossing_is_between_its_two_sizes_whatever_the_medians():
    logs = np.log([1.0, 10.0, 100.0])
    for middle in (-0.6, -0.5, -0.01, 0.0, 0.3):
        zones = [Zone("behind"), Zone("ahead"), Zone("behind")]
        medians = np.array([-0.5, middle, -1.0])
        first, second = crossings(logs, medians, zones, Margins.of(MARGIN, 0.0))
        assert 1 < first < 10 < second < 100


def test_rounds_all_alike_give_the_bracket_not_an_interval_of_no_width():
    ratios = [np.full(8, lead) for lead in (-1.0, 1.0)]
    found = boundaries(np.array([10.0, 1000.0]), ratios, 0.95, MARGIN, 0).parity
    assert found.at == pytest.approx(100)
    assert (found.low, found.high) == pytest.approx((10, 1000))

"""An estimate lies between the two sizes where the sign changes, on random curves."""

import numpy as np
import pytest

from crossover.crossing.answer import point_answer
from crossover.crossing.locate import crossing, locate, sign_changes

MARGIN = 0.02
LEAST = 0.03
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
        found = locate(sizes, noisy(curve, rng, 0.002), 0.95, MARGIN, seed)
        assert found.outcome == "found"
        assert below <= found.low <= found.at <= found.high <= above, seed
        assert found.low < found.high


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
        found = locate(
            sizes, noisy(curve, rng, rng.choice([0.05, 0.2]), rounds), 0.95, 0.0, seed
        )
        if found.outcome != "found":
            assert found.at is None
            continue
        seen += 1
        signs = np.array(found.signs)
        assert 0 < found.at < np.inf
        assert (signs[sizes < found.at] <= 0).all()
        assert (signs[sizes > found.at] >= 0).all()
        assert (found.low or 0.0) <= found.at <= (found.high or np.inf)
    assert seen > 50


def test_a_size_that_is_decided_outweighs_the_median_of_its_neighbour():
    """The noisy third size pulls the second one's fit below zero."""
    steady, wild = np.linspace(-0.01, 0.01, 8), np.linspace(-2.0, 1.0, 8)
    ratios = [steady - 1, steady + 0.05, wild, steady + 1]
    found = locate(np.array([1.0, 10.0, 100.0, 1000.0]), ratios, 0.95, MARGIN, 0)
    assert found.signs == (-1, 1, 0, 1)
    assert 1 < found.at < 10


def test_a_listed_crossing_is_between_its_two_sizes_whatever_the_medians():
    logs = np.log([1.0, 10.0, 100.0])
    for middle in (-0.6, -0.5, -0.01, 0.0, 0.3):
        first, second = sign_changes(
            logs, np.array([-0.5, middle, -1.0]), [-1, 1, -1], MARGIN
        )
        assert 1 < first < 10 < second < 100


def test_rounds_all_alike_give_the_bracket_not_an_interval_of_no_width():
    ratios = [np.full(8, lead) for lead in (-1.0, 1.0)]
    found = locate(np.array([10.0, 1000.0]), ratios, 0.95, MARGIN, 0)
    assert found.at == pytest.approx(100)
    assert (found.low, found.high) == pytest.approx((10, 1000))

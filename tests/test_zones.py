"""The zone of each size, the boundaries between them and the outcome, known exactly."""

import numpy as np
import pytest

from crossover.crossing.boundaries import NOWHERE, boundaries
from crossover.crossing.decide import lower_limit, p_ahead, walsh_averages
from crossover.crossing.rounding import Hidden
from crossover.crossing.zones import Margins, changes, prepared, size_weights, zones
from crossover.selftest.simulate import SIZES as DOUBLING
from crossover.selftest.simulate import cost_curve

SIZES = np.exp2(np.arange(6, 14, dtype=np.float64))
LEAD = np.log1p(0.05)
KINDS = {
    "+": ("ahead", 0.5, 0.01),
    "-": ("behind", -0.5, 0.01),
    "=": ("equal", 0.0, 0.01),
    "n": ("not_ahead", -0.05, 0.07),
    "b": ("not_behind", 0.05, 0.07),
    "?": ("undecided", 0.0, 1.0),
}
"""Per letter: the zone of a size, the middle of its ratios, and how far they reach."""


def around(levels, reach=0.01, rounds=16, seed=0):
    rng = np.random.default_rng(seed)
    reaches = np.broadcast_to(reach, len(levels))
    return [
        level + rng.permutation(np.linspace(-far, far, rounds))
        for level, far in zip(levels, reaches, strict=True)
    ]


def drawn(letters):
    """Return the ratios of one size for each letter."""
    _, levels, reaches = zip(*(KINDS[letter] for letter in letters), strict=True)
    return around(levels, reaches)


def find(ratios, sizes=SIZES, **more):
    how = {"confidence": 0.95, "margin": 0.05, "seed": 0, **more}
    return boundaries(sizes[: len(ratios)], ratios, **how)


def names(found):
    return [zone.name for zone in found.zones]


def ends(boundary):
    return boundary.low or 0.0, boundary.high or np.inf


@pytest.mark.parametrize("rounds", [5, 8, 16, 32, 60])
def test_the_limit_is_where_the_test_turns(rounds):
    rng = np.random.default_rng(rounds)
    for level in (0.1, 0.025, 1e-3, 1e-6):
        values = rng.normal(0.03, 0.1, rounds)
        averages = walsh_averages(values)
        limit = lower_limit(values, averages, level)
        assert p_ahead(values, averages, limit - 1e-9) <= level
        assert p_ahead(values, averages, limit + 1e-9) > level


def test_rounds_all_alike_have_no_spread_to_doubt():
    values = np.full(8, 0.2)
    assert lower_limit(values, walsh_averages(values), 1e-6) == pytest.approx(0.2)


@pytest.mark.parametrize("letter", KINDS)
def test_a_size_is_in_its_zone_whatever_the_largest_is(letter):
    for largest in KINDS:
        found = find(drawn([letter, "=", largest]))
        assert names(found)[0] == KINDS[letter][0]
        assert names(found)[2] == KINDS[largest][0]


def test_a_tie_is_closer_than_a_lead_by_what_the_resolution_hides():
    ratios = around([0.043, 0.5], 0.001)
    assert names(find(ratios))[0] == "equal"
    assert names(find(ratios, resolution=0.01))[0] == "not_behind"
    assert Margins.of(0.05, 0.01).tie == pytest.approx(np.log(1.05 / 1.01))


def test_half_of_the_error_is_the_largest_sizes():
    assert size_weights(1).tolist() == [1.0]
    assert size_weights(5).tolist() == [0.125] * 4 + [0.5]


def test_a_size_that_is_decided_hands_its_share_on():
    """One round of eight against: p = 2 / 256, too much for a tenth of 2.5 %."""
    close = np.array([0.1] * 7 + [0.04])
    margins, nothing = Margins.of(0.05, 0.0), Hidden.nothing(6)
    for others, name in (("+++++", "ahead"), ("?????", "not_behind")):
        rounds = prepared([close, *drawn(others)], nothing)
        assert zones(rounds, margins, 0.05)[0].name == name


def test_the_error_is_shared_by_looks_and_pairs():
    close = [np.array([0.1] * 7 + [0.04])]
    assert names(find(close)) == ["ahead"]
    assert names(find(close, looks=4)) == ["not_behind"]
    assert names(find(close, pairs=4)) == ["not_behind"]


def test_what_rounding_hides_is_not_shown():
    ratios, veil = around([0.07, 0.0, 0.5]), Hidden.nothing(3)
    assert names(find(ratios, hidden=veil)) == ["ahead", "equal", "ahead"]
    veil.lower[0], veil.higher[1] = 0.03, 0.05
    assert names(find(ratios, hidden=veil)) == ["not_behind", "not_behind", "ahead"]


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [
        ("++++", "always"),
        ("+?b+", "always"),
        ("--++", "found"),
        ("==++", "found"),
        ("--==++", "found"),
        ("nb?+", "found"),
        ("?-++", "found"),
        ("----", "never"),
        ("====", "never"),
        ("--==", "never"),
        ("==--", "never"),
        ("=-=n", "never"),
        ("????", "inconclusive"),
        ("--+?", "inconclusive"),
        ("-==b", "inconclusive"),
        ("--??", "inconclusive"),
        ("+=++", "not_monotone"),
        ("-+n+", "not_monotone"),
        ("-++-", "not_monotone"),
        ("-+=?", "not_monotone"),
        ("=--+", "not_monotone"),
        ("b-?+", "not_monotone"),
    ],
)
def test_outcomes(letters, outcome):
    found = find(drawn(letters))
    assert names(found) == [KINDS[letter][0] for letter in letters]
    assert found.outcome == outcome
    assert (found.ahead_from.at is not None) == (outcome == "found")
    assert bool(found.crossings) == (outcome == "not_monotone")
    assert (found.worst_regret is not None) <= (outcome == "found")
    if outcome in ("always", "never", "not_monotone"):
        assert (found.ahead_from, found.parity) == (NOWHERE, NOWHERE)


def test_a_lead_that_begins_below_the_sizes_is_not_found():
    found = find(around([0.1, 0.2, 0.5], [0.5, 0.01, 0.01]))
    assert names(found)[0] == "undecided"
    assert found.outcome == "inconclusive"
    assert (found.ahead_from.at, found.ahead_from.low) == (None, None)
    assert SIZES[0] < found.ahead_from.high <= SIZES[1]


def test_a_tie_between_lag_and_lead_has_both_ends():
    found = find(drawn("--===+++"))
    assert found.behind_until.bracket == (128, 256)
    assert found.ahead_from.bracket == (1024, 2048)
    assert 128 < found.behind_until.at < 256
    assert 1024 < found.ahead_from.at < 2048
    assert found.behind_until.at < found.parity.at < found.ahead_from.at


def test_the_worst_regret_is_the_largest_bound_where_the_choice_is_open():
    sizes = np.geomspace(64, 64 * 1.09**7, 8)
    found = find(around([-0.5, -0.2, -0.03, 0.0, 0.02, 0.2, 0.5, 0.6]), sizes)
    assert sizes[1] < found.behind_until.low
    assert found.ahead_from.high < sizes[5]
    assert np.expm1(0.03) < found.worst_regret < np.expm1(0.04)
    steep = find(around([-0.5, -0.4, -0.3, -0.2, 0.2, 0.3, 0.4, 0.5]), sizes)
    assert steep.worst_regret is None


def test_nothing_is_behind_where_no_size_is_shown_behind():
    assert find(drawn("==++")).behind_until == NOWHERE
    assert find(drawn("----")).behind_until == NOWHERE
    assert find(drawn("==--")).behind_until == NOWHERE
    assert 128 < find(drawn("--==")).behind_until.at < 256
    open_end = find(drawn("--??")).behind_until
    assert open_end.at is None
    assert 0 < ends(open_end)[0] < 256


def test_every_change_is_listed():
    found = find(drawn("-+-+"))
    assert len(found.crossings) == 3
    assert (SIZES[:3] < found.crossings).all()
    assert (found.crossings < SIZES[1:4]).all()
    lost = find(around([0.5, 0.0, -0.5])).crossings
    assert len(lost) == 2
    share = (0.5 - LEAD) / 0.5
    assert lost[0] == pytest.approx(64 * 2**share, rel=0.01)


@pytest.mark.parametrize(
    ("letters", "listed"),
    [
        ("--++", [(1, 2, -1, 1)]),
        ("-=+=", [(0, 1, -1, 0), (1, 2, 0, 1), (2, 3, 1, 0)]),
        ("+?n-", [(0, 2, 1, 0)]),
        ("+b=-", [(0, 2, 1, 0), (2, 3, 0, -1)]),
        ("?bn=", []),
    ],
)
def test_changes_are_as_few_as_the_zones_allow(letters, listed):
    assert changes(list(find(drawn(letters)).zones)) == listed


def test_too_few_rounds_are_left_out():
    ratios = drawn("--++")
    ratios[1] = ratios[1][:4]
    found = find(ratios)
    assert names(found) == ["behind", "undecided", "ahead", "ahead"]
    assert found.ahead_from.bracket == (64, 256)
    assert find([np.empty(0)] * 2).outcome == "inconclusive"
    assert [find(drawn(one)).outcome for one in "+-=?"] == [
        "always",
        "never",
        "never",
        "inconclusive",
    ]


def test_the_boundaries_of_random_curves_are_in_order_and_in_their_brackets():
    seen = 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 4])
        sizes = np.exp(np.cumsum(rng.uniform(0.1, 1.5, rng.integers(2, 13))))
        rises = rng.choice([0.0, 0.01, 0.1, 0.5], len(sizes)) * rng.random(len(sizes))
        curve = np.cumsum(rises) - rng.uniform(0, 0.5)
        noise = rng.choice([0.01, 0.05, 0.2])
        found = find(
            list(curve[:, None] + rng.normal(0, noise, (len(sizes), 12))), sizes
        )
        passed = [found.behind_until, found.parity, found.ahead_from]
        for one in passed:
            low, high = ends(one)
            if one.at is not None:
                assert low <= one.at <= high
                assert one.bracket[0] <= one.at <= one.bracket[1]
        ats = [one.at for one in passed if one.at is not None]
        assert ats == sorted(ats)
        if found.outcome != "found":
            continue
        seen += 1
        at = found.ahead_from.at
        zoned = list(zip(sizes, found.zones, strict=True))
        assert all(size >= at for size, zone in zoned if zone.name == "ahead")
        assert all(size <= at for size, zone in zoned if zone.is_not_ahead)
    assert seen > 30


def test_a_step_in_a_gap_may_be_anywhere_in_it():
    found = find(around([-0.01] * 4 + [0.3] * 4)).ahead_from
    assert found.is_coarse
    assert (found.low, found.high) == found.bracket == (512, 1024)
    sizes = np.geomspace(64, 64 * 1.5**7, 8)
    fine = find(around([-0.01] * 4 + [0.3] * 4), sizes).ahead_from
    assert not fine.is_coarse
    assert (fine.low, fine.high) == fine.bracket
    near = np.geomspace(64, 64 * 1.09**7, 8)
    found = find(around([-0.01] * 4 + [0.3] * 4), near).ahead_from
    assert found.high / found.low < 1.05


def test_a_smooth_curve_is_interpolated_on_a_coarse_grid():
    found = find(around(cost_curve(2000.0, 10.0)), DOUBLING).ahead_from
    assert found.is_coarse
    assert found.high / found.low < 1.1


def test_a_very_wide_gap_is_taken_whole_and_so_is_one_at_the_end_of_the_grid():
    wide = np.exp2(np.arange(4, 20, 2.0))
    found = find(around(cost_curve(2000.0, 10.0, wide)), wide).ahead_from
    assert (found.low, found.high) == found.bracket == (1024, 4096)
    for sizes in (DOUBLING[4:], DOUBLING[:6]):
        found = find(around(cost_curve(1400.0, 10.0, sizes)), sizes).ahead_from
        assert (found.low, found.high) == found.bracket == (1024, 2048)


def test_the_same_seed_gives_the_same_boundaries():
    ratios = around(cost_curve(2000.0, 2.0), 0.1)
    first, again, other = (find(ratios, DOUBLING, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert other.ahead_from.at == first.ahead_from.at
    assert other.ahead_from.low == pytest.approx(first.ahead_from.low, rel=0.03)

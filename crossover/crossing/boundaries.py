"""Where one zone ends and the next begins along the sizes, and what that means.

In: one pair's paired log-ratios per size. Out: its zones, its outcome, and the sizes
from which on the challenger is ahead, up to which it is behind, and where both are
level, each with an interval. docs/statistics.md says why they are as they are.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from crossover.crossing.decide import FEWEST_ROUNDS, Array, median
from crossover.crossing.interval import (
    COARSE,
    LEAST_LEAD,
    Interval,
    Ratios,
    locate_zero,
    resampled_fits,
)
from crossover.crossing.locate import as_size, point_zero
from crossover.crossing.rounding import Hidden
from crossover.crossing.zones import (
    Margins,
    Rounds,
    Zone,
    changes,
    classify,
    falls_behind,
    prepared,
    size_weights,
    zone_between,
    zones,
)
from crossover.findings import AHEAD, BEHIND


@dataclass(frozen=True)
class Boundary:
    """A size where the log-ratio passes a level; an open or unknown end is None."""

    at: float | None = None
    low: float | None = None
    high: float | None = None
    slope: float | None = None
    """Change of the log-ratio per log(size), at the boundary."""
    bracket: tuple[float, float] | None = None
    """The two measured sizes between which the sign changes."""

    @property
    def is_coarse(self) -> bool:
        """Whether the sizes around it are too far apart to interpolate between."""
        return self.bracket is not None and (
            self.bracket[1] / self.bracket[0] > COARSE * (1 + 1e-9)
        )


NOWHERE = Boundary()
Flags = NDArray[np.bool_]
Passes = Callable[[list[int], float, float], Interval]
"""Signs of the sizes, the least lead of one that is decided, level -> where the curve
passes the level."""


@dataclass(frozen=True)
class Answered:
    """A pair's zones over the sizes, and the boundaries between them."""

    outcome: str
    zones: tuple[Zone, ...]
    """Per size; a size with too few rounds is undecided, without limits."""
    ahead_from: Boundary = NOWHERE
    """Where the lead reaches the margin: the headline."""
    behind_until: Boundary = NOWHERE
    """Where the challenger stops being behind by the margin."""
    parity: Boundary = NOWHERE
    """Where both take the same time."""
    crossings: tuple[float, ...] = ()
    """Every change of zone, if there are more than an outcome can name."""
    worst_regret: float | None = None
    """Share that the wrong choice costs at most, where it is not clear which is right:
    at the sizes from the low end of `behind_until` to the high end of `ahead_from`."""


def boundaries(
    sizes: Array,
    ratios: Ratios,
    confidence: float,
    margin: float,
    seed: int,
    looks: int = 1,
    pairs: int = 1,
    resolution: float = 0.0,
    hidden: Hidden | None = None,
) -> Answered:
    """Find the zones of a pair over the sizes, and the boundaries between them.

    An estimate lies between the two sizes between which the curve passes its level.

    Args:
        sizes: increasing.
        ratios: per size, one log-ratio a round; the number of rounds may differ, and
            sizes with fewer than `FEWEST_ROUNDS` are left out.
        confidence: of each interval; also of all claims about the sizes together.
        margin: share by which a contender must be faster to be ahead.
        seed: of the bootstrap.
        looks: how often the plan may look at the results; see `looks_up_to`.
        pairs: how many pairs the sweep compares.
        resolution: share by which a contender may be lucky or unlucky for as long as
            its process lives, which no number of rounds shows.
        hidden: what rounding hides of the ratios, per size; nothing by default.
    """
    used = [i for i, r in enumerate(ratios) if len(r) >= FEWEST_ROUNDS]
    if not used:
        return Answered("inconclusive", (Zone(),) * len(ratios))
    measured, kept = np.asarray(sizes, float)[used], [ratios[i] for i in used]
    veil = (Hidden.nothing(len(ratios)) if hidden is None else hidden).at(used)
    margins, alpha = Margins.of(margin, resolution), (1 - confidence) / (looks * pairs)
    rounds = prepared(kept, veil)
    found = zones(rounds, margins, alpha)
    medians = np.array([median(r) for r in kept])
    every = [Zone()] * len(ratios)
    for i, zone in zip(used, found, strict=True):
        every[i] = zone

    def passing() -> Passes:
        edge = float(np.log1p(resolution))
        fits = resampled_fits(np.log(measured), kept, veil, edge, seed)
        return partial(locate_zero, fits, confidence)

    told = _answered(measured, found, medians, every, margins, passing)
    if told.outcome != "found":
        return told
    reach = told.behind_until.low or measured[0], told.ahead_from.high or measured[-1]
    regret = worst_regret(measured, rounds, alpha, reach)
    return dataclasses.replace(told, worst_regret=regret)


def point_boundaries(
    sizes: Array, ratios: Array, margin: float, hidden: Hidden
) -> Answered:
    """Find zones and boundaries of one log-ratio a size, each taken as it reads.

    Args:
        sizes: increasing.
        ratios: per size.
        margin: share by which a contender must be faster to be ahead.
        hidden: what rounding hides of the ratios.
    """
    margins = Margins.of(margin, 0.0)
    ends = zip(ratios - hidden.lower, ratios + hidden.higher, strict=True)
    found = [zone_between(low, high, margins) for low, high in ends]
    passes = partial(point_zero, sizes, ratios)
    return _answered(sizes, found, ratios, found, margins, lambda: passes)


def _answered(
    sizes: Array,
    found: list[Zone],
    medians: Array,
    every: list[Zone],
    margins: Margins,
    passing: Callable[[], Passes],
) -> Answered:
    """Return what the zones say, with the boundaries between them.

    Args:
        sizes: that are measured, increasing.
        found: their zones.
        medians: their log-ratios.
        every: the zones of all sizes, measured or not.
        margins: how large a lead counts.
        passing: returns where the curve passes a level; only asked if that may matter.
    """
    outcome = classify(found, is_inside=True)  # as if the lead began between the sizes
    told = Answered(outcome, tuple(every))
    if outcome == "not_monotone":
        listed = crossings(np.log(sizes), medians, found, margins)
        return dataclasses.replace(told, crossings=listed)
    if outcome == "always" or len(sizes) < 2:
        return told
    ahead, parity, behind = _located(found, margins, passing())
    until = _boundary(behind, sizes, _is_passed(found)) if behind else NOWHERE
    if outcome == "never":
        return dataclasses.replace(told, behind_until=until)
    outcome = classify(found, is_inside=bool(np.isfinite(ahead.at)))
    is_found = outcome == "found"
    return dataclasses.replace(
        told,
        outcome=outcome,
        ahead_from=_boundary(ahead, sizes, is_found),
        behind_until=until,
        parity=_boundary(parity, sizes, is_found),
    )


def _located(
    found: list[Zone], margins: Margins, passes: Passes
) -> tuple[Interval, Interval, Interval | None]:
    """Return where the curve passes a lead, zero, and a lag; the last None if nowhere.

    In this order down the sizes, whatever the curve does between them.
    """
    is_ahead = np.array([zone.name == AHEAD for zone in found])
    is_behind = np.array([zone.name == BEHIND for zone in found])
    is_not_ahead = np.array([zone.is_not_ahead for zone in found])
    is_not_behind = np.array([zone.is_not_behind for zone in found])

    def passed(above: Flags, below: Flags, level: float, least: float) -> Interval:
        signs = [int(a) - int(b) for a, b in zip(above, below, strict=True)]
        return passes(signs, float(np.expm1(least)), level)

    ahead = passed(is_ahead, is_not_ahead, margins.lead, 0.0)
    parity = _before(passed(is_ahead, is_behind, 0.0, margins.lead), ahead)
    if not is_behind.any() or is_behind[-1] or falls_behind(found):
        return ahead, parity, None
    behind = passed(is_not_behind, is_behind, -margins.lead, 0.0)
    return ahead, parity, _before(behind, parity)


def _before(one: Interval, other: Interval) -> Interval:
    """Return a boundary moved down to the next one where it lies beyond."""
    return dataclasses.replace(
        one,
        at=min(one.at, other.at),
        low=min(one.low, other.low),
        high=min(one.high, other.high),
    )


def _is_passed(found: list[Zone]) -> bool:
    """Tell whether the sizes shown behind are followed by one shown not behind."""
    last = max((i for i, z in enumerate(found) if z.name == BEHIND), default=-1)
    return any(zone.is_not_behind for zone in found[last + 1 :])


def _boundary(found: Interval, sizes: Array, is_shown: bool) -> Boundary:
    """Return a boundary in sizes; what lies beyond them is None.

    Args:
        found: in log(size).
        sizes: that are measured.
        is_shown: whether there is a boundary; else it has no more than ends.
    """
    ends = found.at, found.low, found.high
    at, low, high = (as_size(x, sizes) if np.isfinite(x) else None for x in ends)
    if at is None or not is_shown:
        return Boundary(None, low, high)
    bracket = float(sizes[found.above - 1]), float(sizes[found.above])
    return Boundary(at, low, high, found.slope, bracket)


def worst_regret(
    sizes: Array, rounds: list[Rounds], alpha: float, reach: tuple[float, float]
) -> float | None:
    """Return the largest share that the wrong choice may cost at the sizes in reach.

    The limits of all sizes hold together, each at its own share of the error. None
    where no size is in reach.
    """
    limits = [
        max(np.abs(each.limits(alpha * weight)))
        for size, each, weight in zip(
            sizes, rounds, size_weights(len(rounds)), strict=True
        )
        if reach[0] <= size <= reach[1]
    ]
    return float(np.expm1(max(limits))) if limits else None


def crossings(
    logs: Array, medians: Array, found: list[Zone], margins: Margins
) -> tuple[float, ...]:
    """List every change of zone, each interpolated between its two sizes.

    Args:
        logs: log(size), increasing.
        medians: log-ratio per size.
        found: per size.
        margins: the levels between the zones.
    """
    listed = []
    for i, j, before, after in changes(found):
        level = margins.lead * (before + after) if abs(before - after) == 1 else 0.0
        side = 1 if after > before else -1
        # a median can contradict the ranks that decided: the decision counts
        less = max(side * (level - medians[i]), LEAST_LEAD)
        more = max(side * (medians[j] - level), LEAST_LEAD)
        listed.append(
            float(np.exp(logs[i] + less / (less + more) * (logs[j] - logs[i])))
        )
    return tuple(listed)

"""What is settled where a contender ran into the time limit: a sign, never a position.

In: the answer of the measured sizes, and rounds against bounds at the others. Out: the
answer with what these settle. `analysis.pair` calls it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from crossover.crossing.answer import Settings, unlocated
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.rounding import Hidden
from crossover.crossing.zones import (
    NOT_AHEAD,
    NOT_BEHIND,
    Margins,
    Zone,
    classify,
    prepared,
    zone_between,
    zones,
)
from crossover.findings import AHEAD, BEHIND, Answer, SizeZone

Times = tuple[Array, Array]
"""Seconds of the baseline and of the challenger, round by round."""


def settled(
    found: Answer,
    sizes: Array,
    measured: Sequence[Times],
    bounds: Sequence[Times],
    settings: Settings,
) -> Answer:
    """Return an answer with what bounds settle: who is ahead where one timed out.

    They never place a crossing. One that lies next to a bound has no position, and an
    interval that is open on that side.

    Args:
        found: the answer of the measured sizes alone.
        sizes: all sizes, increasing.
        measured: the shared rounds at each size.
        bounds: at each size, rounds against a bound, or nothing.
        settings: how sure the answer must be.
    """
    is_bound = [not len(one) for one, _ in measured]
    shown = _zones(measured, bounds, settings)
    return _with_bounds(found, sizes, shown, is_bound, settings.confidence)


def point_settled(
    found: Answer,
    sizes: Array,
    ratios: Sequence[tuple[float, float] | None],
    margin: float,
) -> Answer:
    """Return an answer of one time a size with what bounds settle; see `settled`.

    Args:
        found: the answer of the measured sizes alone.
        sizes: all sizes, increasing.
        ratios: the ends of the log-ratio where one time is a bound; None elsewhere.
        margin: share by which a contender must be faster to be ahead.
    """
    named = {zone.size: Zone(zone.name) for zone in found.zones}
    margins = Margins.of(margin, 0.0)
    shown = {
        i: named.get(float(size), Zone())
        if ends is None
        else zone_between(*ends, margins)
        for i, (size, ends) in enumerate(zip(sizes, ratios, strict=True))
    }
    return _with_bounds(found, sizes, shown, [r is not None for r in ratios], None)


def _with_bounds(
    found: Answer,
    sizes: Array,
    shown: dict[int, Zone],
    is_bound: Sequence[bool],
    confidence: float | None,
) -> Answer:
    """Return an answer with the zones of sizes that have only a bound."""
    told = [i for i, zone in shown.items() if is_bound[i] and zone != Zone()]
    if not told:
        return found
    added = (SizeZone(float(sizes[i]), shown[i].name) for i in told)
    every = tuple(sorted((*found.zones, *added), key=lambda zone: zone.size))
    outcome = classify(list(shown.values()), is_inside=True)
    if found.outcome == "found" and outcome in ("found", "inconclusive"):
        return dataclasses.replace(found, zones=every)
    low, high = None, None
    if outcome == "found":
        outcome = "inconclusive"
        ahead = min(i for i, zone in shown.items() if zone.name == AHEAD)
        below = (i for i, z in shown.items() if z.is_not_ahead and i < ahead)
        behind = max(below, default=ahead)
        high = None if is_bound[ahead] else float(sizes[ahead])
        low = None if is_bound[behind] or behind == ahead else float(sizes[behind])
    elif outcome == found.outcome == "inconclusive":
        low, high = found.low, found.high
    ends = {"low": low, "high": high, "confidence": confidence}
    return unlocated(found, outcome=outcome, zones=every, **ends)


def _zones(
    measured: Sequence[Times], bounds: Sequence[Times], settings: Settings
) -> dict[int, Zone]:
    """Return the zones by the rounds, or by the bounds, of the sizes that have any.

    A size has its place among all of them. A bound shows that who timed out is not
    ahead, or is behind, and nothing else.
    """
    both = [m if len(m[0]) else b for m, b in zip(measured, bounds, strict=True)]
    used = [i for i, (one, _) in enumerate(both) if len(one) >= FEWEST_ROUNDS]
    s = settings
    ratios = [np.log(both[i][0] / both[i][1]) for i in used]
    found = zones(
        prepared(ratios, Hidden.nothing(len(used))),
        Margins.of(s.margin, s.resolution),
        (1 - s.confidence) / (s.looks * s.pairs),
    )
    return {
        i: zone if len(measured[i][0]) else _of_bound(zone, values)
        for i, zone, values in zip(used, found, ratios, strict=True)
    }


def _of_bound(zone: Zone, ratios: Array) -> Zone:
    """Return what a zone shows where its log-ratios are bounds of the true ones.

    They are positive where the baseline timed out, and else negative.
    """
    if ratios.min() > 0 and zone.is_not_behind:
        return Zone(AHEAD if zone.name == AHEAD else NOT_BEHIND)
    if ratios.max() < 0 and zone.is_not_ahead:
        return Zone(BEHIND if zone.name == BEHIND else NOT_AHEAD)
    return Zone()

"""Where a case lies among measured ones, and what that says of its time.

Along a line of cases it is interpolated by a monotone cubic, between scattered cases
linearly in simplices; all over the logarithms of sizes and times. `group.py` calls it.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spot:
    """Where a case lies among measured ones: their numbers, and each one's weight."""

    part: Part | None
    """Between which cases it lies; None for a case that was measured."""
    points: tuple[int, ...]
    weights: tuple[float, ...]
    gap: float = 0.0
    """How far these lie apart, as the logarithm of a size's ratio."""

    @property
    def beyond(self) -> float:
        """How far it lies outside of the cases; 0 inside."""
        return -sum(w for w in self.weights if w < 0)


class Part:
    """Measured cases that differ in one to three sizes, to interpolate between.

    Args:
        data: the sizes that are free, the cases' numbers, and per contender what is
            known of the curve at each of them.
        points: all measured cases.
    """

    def __init__(self, data: dict[str, Any], points: list[list[Any]]) -> None:
        self.free: tuple[int, ...] = tuple(data["free"])
        self.points: list[int] = data["points"]
        first = points[self.points[0]]
        fixed = tuple(v for i, v in enumerate(first) if i not in self.free)
        self.key = self.free, fixed
        self.slopes: dict[str, list[float]] = data["slopes"]
        self.errors: dict[str, list[float | None]] = data["errors"]
        self.corners: list[list[int]] = data["corners"]
        self.forms: list[list[list[float]]] = data["forms"]
        self.beside: list[list[int]] = data["beside"]
        self.places = {point: i for i, point in enumerate(self.points)}
        self.logs = [[math.log(points[p][i]) for i in self.free] for p in self.points]
        self.line = [row[0] for row in self.logs]
        self.looked = 0

    def spot(self, logs: list[float]) -> Spot:
        """Return where a case lies, with a negative weight if it lies outside.

        Args:
            logs: the logarithms of all sizes.
        """
        at = [logs[i] for i in self.free]
        if len(at) == 1:
            self.looked = 1
            upper = bisect.bisect_left(self.line, at[0])
            i = min(max(upper, 1), len(self.line) - 1)
            gap = self.line[i] - self.line[i - 1]
            share = (at[0] - self.line[i - 1]) / gap
            ends = self.points[i - 1], self.points[i]
            return Spot(self, ends, (1 - share, share), gap)
        here, weights = self._found(at)
        corners = tuple(self.points[c] for c in self.corners[here])
        columns = zip(*(self.logs[c] for c in self.corners[here]), strict=True)
        gap = max(max(column) - min(column) for column in columns)
        return Spot(self, corners, tuple(weights), gap)

    def _found(self, at: list[float]) -> tuple[int, list[float]]:
        """Return the simplex that holds a place, or the nearest one, with its weights.

        It walks from one to the next, over the side that the place lies behind.
        """
        here, seen = 0, {0}
        while True:
            weights = [
                f[0] + sum(g * x for g, x in zip(f[1:], at, strict=True))
                for f in self.forms[here]
            ]
            self.looked = len(seen)
            order = sorted(range(len(weights)), key=weights.__getitem__)
            ways = [self.beside[here][side] for side in order if weights[side] < -1e-9]
            onward = [n for n in ways if n >= 0 and n not in seen]
            if not onward:
                kept = [max(w, 0.0) if w > -1e-9 else w for w in weights]
                return here, kept
            here = onward[0]
            seen.add(here)

    def log_s(self, who: str, spot: Spot, ends: list[float]) -> float:
        """Return the logarithm of a time, of those at the spot's cases.

        Along a line it is a monotone cubic (Fritsch & Carlson 1980), else linear.
        """
        if len(self.free) > 1 or spot.beyond:
            return sum(w * y for w, y in zip(spot.weights, ends, strict=True))
        first, last = (self.places[p] for p in spot.points)
        start, stop = self.slopes[who][first], self.slopes[who][last]
        t, h = spot.weights[1], spot.gap
        bend = (1 - t) * start * h - t * stop * h + (2 * t - 1) * (ends[1] - ends[0])
        return ends[0] + t * (ends[1] - ends[0]) + t * (1 - t) * bend


def between(
    middle: float,
    spot: Spot,
    ends: list[tuple[float, float] | None],
    errors: list[float | None],
    values: list[float],
) -> tuple[float, float | None, float | None]:
    """Return an estimate with its interval: the measured ones', and what none knows.

    Between cases the curve may bend as much as it bends at those: by what the curve
    without one of them misses it. Where that is unknown it may be anywhere between
    them; beyond them its slope may be anything from none to twice as much.

    Args:
        middle: the estimate.
        spot: where it lies.
        ends: how far each case's interval reaches below and above its value.
        errors: by how much the curve without each case misses it, if that is known.
        values: those of the cases.
    """
    known = [abs(e) for e in errors if e is not None]
    below = above = 0.0
    for weight, end in zip(spot.weights, ends, strict=True):
        if end is None:
            return middle, None, None
        below, above = below + abs(weight) * end[0], above + abs(weight) * end[1]
    least, most = min(values), max(values)
    if len(values) == 1:
        less = more = 0.0
    elif spot.beyond:
        less = more = spot.beyond * (most - least) + max(known, default=0.0)
    elif known:
        share = (1 - sum(w * w for w in spot.weights)) / (1 - 1 / len(values))
        less = more = share * max(known)
    else:
        less, more = max(middle - least, 0.0), max(most - middle, 0.0)
    return middle, middle - below - less, middle + above + more


def is_nearer(spot: Spot, known: Spot) -> bool:
    """Tell whether a case lies nearer to one spot's cases than to another's."""
    if known.part is None or bool(spot.beyond) != bool(known.beyond):
        return known.part is not None and not spot.beyond
    return (spot.beyond, spot.gap) < (known.beyond, known.gap)

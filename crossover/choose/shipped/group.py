"""The times of contenders at one combination of settings, compared for a case."""

from __future__ import annotations

import math
from typing import Any

from crossover.choose.shipped.place import Part, Spot, between, is_nearer


class Group:
    """What was measured at one combination of settings.

    Args:
        data: the cases, each contender's times, their ratios, and the parts.
        axes: the names of the sizes.
    """

    def __init__(self, data: dict[str, Any], axes: list[str]) -> None:
        self.axes, self.points = axes, data["points"]
        self.settings: dict[str, Any] = data["settings"]
        columns = zip(*self.points, strict=True)
        self.values = [sorted(set(column)) for column in columns]
        self.place = {tuple(point): i for i, point in enumerate(self.points)}
        self.times = {
            who: {p: [_log(v) for v in times] for p, *times, _ in rows}
            for who, rows in data["times"].items()
        }
        self.doubts = {
            (who, p): doubts
            for who, rows in data["times"].items()
            for p, _, _, _, doubts in rows
        }
        self.ratios = {(p, a, b): rest for p, a, b, *rest in data["ratios"]}
        self.parts: dict[tuple[Any, ...], list[tuple[Part, list[str]]]] = {}
        for row in data["parts"]:
            part = Part(row, self.points)
            self.parts.setdefault(part.key, []).append((part, row["of"]))
        self.frees = sorted({key[0] for key in self.parts}, key=lambda f: (len(f), f))
        self.looked = 0

    def spots(self, at: list[Any]) -> dict[str, Spot]:
        """Return where a case lies for each contender, among as few cases as can be.

        Some may lie beyond what was measured of a contender.

        Args:
            at: the sizes.
        """
        found: dict[str, Spot] = {}
        here = self.place.get(tuple(at))
        if here is not None:
            exact = Spot(None, (here,), (1.0,))
            found = {who: exact for who, times in self.times.items() if here in times}
        logs = [_log(v) if is_number(v) and v > 0 else math.nan for v in at]
        self.looked = 1
        for free in self.frees:
            if any(math.isnan(logs[i]) for i in free):
                continue
            fixed = tuple(v for i, v in enumerate(at) if i not in free)
            for part, of in self.parts.get((free, fixed), ()):
                spot = part.spot(logs)
                self.looked += part.looked
                for who in of:
                    if who not in found or is_nearer(spot, found[who]):
                        found[who] = spot
        return found

    def log_s(self, who: str, spot: Spot) -> float:
        """Return the logarithm of a contender's time."""
        ends = [self.times[who][p][0] for p in spot.points]
        return ends[0] if spot.part is None else spot.part.log_s(who, spot, ends)

    def time(self, who: str, spot: Spot) -> tuple[float, float | None, float | None]:
        """Return the logarithms of a contender's time and of its interval's ends."""
        rows = [self.times[who][p] for p in spot.points]
        middle = self.log_s(who, spot)
        ends = [None if None in row else (row[0] - row[1], row[2] - row[0])
                for row in rows]  # fmt: skip
        errors = [self._error(who, spot, p) for p in spot.points]
        return between(middle, spot, ends, errors, [row[0] for row in rows])

    def ahead(
        self, one: str, other: str, spots: dict[str, Spot]
    ) -> tuple[float, float | None, float | None]:
        """Return log(time of the other / time of the one) with its interval's ends.

        Where both were measured in the same rounds, what these share counts for none.
        """
        a, b = spots[one], spots[other]
        if a.points != b.points:
            mine, its = self.time(one, a), self.time(other, b)
            lead = its[0] - mine[0]
            if mine[1] is None or mine[2] is None or its[1] is None or its[2] is None:
                return lead, None, None
            below = math.hypot(its[0] - its[1], mine[2] - mine[0])
            above = math.hypot(its[2] - its[0], mine[0] - mine[1])
            return lead, lead - below, lead + above
        rows = [self._ratio(p, one, other) for p in a.points]
        lead = sum(w * row[0] for w, row in zip(a.weights, rows, strict=True))
        ends = [None if None in row else (row[0] - row[1], row[2] - row[0])
                for row in rows]  # fmt: skip
        errors = [_less(self._error(other, b, p), self._error(one, a, p))
                  for p in a.points]  # fmt: skip
        return between(lead, a, ends, errors, [row[0] for row in rows])

    def shown(self, one: str, other: str, spot: Spot) -> str:
        """Return what is shown of two contenders at all cases around: `ahead`."""
        said = {self._ratio(p, one, other)[3] for p in spot.points}
        return said.pop() if len(said) == 1 else ""

    def _error(self, who: str, spot: Spot, point: int) -> float | None:
        """Return by how much the curve without a case misses it; None if unknown."""
        part = spot.part
        return None if part is None else part.errors[who][part.places[point]]

    def _ratio(self, point: int, one: str, other: str) -> list[Any]:
        """Return the log-ratio of a case, its interval's ends, and what is shown."""
        known = self.ratios.get((point, one, other))
        if known is not None:
            return list(known)
        turned = self.ratios.get((point, other, one))
        if turned is not None:
            middle, low, high, shown = turned
            named = {"ahead": "behind", "behind": "ahead"}.get(shown, shown)
            return [-middle, None if high is None else -high,
                    None if low is None else -low, named]  # fmt: skip
        mine, its = self.times[one][point], self.times[other][point]
        lead = its[0] - mine[0]
        if None in mine or None in its:
            return [lead, None, None, ""]
        below = math.hypot(its[0] - its[1], mine[2] - mine[0])
        above = math.hypot(its[2] - its[0], mine[0] - mine[1])
        return [lead, lead - below, lead + above, ""]


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def _log(value: float | None) -> Any:
    return None if value is None else math.log(value)


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other

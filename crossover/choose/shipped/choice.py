"""Whom to pick for a case, of what was measured.

In: plain data, which `data.py` makes. Out: a `Pick`. `crossover pick`, results in
Python and every exported file ask it.
"""

from __future__ import annotations

import math
from typing import Any

from crossover.choose.shipped.group import Group, is_number
from crossover.choose.shipped.pick import KNOWN, Pick
from crossover.choose.shipped.place import Spot

MOST_NAMED = 8
"""A message names at most this many measured values."""


class Choice:
    """Whom to pick, by what was measured.

    Args:
        data: what `crossover export --to json` writes.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.axes: list[str] = data["axes"]
        self.names: list[str] = [*self.axes, *data["settings"]]
        self.groups = [Group(group, self.axes) for group in data["groups"]]

    @property
    def looked(self) -> int:
        """How many cases, gaps and simplices the last pick looked at."""
        return sum(group.looked for group in self.groups)

    def pick(self, sizes: dict[str, Any], extrapolate: bool = False) -> Pick:
        """Return the contender to use for a case.

        Args:
            sizes: its sizes and settings by name; one that was measured at one value
                only need not be given.
            extrapolate: go beyond what was measured, which is a guess.

        Raises:
            ValueError: naming a size, its value and what was measured.
        """
        for name in sizes:
            if name not in self.names:
                known = ", ".join(self.names)
                raise ValueError(f"{name}: unknown; must be one of {known}")
        group = self._group(sizes)
        at = self._case(group, sizes)
        group.looked = 0
        spots = group.spots(at, extrapolate)
        if not spots:
            raise ValueError(self._outside(group, at, extrapolate))
        return self._picked(group, spots, at)

    def _group(self, sizes: dict[str, Any]) -> Group:
        left, missing = self.groups, []
        for name in self.data["settings"]:
            values = list(dict.fromkeys(group.settings[name] for group in left))
            if name not in sizes:
                missing += [f"{name}: {_listed(values)}"] if len(values) > 1 else []
                continue
            left = [g for g in left if _is_same(g.settings[name], sizes[name])]
            if not left:
                told = ", ".join(map(str, values))
                raise ValueError(f"{name} = {sizes[name]!r}: was measured at {told}")
        _check_given(missing)
        return left[0]

    def _case(self, group: Group, sizes: dict[str, Any]) -> list[Any]:
        known = dict(zip(self.axes, group.values, strict=True))
        _check_given(
            [f"{name}: {_listed(values)}" for name, values in known.items()
             if name not in sizes and len(values) > 1]
        )  # fmt: skip
        at = [sizes.get(name, values[0]) for name, values in known.items()]
        for name, value in zip(self.axes, at, strict=True):
            if not is_number(value):
                raise ValueError(f"{name} = {value!r}: must be a number")
        return at

    def _outside(self, group: Group, at: list[Any], extrapolate: bool) -> str:
        """Say which size lies outside of what was measured."""
        for i, (name, values) in enumerate(zip(self.axes, group.values, strict=True)):
            if values[0] <= at[i] <= values[-1]:
                continue
            if len(values) == 1:
                return f"{name} = {at[i]}: was measured at {values[0]} only"
            ends = f"{values[0]} to {values[-1]}"
            if not extrapolate:
                ends += "; --extrapolate (extrapolate=True) goes beyond"
            return f"{name} = {at[i]}: outside of what was measured, {ends}"
        told = []
        for i, name in enumerate(self.axes):
            others = [point for point in group.points if _differs_at(point, at, i)]
            values = sorted({point[i] for point in others or group.points})
            if at[i] not in values:
                where = " with these other sizes" if others else ""
                known = f"was measured at {_listed(values)}{where}"
                told.append(f"{name} = {at[i]}: {known}")
        told = told or [f"{', '.join(map(str, at))}: no such case was measured"]
        return "; ".join(told) + "; lies outside of the cases that were measured"

    def _picked(self, group: Group, spots: dict[str, Spot], at: list[Any]) -> Pick:
        order = sorted(spots, key=lambda who: group.log_s(who, spots[who]))
        first = order[0]
        for other in order[1:]:  # paired rounds know better than two medians
            if group.ahead(first, other, spots)[0] < 0:
                first = other
        leads = {o: group.ahead(first, o, spots) for o in order if o != first}
        second = min(leads, key=lambda who: leads[who][0], default=None)
        lead = (None, None, None) if second is None else leads[second]
        either = [w for w, (_, low, _) in leads.items() if low is not None and low <= 0]
        costs = [leads[who][2] for who in either]
        known = [high for high in costs if high is not None]
        within = math.expm1(max(known)) if len(known) == len(costs) > 0 else None
        used = [who for who in (first, second) if who is not None]
        doubts = [d for who in used for p in spots[who].points
                  for d in group.doubts[who, p]]  # fmt: skip
        settings = group.settings.items()
        return Pick(
            first,
            *map(_exp, group.time(first, spots[first])),
            second,
            *map(_exp, lead),
            *self._known(group, spots, used, at),
            tuple(either),
            within,
            tuple(who for who in group.times if who not in spots),
            tuple(dict.fromkeys([*self.data["doubts"], *doubts])),
            (*zip(self.axes, at, strict=True), *settings),
            self.data["has_unit"],
        )  # type: ignore[arg-type]

    def _known(
        self, group: Group, spots: dict[str, Spot], used: list[str], at: list[Any]
    ) -> tuple[str, str]:
        """Return how a pick is known, by a word and in words."""
        around = [spots[who] for who in used]
        if any(spot.beyond for spot in around):
            if all(spot.beyond for spot in around):
                return KNOWN[3], self._outside(group, at, True)
            late = [who for who in used if spots[who].beyond]
            return KNOWN[3], f"{late[0]} was not measured that far"
        shown = ""
        if len(used) > 1 and around[0].points == around[1].points:
            shown = group.shown(*used, around[0])
        if all(spot.part is None for spot in around):
            said = {"ahead": "shown ahead there", "equal": "shown equal there"}
            return KNOWN[0], f"measured; {said.get(shown, 'not shown who is ahead')}"
        spot = next(spot for spot in around if spot.part is not None)
        assert spot.part is not None
        names = [self.axes[i] for i in spot.part.free]
        ends = " and ".join(
            ", ".join(
                f"{n}={group.points[p][i]}"
                for n, i in zip(names, spot.part.free, strict=True)
            )
            for p in spot.points
        )
        if shown in ("ahead", "equal"):
            return KNOWN[1], f"inside a zone: {shown} at {ends}"
        return KNOWN[2], f"between {ends}"


def _check_given(missing: list[str]) -> None:
    """Check that all sizes with several measured values are given.

    Raises:
        ValueError: naming those that are not, and their values.
    """
    if missing:
        raise ValueError(f"missing; was measured at {'; '.join(missing)}")


def _differs_at(point: list[Any], at: list[Any], axis: int) -> bool:
    """Tell whether a case has all sizes alike, but for one at most."""
    return all(
        one == other for j, (one, other) in enumerate(zip(point, at, strict=True))
        if j != axis
    )  # fmt: skip


def _is_same(one: Any, other: Any) -> bool:
    return one == other or str(one).lower() == str(other).lower()


def _exp(value: float | None) -> float | None:
    return None if value is None else math.exp(value)


def _listed(values: list[Any]) -> str:
    more = ", ..." if len(values) > MOST_NAMED else ""
    return ", ".join(map(str, values[:MOST_NAMED])) + more

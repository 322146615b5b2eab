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
        spots = group.spots(at)
        late = [who for who, spot in spots.items() if spot.beyond and not extrapolate]
        near = {who: spot for who, spot in spots.items() if who not in late}
        if not near:
            raise ValueError(self._outside(group, at, extrapolate))
        case = dict(zip(self.axes, at, strict=True))
        return self._picked(group, near, case | sizes, late)

    def _group(self, sizes: dict[str, Any]) -> Group:
        left = self.groups
        for name in self.data["settings"]:
            values = [group.settings[name] for group in left]
            if name in sizes:
                left = [g for g in left if _is_same(g.settings[name], sizes[name])]
            if not left:
                told = _listed(list(dict.fromkeys(values)))
                raise ValueError(f"{name} = {sizes[name]!r}: was measured at {told}")
        known = {
            name: list(dict.fromkeys(group.settings[name] for group in left))
            for name in self.data["settings"]
        }
        _check_given(sizes, known)
        return left[0]

    def _case(self, group: Group, sizes: dict[str, Any]) -> list[Any]:
        known = dict(zip(self.axes, group.values, strict=True))
        _check_given(sizes, known)
        at = [sizes.get(name, values[0]) for name, values in known.items()]
        for name, value in zip(self.axes, at, strict=True):
            if not is_number(value):
                raise ValueError(f"{name} = {value!r}: must be a number")
        return at

    def _outside(self, group: Group, at: list[Any], extrapolate: bool) -> str:
        """Say which size lies outside of what was measured."""
        beyond = "" if extrapolate else "; --extrapolate (extrapolate=True) goes beyond"
        inside = []
        for i, (name, every) in enumerate(zip(self.axes, group.values, strict=True)):
            others = [point for point in group.points if _differs_at(point, at, i)]
            values = sorted({point[i] for point in others}) or every
            where = " with these other sizes" if others else ""
            said = f"{name} = {at[i]}: was measured at {_listed(values)}{where}"
            if at[i] != values[0] == values[-1] and (others or len(every) == 1):
                return f"{name} = {at[i]}: was measured at {values[0]} only{where}"
            if not values[0] <= at[i] <= values[-1]:
                ends = f"{values[0]} to {values[-1]}{where}"
                said = f"{name} = {at[i]}: outside of what was measured, {ends}"
                if others or not every[0] <= at[i] <= every[-1]:
                    return said + beyond
            inside += [said] if at[i] not in values else []
        told = inside or [f"{', '.join(map(str, at))}: no such case was measured"]
        return "; ".join(told) + "; lies outside of the cases that were measured"

    def _picked(
        self,
        group: Group,
        spots: dict[str, Spot],
        case: dict[str, Any],
        late: list[str],
    ) -> Pick:
        order = sorted(spots, key=lambda who: group.log_s(who, spots[who]))
        first = order[0]
        for other in order[1:]:  # paired rounds know better than two medians
            if group.ahead(first, other, spots)[0] < 0:
                first = other
        leads = {o: group.ahead(first, o, spots) for o in order if o != first}
        second = min(leads, key=lambda who: leads[who][0], default=None)
        lead = leads.get(second or "", (None, None, None))
        either = [w for w, (_, low, _) in leads.items() if low is not None and low <= 0]
        costs = [leads[who][2] for who in either]
        known = [high for high in costs if high is not None]
        within = (_exp(max(known)) or 1) - 1 if len(known) == len(costs) > 0 else None
        used = [who for who in (first, second) if who is not None]
        doubts = [d for who in used for p in spots[who].points
                  for d in group.doubts[who, p]]  # fmt: skip
        at = [case[name] for name in self.axes]
        time = [_exp(value) for value in group.time(first, spots[first])]
        known_as, why = self._known(group, spots, used, at)
        return Pick(
            contender=first,
            seconds=time[0] or 0.0,
            low=time[1],
            high=time[2],
            runner_up=second,
            factor=_exp(lead[0]),
            factor_low=_exp(lead[1]),
            factor_high=_exp(lead[2]),
            known=known_as,
            why=why,
            either=tuple(either),
            within=within,
            unknown=tuple(late),
            doubts=tuple(dict.fromkeys([*self.data["doubts"], *doubts])),
            sizes=tuple(case.items()),
            has_unit=self.data["has_unit"],
        )

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
            shown = group.shown(used[0], used[1], around[0])
        if all(spot.part is None for spot in around):
            said = {"ahead": "shown ahead there", "equal": "shown equal there"}
            return KNOWN[0], f"measured; {said.get(shown, 'not shown who is ahead')}"
        spot = next(spot for spot in around if spot.part is not None)
        assert spot.part is not None
        corners = [
            ", ".join(f"{self.axes[i]}={group.points[p][i]}" for i in spot.part.free)
            for p, weight in zip(spot.points, spot.weights, strict=True)
            if weight
        ]
        if len(spot.part.free) > 1:
            corners = [f"({corner})" for corner in corners]
        ends = " and ".join(filter(None, (", ".join(corners[:-1]), corners[-1])))
        if shown in ("ahead", "equal"):
            return KNOWN[1], f"inside a zone: {shown} at {ends}"
        return KNOWN[2], f"between {ends}"


def _check_given(sizes: dict[str, Any], known: dict[str, list[Any]]) -> None:
    """Check that all sizes and settings with several measured values are given.

    Raises:
        ValueError: naming those that are not, and their values.
    """
    missing = [
        f"{name}: missing; was measured at {_listed(values)}"
        for name, values in known.items()
        if name not in sizes and len(values) > 1
    ]
    if missing:
        raise ValueError("; ".join(missing))


def _differs_at(point: list[Any], at: list[Any], axis: int) -> bool:
    """Tell whether a case has all sizes alike, but for one at most."""
    return all(
        one == other for j, (one, other) in enumerate(zip(point, at, strict=True))
        if j != axis
    )  # fmt: skip


def _is_same(one: Any, other: Any) -> bool:
    return one == other or str(one).lower() == str(other).lower()


def _exp(value: float | None) -> float | None:
    """Return e to the power of a logarithm; far beyond all cases it is infinite."""
    try:
        return None if value is None else math.exp(value)
    except OverflowError:
        return math.inf


def _listed(values: list[Any]) -> str:
    more = ", ..." if len(values) > MOST_NAMED else ""
    return ", ".join(map(str, values[:MOST_NAMED])) + more

"""What makes an answer from a table doubtful: what its pair lacks, and what is odd.

Sizes that only one contender has, who failed or timed out where; an answer of fewer
sizes than it says, times in other units, a pair named the wrong way round. `analyse`
calls it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from crossover.crossing.bounds import point_settled
from crossover.findings import AHEAD, Answer, size_text
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.rows import Table

MOST_LISTED = 6
THOUSANDS = (1e3, 1e6)
AROUND = 5.0
"""Times are in another unit if they differ by a thousand, give or take this factor."""
Key = tuple[str, ...]
ByWho = dict[str, dict[float, Any]]


@dataclass(frozen=True)
class Lacks:
    """What a group of a pair lacks at some sizes: by the contender, its sizes."""

    both: frozenset[float] = frozenset()
    alone: dict[str, dict[float, float]] = field(default_factory=dict)
    """Sizes of which only this contender has times, with the longest of these."""
    failed: dict[str, dict[float, str]] = field(default_factory=dict)
    """Sizes where this contender has none, and why."""
    timed_out: dict[str, dict[float, float]] = field(default_factory=dict)
    """Sizes where this contender takes at least that time."""

    @property
    def counted(self) -> int:
        """How many sizes only one contender has."""
        return sum(map(len, self.alone.values()))

    @property
    def sizes_alone(self) -> list[float]:
        """Sizes that only one contender has, with neither failure nor bound known."""
        known = set[float]().union(*self.failed.values(), *self.timed_out.values())
        return [s for sizes in self.alone.values() for s in sizes if s not in known]


def flags_of(lacks: Lacks, asked: TableAsk) -> list[str]:
    """Return what a pair lacks as flags."""
    raised = []
    left = {*lacks.sizes_alone}
    told = [
        f"{who} alone: {_listed(sorted(left & sizes.keys()))}"
        for who, sizes in lacks.alone.items()
        if left & sizes.keys()
    ]
    if told and lacks.both:
        largest, where = max(lacks.both), ""
        if len(lacks.both) == 1:
            where = f"{size_text(largest)} is the only {asked.axis} that both have; "
        elif max(left) > largest:
            where = f"{size_text(largest)} is the largest {asked.axis} that both have; "
        raised.append(f"alone: {where}{', '.join(told)}")
    failures = [
        f"{who} has no time at {size_text(size)} ({why})"
        for who, sizes in lacks.failed.items()
        for size, why in sizes.items()
    ]
    if failures:
        more = f" and {len(failures) - MOST_LISTED} more" * (
            len(failures) > MOST_LISTED
        )
        raised.append(f"failed: {', '.join(failures[:MOST_LISTED])}{more}")
    out = [
        f"{who} at {_listed([*sizes])}"
        for who, sizes in lacks.timed_out.items()
        if sizes
    ]
    return [*raised, *([f"timed_out: {', '.join(out)}"] if out else [])]


def _other(who: str, asked: TableAsk) -> str:
    return asked.challenger if who == asked.baseline else asked.baseline


def _listed(sizes: Sequence[float]) -> str:
    more = ", ..." if len(sizes) > MOST_LISTED else ""
    return ", ".join(map(size_text, sizes[:MOST_LISTED])) + more


def lacks_of(table: Table, asked: TableAsk) -> dict[Key, Lacks]:
    """Return what each group lacks, by the values of the `by` columns."""
    timed = _by_group(table.rows, asked, "max")
    bounds = _by_group(table.bounds, asked, "min")
    failed = _by_group(table.failed, asked, "first")
    found = {}
    for name in {**timed, **bounds, **failed}:
        one, other = (timed.get(name, {}).get(who, {}) for who in _pair(asked))
        both = one.keys() & other.keys()
        alone = dict(zip(_pair(asked), (one, other), strict=True))
        found[name] = Lacks(
            frozenset(both),
            {
                w: {s: t for s, t in of.items() if s not in both}
                for w, of in alone.items()
            },
            _without(failed.get(name, {}), alone),
            _without(bounds.get(name, {}), alone),
        )
    return found


def _pair(asked: TableAsk) -> tuple[str, str]:
    return asked.baseline, asked.challenger


def _without(ended: ByWho, timed: ByWho) -> ByWho:
    """Leave out sizes of which a contender has a time all the same."""
    return {
        who: {s: sizes[s] for s in sorted(sizes) if s not in timed[who]}
        for who, sizes in ended.items()
    }


def _by_group(rows: pd.DataFrame, asked: TableAsk, how: str) -> dict[Key, ByWho]:
    """Return one value of each group, contender and size."""
    found: dict[Key, ByWho] = {}
    keys = [*asked.by, asked.contender, asked.axis]
    if rows.empty:
        return found
    values = rows.groupby(keys, sort=False)[asked.time].agg(how)
    for (*by, who, size), value in zip(values.index.tolist(), values, strict=True):
        group = found.setdefault(tuple(map(str, by)), {})
        group.setdefault(who, {})[size] = value
    return found


def with_bounds(
    found: Answer, points: pd.DataFrame, lacks: Lacks, asked: TableAsk, margin: float
) -> Answer:
    """Return an answer with what bounds settle: who is ahead where one timed out.

    A bound counts if it is above all times that the other has there.
    """
    ends: dict[float, tuple[float, float] | None] = dict.fromkeys(points[asked.axis])
    for who, sizes in lacks.timed_out.items():
        others = lacks.alone.get(_other(who, asked), {})
        for size in sizes.keys() & others.keys():
            ratio = float(np.log(sizes[size] / others[size]))
            if ratio > 0:
                is_baseline = who == asked.baseline
                ends[size] = (ratio, np.inf) if is_baseline else (-np.inf, -ratio)
    if all(end is None for end in ends.values()):
        return found
    ordered = sorted(ends)
    return point_settled(found, np.array(ordered), [ends[s] for s in ordered], margin)


def covers_fewer(found: Answer, lacks: Lacks, asked: TableAsk) -> bool:
    """Tell whether an answer says more than the sizes that both have show.

    `never` says it of the largest size of all, `always` of the smallest, and one common
    size of several is no sweep. A size where the one that is behind failed changes
    nothing.
    """
    if not lacks.both or found.outcome not in ("always", "never"):
        return False
    is_never = found.outcome == "never"
    behind = asked.challenger if is_never else asked.baseline
    timed_out = {s for sizes in lacks.timed_out.values() for s in sizes}
    of_behind = {*lacks.alone.get(behind, ())}
    of_other = {*lacks.alone.get(_other(behind, asked), ())}
    failed = {*lacks.failed.get(behind, ())}
    open_ = (of_behind | (of_other - failed)) - timed_out
    if len(lacks.both) == 1:
        return bool(open_)
    ends = max(lacks.both), min(lacks.both)
    return any(size > ends[0] if is_never else size < ends[1] for size in open_)


def units_apart(found: Answer, asked: TableAsk) -> list[str]:
    """Flag times that differ by about a thousand at every size."""
    speedups = [zone.speedup for zone in found.zones if zone.speedup]
    if len(speedups) < 2:
        return []
    for factor in THOUSANDS:
        for slow, fast, ratios in (
            (asked.baseline, asked.challenger, np.array(speedups)),
            (asked.challenger, asked.baseline, 1 / np.array(speedups)),
        ):
            if ((ratios > factor / AROUND) & (ratios < factor * AROUND)).all():
                units = "seconds beside milliseconds"
                if factor > 1e3:
                    units = "seconds beside microseconds"
                return [
                    f"units_apart: times of {slow} are about {factor:,.0f} times those "
                    f"of {fast} at every {asked.axis}: {units}?"
                ]
    return []


def is_turned(found: Answer) -> bool:
    """Tell whether the challenger leads at small sizes and the baseline at large."""
    names = [zone.name for zone in found.zones if zone.has_verdict]
    if found.outcome not in ("not_monotone", "never") or not names:
        return False
    leads = [name == AHEAD for name in names]
    return leads[0] and not leads[-1] and leads == sorted(leads, reverse=True)


def turned_flag(other: Answer, asked: TableAsk) -> list[str]:
    """Say what the answer is the other way round."""
    if other.outcome != "found" or other.at is None:
        return []
    return [
        f"wrong_way_round: {asked.baseline} is ahead of {asked.challenger} from "
        f"{asked.axis} {size_text(other.at)} on: ask with --baseline "
        f"{asked.challenger} --challenger {asked.baseline}"
    ]

"""All contenders of a table side by side: their times, and who is fastest where.

In: the rows of each pair. Out: a curve for each contender of a group, and the fastest
one at each size, by its median. `analyse` calls it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from crossover.sources.table.ask import TableAsk

Key = tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """One contender's times over the sizes of a group, in the table's unit."""

    contender: str
    sizes: tuple[float, ...]
    medians: tuple[float, ...]
    lows: tuple[float, ...]
    """The first quartiles."""
    highs: tuple[float, ...]
    """The third quartiles."""
    counts: tuple[int, ...]
    """How many times there are."""


@dataclass(frozen=True)
class Best:
    """Who is fastest at one size of a group, by the median of all times there."""

    group: Key
    size: float
    contender: str
    seconds: float
    second: str = ""
    """Who comes next; empty if nobody else has a time there."""
    ratio: float | None = None
    """How many times as long the next one takes."""


def curves(rows: pd.DataFrame, asked: TableAsk) -> dict[Key, list[Curve]]:
    """Return the curves of a pair in each group."""
    keys = [*asked.by, asked.contender, asked.axis]
    times = rows.groupby(keys)[asked.time]
    told = pd.DataFrame(
        {
            "median": times.median(),
            "low": times.quantile(0.25),
            "high": times.quantile(0.75),
            "count": times.size(),
        }
    )
    groups = rows[list(asked.by)].drop_duplicates().itertuples(index=False, name=None)
    found: dict[Key, list[Curve]] = {tuple(map(str, group)): [] for group in groups}
    for (*by, who), part in told.groupby(level=keys[:-1], sort=False):
        sizes = part.index.get_level_values(asked.axis)
        columns = (tuple(part[name].tolist()) for name in part)
        curve = Curve(str(who), tuple(map(float, sizes)), *columns)
        found.setdefault(tuple(map(str, by)), []).append(curve)
    return {group: some for group, some in found.items() if some}


def merged(pairs: Iterable[dict[Key, list[Curve]]]) -> dict[Key, list[Curve]]:
    """Return each contender's curve once, of several pairs with one baseline."""
    found: dict[Key, dict[str, Curve]] = {}
    for pair in pairs:
        for group, some in pair.items():
            found.setdefault(group, {}).update({c.contender: c for c in some})
    return {group: list(some.values()) for group, some in found.items()}


def fastest(group: Key, found: Iterable[Curve]) -> list[Best]:
    """Return who is fastest at each size of a group."""
    at: dict[float, list[tuple[float, str]]] = {}
    for curve in found:
        for size, median in zip(curve.sizes, curve.medians, strict=True):
            at.setdefault(size, []).append((median, curve.contender))
    told = []
    for size in sorted(at):
        (first_s, first), *others = sorted(at[size])
        second = (others[0][1], others[0][0] / first_s) if others else ()
        told.append(Best(group, size, first, first_s, *second))
    return told

"""What is shown of each size, as a table for people."""

import math
from collections.abc import Iterator

from crossover.findings import Answer, SizeZone, bounded, size_text
from crossover.report.words.names import Name
from crossover.report.words.numbers import times
from crossover.report.words.table import Table


def zones_table(found: Answer, axis: str, a: Name, b: Name) -> Table:
    """Return a row for each size that was compared.

    Args:
        found: the answer.
        axis: the size's name.
        a: the baseline's name.
        b: the challenger's name.
    """
    heads = (axis, f"{b.text} {b.are}", "times as fast", "at least", "at most")
    rows = tuple(tuple(_cells(zone)) for zone in found.zones)
    return Table(f"{b.text} against {a.text}, size by size", heads, rows)


def _cells(zone: SizeZone) -> Iterator[str]:
    yield size_text(zone.size)
    yield zone.name if zone.has_verdict else bounded(zone.within)
    for factor in (zone.speedup, zone.low, zone.high):
        is_known = factor is not None and 0 < factor < math.inf
        yield times(factor) if is_known and factor is not None else ""

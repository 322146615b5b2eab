"""Whether a table has one time a row, or another form that is brought to that.

In: rows, and what somebody says of them. Out: rows with one time each.
`roles` calls it.
"""

import dataclasses
import re
from collections.abc import Sequence

from crossover.files.untrusted import InputError, listed
from crossover.sources.table.ask import Wanted
from crossover.sources.table.columns import Column, columns_of, is_device
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.layout import key
from crossover.sources.table.text.sizes import are_sizes
from crossover.sources.table.wide import bare_name, melted, split_names, spread_sizes

NAME_SIZE = re.compile(r".*[^\W\d].*[^\w.][a-zA-Z]{0,9}[:=]?[0-9][0-9.,]*[kKMG]?\W*\w*")
"""A name with a number in it: BM_cpu/1024, sum[gpu-1024]."""


def size_heads(rows: Rows, wanted: Wanted) -> list[str]:
    """Return the columns that are named as sizes, where all but a few are."""
    heads = [h for h in rows.heads if h and h[0].isdigit() and are_sizes([h])]
    others = [h for h in rows.heads if h not in heads]
    is_spread = len({*heads}) == len(heads) > 1 and len(others) <= 1 + len(wanted.by)
    return heads if is_spread and others else []


def one_time_a_row(rows: Rows, wanted: Wanted) -> tuple[Rows, Wanted]:
    """Bring other forms to one time a row."""
    if wanted.wide:
        return _melt(rows, wanted, wanted.wide)
    if wanted.contender is not None and wanted.contender == wanted.axis:
        rows, axis, contender = split_names(rows, wanted.contender)
        return rows, dataclasses.replace(wanted, axis=axis, contender=contender)
    is_open = wanted.time is None and wanted.axis not in rows.heads
    if is_open and (sizes := size_heads(rows, wanted)):
        rows, axis, time = spread_sizes(rows, sizes, wanted.axis)
        return rows, dataclasses.replace(wanted, axis=axis, time=time)
    if wanted.contender is None and wanted.time is None:
        columns = _asked_side_by_side(rows, wanted) or _side_by_side(rows, wanted)
        if columns:
            return _melt(rows, wanted, columns)
    if wanted.axis is None and (head := _name_with_size(rows, wanted)):
        rows, axis, contender = split_names(rows, head)
        said = f"{head} split into who ran and the size"
        rows = dataclasses.replace(rows, said=(said, *rows.said))
        return rows, dataclasses.replace(wanted, axis=axis, contender=contender)
    return rows, wanted


def _name_with_size(rows: Rows, wanted: Wanted) -> str | None:
    """Return the column of names that hold the size; None if sizes have a column."""
    columns = columns_of(rows)
    if any(c.is_size for c in columns if c.head not in wanted.columns):
        return None
    named = [c for c in columns if wanted.contender in (None, c.head)]
    found = [
        c.head
        for c in named
        if not c.are_numbers and c.known and all(map(NAME_SIZE.fullmatch, c.known))
    ]
    return found[0] if len(found) == 1 else None


def _melt(rows: Rows, wanted: Wanted, columns: Sequence[str]) -> tuple[Rows, Wanted]:
    rows, contender, time = melted(rows, columns)
    said = f"{listed(list(columns), 6)} are times, side by side"
    rows = dataclasses.replace(rows, said=(said, *rows.said))
    names = {column: bare_name(column) for column in columns}
    present = {*rows.named(contender)}

    def named(who: str | None) -> str | None:
        return names.get(who, who) if who is not None and who not in present else who

    found = dataclasses.replace(
        wanted, contender=contender, time=time, wide=(),
        baseline=named(wanted.baseline),
        challengers=tuple(named(c) or c for c in wanted.challengers),
    )  # fmt: skip
    return rows, found


def _asked_side_by_side(rows: Rows, wanted: Wanted) -> list[str]:
    """Return the columns that are named as the contenders asked for, if any are.

    If one is asked for, the others are those that name a device.
    """
    free = {h: bare_name(h) for h in rows.heads if h and h not in wanted.columns}
    asked = [*filter(None, [wanted.baseline]), *wanted.challengers]
    if not asked:
        return []
    named = [h for a in asked for h in free if key(a) in (key(h), key(free[h]))]
    if len(named) != len(asked) or len(named) > 1:
        return named if len(named) >= len(asked) else []
    return [*named, *(h for h in free if h not in named and is_device(free[h]))]


def _side_by_side(rows: Rows, wanted: Wanted) -> list[str]:
    """Return the columns of times that are named as contenders, if any are.

    Raises:
        InputError: where the table may be read in one way or the other.
    """
    if wanted.baseline is not None or wanted.challengers:
        return []
    columns = [c for c in columns_of(rows) if c.head and c.head not in wanted.columns]
    times = [c.head for c in columns if _is_ones_time(c, bare_name(c.head))]
    if len(times) < 2:
        return []
    names = [c for c in columns if c.is_name]
    is_rival = any(c.is_called_contender or c.names_devices for c in names)
    is_log = any({"noise", "iterations"} & {*c.words} for c in columns)
    if names and (is_rival or is_log):
        raise InputError(
            f"contender: {listed(times, 6)} may be the times of two contenders, or "
            f"{listed([c.head for c in names], 6)} says who ran: add --wide "
            f"{','.join(times)}, or --contender {names[0].head} and --time"
        )
    return [] if is_log else times


def _is_ones_time(column: Column, bare: str) -> bool:
    """Tell whether a column holds the times of one contender, by its name."""
    if column.is_spread or column.is_index or not column.are_numbers:
        return False
    if key(bare) in ("real", "user", "system", "sys", "total", "wall"):
        return False
    return is_device(bare)

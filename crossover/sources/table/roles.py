"""Which column holds the size, the time, and who ran; and who is compared with whom.

In: rows, and what somebody says of them. Out: rows with one time each, what is asked of
them, and in words what was found out. Where two readings are possible, both are named.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from crossover.files.untrusted import InputError, check_known, listed
from crossover.sources.table.ask import TableAsk, Wanted
from crossover.sources.table.columns import (
    TYPICAL,
    Column,
    columns_of,
    is_cpu,
)
from crossover.sources.table.shape import one_time_a_row, size_heads
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.layout import key
from crossover.sources.table.text.marks import PLAIN
from crossover.sources.table.wide import bare_name

MOST_CHALLENGERS = 50


@dataclass(frozen=True)
class Settled:
    """A table with one time a row, and what is asked of it."""

    rows: Rows
    asked: tuple[TableAsk, ...]
    """One for each challenger."""
    said: tuple[str, ...]
    """What was found out, in words."""


def settle(rows: Rows, wanted: Wanted) -> Settled:
    """Find out which column is what, and who is compared.

    Raises:
        InputError: for a name that the table does not have, and where two readings are
            possible.
    """
    if not rows.rows:
        raise InputError("file has no rows: must have one for each time, below a head")
    _check_head(rows)
    wanted = _as_spelled(rows, wanted)
    rows, wanted = one_time_a_row(rows, wanted)
    is_told = wanted.contender and wanted.time and wanted.axis
    every = [] if is_told else columns_of(rows)
    columns = [c for c in every if c.head not in wanted.columns]
    contender = wanted.contender or _contender(rows, columns, wanted)
    left = [c for c in columns if c.head != contender]
    time = wanted.time or _time(left)
    axis = wanted.axis or _axis([c for c in left if c.head != time])
    _check_once(rows, (axis, time, contender), wanted)
    names = tuple(dict.fromkeys(rows.named(contender)))
    baseline, challengers = compared(names, wanted)
    asked = tuple(
        TableAsk(
            axis, time, contender, baseline, challenger, wanted.round, wanted.by,
            wanted.pool, wanted.higher_is_better, wanted.decimal,
        )
        for challenger in challengers
    )  # fmt: skip
    said = f"{axis} is the size, {contender} who ran, {time} the time"
    if wanted.baseline is None:
        said += f", {baseline} the baseline"
    return Settled(rows, asked, (said, *rows.said))


def _check_head(rows: Rows) -> None:
    """Refuse a table whose first line is a row like the others.

    Raises:
        InputError: where numbers, and a text that comes again below, stand there.
    """
    texts = {i: head for i, head in enumerate(rows.heads) if head}
    numbers = [i for i, head in texts.items() if PLAIN.fullmatch(head)]
    for i, head in texts.items():
        if numbers and i not in numbers and head in rows.column(i):
            raise InputError(
                f"head = {listed(rows.heads, 6)}: is a row like those below; the first "
                "line must name the columns"
            )


def _check_once(rows: Rows, roles: Sequence[str], wanted: Wanted) -> None:
    named = [*roles, *filter(None, [wanted.round]), *wanted.by, *wanted.pool]
    if len({*named}) < len(named):
        raise InputError(f"columns = {tuple(named)}: each must be named only once")
    for column in named:
        if rows.heads.count(column) > 1:
            raise InputError(f"column = {column!r}: must be there only once")


def _as_spelled(rows: Rows, wanted: Wanted) -> Wanted:
    """Return the names of columns as the table spells them.

    Raises:
        InputError: for a column that it does not have.
    """

    def spelled(name: str | None) -> str | None:
        if name is None or name in rows.heads:
            return name
        for heads in (rows.heads, [bare_name(head) for head in rows.heads]):
            alike = [i for i, head in enumerate(heads) if key(head) == key(name)]
            if alike:
                return rows.heads[alike[0]] if len(alike) == 1 else name
        return name

    def each(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(spelled(name) or name for name in names)

    found = dataclasses.replace(
        wanted, axis=spelled(wanted.axis), time=spelled(wanted.time),
        contender=spelled(wanted.contender), round=spelled(wanted.round),
        by=each(wanted.by), pool=each(wanted.pool), wide=each(wanted.wide),
    )  # fmt: skip
    is_axis_of_heads = size_heads(rows, found) and found.axis not in rows.heads
    for name in found.columns:
        if not (is_axis_of_heads and name == found.axis):
            check_known("column", name, rows.heads)
    return found


def _choice(field: str, option: str, found: Sequence[Column], none: str) -> str:
    """Return the only column found.

    Raises:
        InputError: for none, and for several.
    """
    heads = [c.head for c in found]
    if len(heads) == 1:
        return heads[0]
    if heads:
        raise InputError(
            f"{field}: may be {' or '.join(h or '(no name)' for h in heads[:6])}; say "
            f"which with {option}"
        )
    raise InputError(f"{field}: {none}; say which column with {option}")


def _first_some(*choices: Sequence[Column]) -> Sequence[Column]:
    return next((found for found in choices if found), ())


def _contender(rows: Rows, columns: Sequence[Column], wanted: Wanted) -> str:
    """Find the column that tells who ran."""
    asked = [*filter(None, [wanted.baseline]), *wanted.challengers]
    if asked:
        keys = {key(a) for a in asked}
        holding = [c for c in columns if keys <= {key(t) for t in c.texts}]
        if not holding:
            names = [c for c in columns if c.is_name]
            called = [c for c in names if c.is_called_contender or c.names_devices]
            return _choice(
                "contender", "--contender", _first_some(called, names),
                f"no column holds {listed(asked)}",
            )  # fmt: skip
        return _choice("contender", "--contender", holding, "")
    names = [c for c in columns if c.is_name]
    both = [c for c in names if c.is_called_contender and c.names_devices]
    devices = [c for c in names if c.names_devices]
    called = [c for c in names if c.is_called_contender]
    found = _first_some(both, devices, called, names)
    return _choice(
        "contender", "--contender, or the columns of times with --wide", found,
        f"no column of {listed(rows.heads)} tells who ran",
    )  # fmt: skip


def _time(columns: Sequence[Column]) -> str:
    """Find the column of times; of several statistics the median, or else the mean."""
    times = [c for c in columns if c.is_time]
    plain = [c for c in times if not c.is_spread]
    if len(plain) > 1:
        for typical in TYPICAL:
            found = [c for c in plain if typical in c.words]
            if len(found) == 1 and all({*c.words} & {*TYPICAL} for c in plain):
                return found[0].head
    if plain:
        return _choice("time", "--time", plain, "")
    for typical in TYPICAL:
        found = [c for c in columns if c.words == [typical] and c.are_numbers]
        if found:
            return found[0].head
    rates = [c for c in columns if c.is_rate]
    others = [
        c for c in columns
        if c.are_numbers and not (c.is_called_size or c.is_index or c.is_spread)
    ]  # fmt: skip
    sizes = [c for c in columns if c.is_size]
    if not rates and len(others) > 1:
        others = [c for c in others if c not in sizes] or others
    return _choice(
        "time", "--time", _first_some(rates, others), "no column is called one"
    )


def _axis(columns: Sequence[Column]) -> str:
    """Find the column of sizes."""
    sizes = [c for c in columns if c.is_size]
    called = [c for c in sizes if c.is_called_size]
    return _choice(
        "axis", "--axis", _first_some(called, sizes), "no column holds several sizes"
    )


def compared(names: Sequence[str], wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """Return who is to be beaten, and by whom.

    Without a word on it, the one that sounds like a CPU, or else the first.

    Raises:
        InputError: for a name that the table does not have.
    """
    baseline = _one_of(wanted.baseline, names)
    asked = tuple(_one_of(c, names) or c for c in wanted.challengers)
    if baseline is None:
        free = [name for name in names if name and name not in asked]
        if not free:
            raise InputError(
                f"contender: only {listed([n or 'empty' for n in names])} is there; "
                "must be two to compare"
            )
        slow = [name for name in free if is_cpu(name)]
        baseline = slow[0] if slow else free[0]
    challengers = asked or tuple(n for n in names if n and n != baseline)
    if not challengers:
        raise InputError(f"contender: only {baseline} is there; must be two to compare")
    if baseline in challengers:
        raise InputError(f"contender = {baseline!r}: must be named only once")
    if len(challengers) > MOST_CHALLENGERS:
        raise InputError(
            f"contenders = {len(names):,}: name those to compare with --baseline and "
            "--challenger"
        )
    return baseline, challengers


def _one_of(name: str | None, names: Sequence[str]) -> str | None:
    """Return a contender as the table spells it.

    Raises:
        InputError: for one that it does not have, or has in several spellings.
    """
    if name is None:
        return None
    alike = [one for one in names if key(one) == key(name)]
    if len(alike) > 1:
        raise InputError(
            f"contender = {name!r}: the table has {listed(alike)}; write one spelling"
        )
    if not alike:
        check_known("contender", name, [n for n in names if n])
    return alike[0]

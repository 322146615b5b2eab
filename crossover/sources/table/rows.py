"""The rows of a table that count: of both contenders, sizes and times as numbers.

Rows that hold a mean, a median or a spread of others are told from those that are
times: google-benchmark writes them, by a column `aggregate_name` or at the end of a
name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossover.files.untrusted import InputError, check_known, listed, shown
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.marks import PLAIN, Texts, decimal_mark
from crossover.sources.table.text.sizes import Sizes
from crossover.sources.table.times import Times, read_times
from crossover.sources.table.unlike import refuse_unlike

TYPICAL = ("median", "p50", "mean", "average", "avg")
"""Aggregates that stand for a contender's time, in order of preference."""
OTHERS = {
    "stddev", "std", "stdev", "sd", "variance", "var", "cv", "iqr", "q1", "q3", "sem",
    "mad", "min", "max", "minimum", "maximum", "sum", "total", "count", "rms", "bigo",
}  # fmt: skip
SINGLE = {"", "none", "null", "nan", "n/a", "iteration", "raw", "sample"}
"""Texts that say that a row is a repetition, no aggregate."""
PERCENTILE = re.compile(r"p[0-9]{1,2}(\.[0-9]+)?")
LONGEST_ID = 15
"""Longer numbers are no numbers but names: a float would not tell them apart."""
ENDING = re.compile(r"(.+)_([a-z0-9]+)", re.IGNORECASE)


def without_aggregates(rows: Rows, asked: TableAsk) -> tuple[Rows, list[str]]:
    """Keep the repetitions, or else one aggregate, and say what was kept.

    Raises:
        InputError: where no one kind is there at every size of both contenders.
    """
    notes = []
    for place in rows.unnamed(asked):
        kinds = _kinds(rows.column(place))
        if kinds is None:
            continue
        kept = _choice(rows, asked, kinds, rows.heads[place])
        rows = rows.only([i for i, kind in enumerate(kinds) if kind == kept])
        head = rows.heads[place]
        notes.append(f"{kept} rows of {head}" if kept else f"no aggregates of {head}")
    return rows, notes


def _kinds(texts: list[str]) -> list[str] | None:
    """Return the aggregate that each row holds, "" for none; None if they are not that.

    A column of aggregates holds nothing but their names, a typical one among them, or
    names that end so, of which one begins alike for several aggregates.
    """
    known = {text: _kind(text.casefold()) for text in dict.fromkeys(texts)}
    found = {*known.values()}
    if None not in found and len(found) > 1 and found & {*TYPICAL}:
        return [known[text] or "" for text in texts]
    ends: dict[str, str] = {}
    stems: dict[str, set[str]] = {}
    for text in known:
        match = ENDING.fullmatch(text)
        kind = _kind(match[2].casefold()) if match else ""
        ends[text] = kind or ""
        if match and kind:
            stems.setdefault(match[1], set()).add(kind)
    alike = any(len(kinds) > 1 and kinds & {*TYPICAL} for kinds in stems.values())
    return [ends[text] for text in texts] if alike else None


def _kind(word: str) -> str | None:
    """Return the aggregate a word names, "" for none; None for another word."""
    if word in SINGLE:
        return ""
    is_aggregate = word in TYPICAL or word in OTHERS or PERCENTILE.fullmatch(word)
    return word if is_aggregate else None


def _choice(rows: Rows, asked: TableAsk, kinds: list[str], head: str) -> str:
    places = [rows.heads.index(column) for column in asked.cell]
    cells: dict[str, set[tuple[str, ...]]] = {}
    for row, kind in zip(rows.rows, kinds, strict=True):
        cells.setdefault(kind, set()).add(tuple(row[i] for i in places))
    every = set().union(*cells.values())
    for kind in ("", *TYPICAL):
        if cells.get(kind) == every:
            return kind
    raise InputError(
        f"{head} holds {listed(sorted(filter(None, cells)), 6)}: none that is a time "
        f"is there for every {' and '.join(asked.cell)}; leave only times in the file"
    )


@dataclass(frozen=True)
class Table:
    """The rows of a pair as numbers, and what was done to them, in words."""

    rows: pd.DataFrame
    """One row for each time: the columns asked for."""
    bounds: pd.DataFrame
    """The same of times that are known to be at least that."""
    failed: pd.DataFrame
    """The same of contenders that have no time there; `time` says why."""
    notes: tuple[str, ...] = ()
    """What was done to the rows."""
    left_out: tuple[str, ...] = ()
    """Which rows hold no time or no size, and which value is none."""
    said: tuple[str, ...] = ()
    """What the cells were taken for."""
    has_unit: bool = False


def read_table(whole: Rows, asked: TableAsk) -> Table:
    """Read the rows of both contenders; sizes and times as numbers.

    A row whose size or time is none is left out and named.

    Raises:
        InputError: as `read_times` does, for a contender without any time, where most
            rows have none, and for rows that are no repetitions of one measurement.
    """
    who = whole.named(asked.contender)
    pair = (asked.baseline, asked.challenger)
    for name in pair:
        check_known("contender", name, tuple(dict.fromkeys(who)))
    rows = whole.only([i for i, name in enumerate(who) if name in pair])
    rows, notes = without_aggregates(rows, asked)
    decimal = decimal_mark(
        (Texts(c, rows.named(c), rows.lines) for c in (asked.axis, asked.time)),
        asked.decimal or rows.decimal,
        rows.delimiter,
    )
    sizes = Sizes(asked.axis, rows.named(asked.axis), decimal)
    times = read_times(rows, asked, decimal)
    table = rows.frame(asked.columns)
    axis = table[asked.axis].map(sizes.numbers).astype(float)
    table[asked.axis] = axis
    for column in filter(None, (asked.round, *asked.by)):
        table[column] = one_spelling(table[column])
    nobody = _of_nobody(whole, asked, who)
    left_out = (*nobody, *_left_out(rows, asked, axis, times))
    seconds = times.seconds[times.seconds["place"].map(axis.notna()).astype(bool)]
    timed, bounds = seconds[~seconds.is_bound], seconds[seconds.is_bound]
    failed = {i: why for i, why in times.failed.items() if pd.notna(axis.iloc[i])}
    _check_left(
        rows, asked, table.iloc[timed["place"].unique()], left_out[len(nobody) :]
    )
    kept = timed["place"].unique()
    refuse_unlike(
        rows.only(kept.tolist()), table.iloc[kept].reset_index(drop=True), asked
    )
    said = [*sizes.said, *times.said, *(["decimal comma"] if decimal == "," else [])]
    return Table(
        _placed(table, timed["place"], timed["time"], asked),
        _placed(table, bounds["place"], bounds["time"], asked),
        _placed(table, [*failed], [*failed.values()], asked),
        (*notes, *_pooled(rows, asked)), left_out, tuple(said), times.has_unit,
    )  # fmt: skip


def _placed(
    table: pd.DataFrame, places: Iterable[int], times: Iterable[object], asked: TableAsk
) -> pd.DataFrame:
    """Return rows of a table with other times."""
    found = table.iloc[list(places)].reset_index(drop=True)
    found[asked.time] = pd.Series(list(times), found.index)
    return found


def _left_out(
    rows: Rows, asked: TableAsk, axis: "pd.Series[float]", times: Times
) -> tuple[str, ...]:
    """Name the rows that hold no size, or no time and no word on why."""
    texts = rows.named(asked.axis)
    said = {
        int(i): f"{asked.axis} = {shown(texts[i])} in line {rows.lines[i]}"
        for i in np.flatnonzero(axis.isna())
    }
    for i, text in times.bad.items():
        said.setdefault(i, f"{asked.time} = {shown(text)} in line {rows.lines[i]}")
    return tuple(f"{said[i]}: must be a number > 0" for i in sorted(said))


def _of_nobody(whole: Rows, asked: TableAsk, who: list[str]) -> list[str]:
    """Name the rows that have a size and do not say who ran.

    Raises:
        InputError: where most do not, as where cells of a sheet are joined.
    """
    if "" not in who:
        return []
    sizes = whole.named(asked.axis)
    said = [
        f"{asked.contender} = '' in line {line}: must name who ran"
        for name, size, line in zip(who, sizes, whole.lines, strict=True)
        if not name and size
    ]
    if 2 * len(said) > len(who):
        raise InputError(said[0])
    return said


def _check_left(
    rows: Rows, asked: TableAsk, timed: pd.DataFrame, left_out: tuple[str, ...]
) -> None:
    """Check that enough is left to tell anything.

    Raises:
        InputError: where most rows are left out, or one contender has no time at all.
    """
    if 2 * len(left_out) > len(rows.rows):
        raise InputError(left_out[0])
    present = {*timed[asked.contender]}
    for name in (asked.baseline, asked.challenger):
        if name not in present:
            first = (
                f" ({left_out[0]})" if left_out else _first_failure(rows, asked, name)
            )
            raise InputError(f"contender = {name!r}: has no time in the table{first}")


def _first_failure(rows: Rows, asked: TableAsk, name: str) -> str:
    times, who = rows.named(asked.time), rows.named(asked.contender)
    at = who.index(name) if name in who else None
    if at is None:
        return ""
    return f": {asked.time} = {shown(times[at])} in line {rows.lines[at]}"


def one_spelling(column: "pd.Series[str]") -> "pd.Series[str]":
    """Return numbers of several spellings, such as 1, 1.0 and 01, in one.

    Texts stay as they are where no two are one number.
    """
    known = {text: _number_text(text) for text in column.unique()}
    return column.map(known) if len({*known.values()}) < len(known) else column


def _number_text(text: str) -> str:
    if not PLAIN.fullmatch(text) or len(text) > LONGEST_ID:
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() else repr(value)


def _pooled(rows: Rows, asked: TableAsk) -> list[str]:
    """Name the columns that were pooled as asked, with their values."""
    found = []
    for head in asked.pool:
        values = dict.fromkeys(rows.column(rows.heads.index(head)))
        if len(values) > 1:
            found.append(f"pooled {head} ({listed([v or 'empty' for v in values], 4)})")
    return found

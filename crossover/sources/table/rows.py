"""The rows of a table that count: of both contenders, sizes and times as numbers.

Rows that hold a mean, a median or a spread of others are told from those that are
times: google-benchmark writes them, by a column `aggregate_name` or at the end of a
name.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from crossover.files.untrusted import InputError, check_known, listed
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.file import Rows, read_rows
from crossover.sources.table.times import positive, read_times
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
    """The columns asked for, and what was done to the rows, in words."""

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_table(path: Path, asked: TableAsk) -> Table:
    """Read the rows of both contenders; sizes and times as numbers.

    Raises:
        InputError: as `read_rows` and `read_times` do, for a size that is no positive
            number (with its line), a contender that the table does not hold, and rows
            that are no repetitions of one measurement.
    """
    whole = read_rows(path, asked)
    who = [row[whole.heads.index(asked.contender)] for row in whole.rows]
    pair = (asked.baseline, asked.challenger)
    rows = whole.only([i for i, name in enumerate(who) if name in pair])
    rows, notes = without_aggregates(rows, asked)
    table = rows.frame(asked.columns)
    table[asked.axis] = positive(table[asked.axis], rows.lines)
    table[asked.time] = read_times(rows, asked)
    for column in filter(None, (asked.round, *asked.by)):
        table[column] = _without_point_zero(table[column])
    present = tuple(dict.fromkeys(who))
    for name in pair:
        check_known("contender", name, present)
    refuse_unlike(rows, table, asked)
    return Table(table, (*notes, *_pooled(rows, asked)))


def _without_point_zero(column: "pd.Series[str]") -> "pd.Series[str]":
    """Return integers of two spellings, 1 and 1.0, in one: pandas writes both."""
    parts = column.str.extract(r"^(-?[0-9]+)(\.0*)?$")
    is_mixed = parts[0].notna().all() and parts[1].notna().any()
    return parts[0] if is_mixed else column


def _pooled(rows: Rows, asked: TableAsk) -> list[str]:
    """Name the columns that were pooled as asked, with their values."""
    found = []
    for head in asked.pool:
        values = dict.fromkeys(rows.column(rows.heads.index(head)))
        if len(values) > 1:
            found.append(f"pooled {head} ({listed([v or 'empty' for v in values], 4)})")
    return found

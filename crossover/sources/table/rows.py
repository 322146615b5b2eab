"""The rows of a table that count: of both contenders, sizes and times as numbers."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from crossover.files.untrusted import near
from crossover.nouns import InputError
from crossover.sources.table.aggregates import without_aggregates
from crossover.sources.table.file import Rows, TableAsk, listed, read_rows
from crossover.sources.table.times import positive, read_times
from crossover.sources.table.unlike import refuse_unlike


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
    _check_contenders(tuple(dict.fromkeys(who)), pair)
    refuse_unlike(rows, table, asked)
    return Table(table, (*notes, *_pooled(rows, asked)))


def _check_contenders(present: tuple[str, ...], pair: tuple[str, str]) -> None:
    for name in pair:
        if name not in present:
            raise InputError(
                f"contender = {name!r}: must be one of {listed(present)}"
                f"{near(name, present[:1000])}"
            )


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

"""The CSV file of `table`: its rows as texts."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, Unreadable, check_known, read_text
from crossover.sources.table.ask import TableAsk

MOST_ROWS, MOST_FIELDS = 1_000_000, 10_000_000


@dataclass(frozen=True)
class Rows:
    """A table as texts, with the line of the file on which each row ends."""

    heads: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, place: int) -> list[str]:
        """Return one column, without the spaces around its texts."""
        return [row[place].strip() for row in self.rows]

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns as texts, their index the places of the rows here."""
        places = {c: self.heads.index(c) for c in columns}
        data = {c: [row[i] for row in self.rows] for c, i in places.items()}
        return pd.DataFrame(data, dtype=str)

    def only(self, places: Sequence[int]) -> "Rows":
        """Return the table with some of its rows."""
        return Rows(
            self.heads,
            [self.rows[i] for i in places],
            [self.lines[i] for i in places],
        )

    def unnamed(self, asked: TableAsk) -> list[int]:
        """Return the places of the columns that nothing is said of."""
        named = {*asked.columns, *asked.pool}
        return [i for i, head in enumerate(self.heads) if head not in named]


def read_rows(path: Path, asked: TableAsk) -> Rows:
    """Read a table and find the columns asked for.

    Raises:
        InputError: for a file that is no table or too large a one, and for a missing
            column (with the nearest name).
    """
    with refusing("file", path):
        try:
            return _parsed(read_text(path, pipe=True), asked)
        except csv.Error as error:
            raise Unreadable(f"not a CSV table: {error}") from error


def _parsed(whole: str, asked: TableAsk) -> Rows:
    """Return the rows of a text.

    Not by pandas, which takes a gigabyte for a long line and guesses what is meant by
    rows of another length.
    """
    if whole.count(",") + whole.count("\n") > MOST_FIELDS:
        raise Unreadable(f"too many fields; must be at most {MOST_FIELDS:,}")
    reader = csv.reader(io.StringIO(whole, newline=""))
    heads = next((row for row in reader if row), [])
    _check_columns(heads, asked)
    rows, lines = [], []
    for row in filter(None, reader):
        if len(row) != len(heads):
            raise Unreadable(
                f"not a CSV table: line {reader.line_num} has {len(row)} fields; must "
                f"have {len(heads)} as the first"
            )
        rows.append(row)
        lines.append(reader.line_num)
        if len(rows) > MOST_ROWS:
            raise Unreadable(f"too many rows; must be at most {MOST_ROWS:,}")
    return Rows(heads, rows, lines)


def _check_columns(known: list[str], asked: TableAsk) -> None:
    for column in (*asked.columns, *asked.pool):
        check_known("column", column, known)
    for column in asked.columns:
        if known.count(column) > 1:
            raise InputError(f"column = {column!r}: must be there only once")
    named = (*asked.columns, *asked.pool)
    if len(set(named)) < len(named):
        raise InputError(f"columns = {named}: each must be named only once")

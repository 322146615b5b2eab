"""The CSV file of `table`: only the columns asked for, sizes and times as numbers."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from bench.fields import LARGEST
from bench.nouns import InputError
from bench.untrusted import Unreadable, near, read_text, shown

MOST_ROWS, MOST_FIELDS = 1_000_000, 10_000_000
SMALLEST = 1e-18


@dataclass(frozen=True)
class Asked:
    """Which column holds what, and which two contenders to compare."""

    axis: str
    time: str
    contender: str
    baseline: str
    challenger: str
    round: str | None = None
    """None: the table has one time per size, and no interval can be given."""
    by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column used."""
        rounds = (self.round,) if self.round is not None else ()
        return (self.axis, self.time, self.contender, *rounds, *self.by)


def read_table(path: Path, asked: Asked) -> pd.DataFrame:
    """Read the columns asked for; sizes and times as numbers.

    Raises:
        InputError: for a file that is no table or too large a one, a missing column
            (with the nearest name), a time or size that is no positive number (with
            its line), and a contender that the table does not hold.
    """
    try:
        table = _columns(read_text(path, pipe=True), asked)
    except OSError as error:
        raise InputError(f"file = {str(path)!r}: {error.strerror}") from error
    except csv.Error as error:
        raise InputError(f"file = {str(path)!r}: not a CSV table: {error}") from error
    except Unreadable as error:
        raise InputError(f"file = {str(path)!r}: {error}") from error
    for column in (asked.axis, asked.time):
        table = table.assign(**{column: _positive(table[column])})
    present = tuple(table[asked.contender].unique())
    for name in (asked.baseline, asked.challenger):
        if name not in present:
            raise InputError(
                f"contender = {name!r}: must be one of {_list(present)}"
                f"{near(name, present[:1000])}"
            )
    return table[table[asked.contender].isin([asked.baseline, asked.challenger])]


def _columns(whole: str, asked: Asked) -> pd.DataFrame:
    """Return the columns asked for, as texts.

    Not by pandas, which takes a gigabyte for a long line and guesses what is meant by
    rows of another length.
    """
    if whole.count(",") + whole.count("\n") > MOST_FIELDS:
        raise Unreadable(f"too many fields; must be at most {MOST_FIELDS:,}")
    reader = csv.reader(io.StringIO(whole, newline=""))
    heads = next((row for row in reader if row), [])
    _check_columns(heads, asked)
    picked = itemgetter(*map(heads.index, asked.columns))
    rows = []
    for row in filter(None, reader):
        if len(row) != len(heads):
            raise Unreadable(
                f"not a CSV table: line {reader.line_num} has {len(row)} fields; must "
                f"have {len(heads)} as the first"
            )
        rows.append(picked(row))
        if len(rows) > MOST_ROWS:
            raise Unreadable(f"too many rows; must be at most {MOST_ROWS:,}")
    return pd.DataFrame(rows, columns=list(asked.columns), dtype=str)


def _check_columns(known: list[str], asked: Asked) -> None:
    for column in asked.columns:
        if column not in known:
            raise InputError(
                f"column = {column!r}: must be one of {_list(known)}"
                f"{near(column, tuple(known[:1000]))}"
            )
        if known.count(column) > 1:
            raise InputError(f"column = {column!r}: must be there only once")
    if len(set(asked.columns)) < len(asked.columns):
        raise InputError(f"columns = {asked.columns}: each must be named only once")


def _list(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:20])


def _positive(column: "pd.Series[str]") -> "pd.Series[float]":
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    bad = np.flatnonzero(~((numbers <= LARGEST) & (numbers >= SMALLEST)))
    if len(bad):
        line = int(bad[0]) + 2  # the header is line 1
        raise InputError(
            f"{column.name} = {shown(column.iloc[bad[0]])} in line {line}: "
            "must be a number > 0"
        )
    return numbers

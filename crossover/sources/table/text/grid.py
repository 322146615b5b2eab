"""A table as texts, each row with the line of the file on which it ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from crossover.sources.table.ask import TableAsk

MOST_ROWS, MOST_FIELDS = 1_000_000, 10_000_000


@dataclass(frozen=True)
class Rows:
    """A table as texts, with the line of the file on which each row ends."""

    heads: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str | None = None
    """What stood between cells; None if they came apart."""
    decimal: str | None = None
    """The decimal mark, if it is known."""
    said: tuple[str, ...] = ()
    """How the file was read, where it is no plain CSV."""
    left_out: tuple[str, ...] = ()
    """Which lines are no rows, and why."""

    def column(self, place: int) -> list[str]:
        """Return one column, without the spaces around its texts."""
        return [row[place].strip() for row in self.rows]

    def named(self, head: str) -> list[str]:
        """Return the column of a name; see `column`."""
        return self.column(self.heads.index(head))

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns as texts, their index the places of the rows here."""
        return pd.DataFrame({c: self.named(c) for c in columns}, dtype=str)

    def only(self, places: Sequence[int]) -> "Rows":
        """Return the table with some of its rows."""
        rows, lines = [self.rows[i] for i in places], [self.lines[i] for i in places]
        return Rows(
            self.heads, rows, lines, self.delimiter, self.decimal, self.said,
            self.left_out,
        )  # fmt: skip

    def unnamed(self, asked: TableAsk) -> list[int]:
        """Return the places of the columns that nothing is said of."""
        named = {*asked.columns, *asked.pool}
        return [i for i, head in enumerate(self.heads) if head not in named]

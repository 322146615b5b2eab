"""The crossovers in somebody's table of times, as people hold them in Python."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.command.ask import parse_margin
from crossover.crossing.answer import Settings
from crossover.door.asked import names, share_text
from crossover.door.zones import zones_table
from crossover.files.untrusted import InputError, check_known, listed, printable, shown
from crossover.findings import Answer
from crossover.nouns import field_names
from crossover.report.words.document import Section, fragment
from crossover.report.words.names import Name
from crossover.sources.table.analyse import GroupAnswer, line, write_answers
from crossover.sources.table.analyse import analyse as analyse_table
from crossover.sources.table.file import TableAsk
from crossover.sources.table.rows import read_table

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 20
"""A notebook shows the sizes of at most this many groups."""


class Analysed:
    """The answers of a table, one for each group of its rows.

    Args:
        found: the answers.
        asked: what the table's columns are.
    """

    def __init__(self, found: Sequence[GroupAnswer], asked: TableAsk) -> None:
        self.found, self._asked = tuple(found), asked

    @property
    def answer(self) -> str:
        """The answer of each group in a line, as `crossover analyse` prints it."""
        return "\n".join(printable(line(one, self._asked)) for one in self.found)

    def frame(self) -> "pd.DataFrame":
        """Return a row for each group: its values, and the answer's numbers."""
        import pandas as pd

        columns = field_names(Answer)
        rows = [
            dict(zip(self._asked.by, one.group, strict=True))
            | {name: getattr(one.answer, name) for name in columns}
            for one in self.found
        ]
        return pd.DataFrame(rows)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write analyse.csv and analyse.md to a folder.

        Raises:
            InputError: when it cannot be written.
        """
        out = Path(folder)
        write_answers(out, list(self.found), self._asked)
        return out

    def __repr__(self) -> str:
        return self.answer

    def _repr_html_(self) -> str:
        """Return the answers and zones for a notebook; it loads nothing."""
        a, b = Name(self._asked.baseline), Name(self._asked.challenger)
        shown_here = self.found[:MOST_SHOWN]
        tables = (zones_table(one.answer, self._asked.axis, a, b) for one in shown_here)
        return fragment(
            [
                Section(
                    items=tuple(self.answer.splitlines()),
                    tables=tuple(table for table in tables if table.rows),
                )
            ]
        )


def analyse(
    table: "pd.DataFrame",
    axis: str,
    contender: str,
    time: str,
    *,
    baseline: object = None,
    challenger: object = None,
    round: str | None = None,
    by: str | Sequence[str] = (),
    pool: str | Sequence[str] = (),
    higher_is_better: bool | None = None,
    margin: str | float | None = None,
) -> Analysed:
    """Find the crossovers in a table with a row for each time.

    Args:
        table: the times; see `crossover analyse`, which reads it from a file.
        axis: the column of sizes.
        contender: the column that says who was timed.
        time: the column of times.
        baseline: the value of the contender that is compared with; None: the first.
        challenger: the other one; None: the only one left.
        round: the column of rounds in which both took turns, if there is one.
        by: columns of groups, each of which gets an answer.
        pool: columns whose values are repetitions of one measurement.
        higher_is_better: whether `time` is a rate; None: decided by its name.
        margin: share by which a contender must be faster to be ahead; None: 5 %.

    Raises:
        TypeError: for what is no DataFrame.
        InputError: a `ValueError` that names a column, its value and what is allowed.
    """
    if not hasattr(table, "to_csv") or not hasattr(table, "columns"):
        raise TypeError(f"table = {shown(table)}: must be a DataFrame")
    heads = tuple(map(str, table.columns))
    check_known("contender", contender, heads)
    pair = _pair(table[contender], contender, baseline, challenger)
    groups, pooled = (
        names(field, given, "'model'") if given else ()
        for field, given in (("by", by), ("pool", pool))
    )
    asked = TableAsk(
        axis, time, contender, *pair, round, groups, pooled, higher_is_better
    )
    share = parse_margin(share_text(margin))
    settings = Settings() if share is None else Settings(margin=share)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        table.to_csv(file, index=False)
        try:
            rows = read_table(file, asked)
        except InputError as error:  # it names a file that the user never had
            said = str(error).replace(f"file = {str(file)!r}", "table")
            raise InputError(said.replace(str(file), "table")) from None
    return Analysed(analyse_table(rows, asked, settings), asked)


def _pair(
    column: "pd.Series[str]", name: str, baseline: object, challenger: object
) -> tuple[str, str]:
    """Return the baseline and the challenger, as texts.

    Raises:
        InputError: where only one is there, or several could be meant.
    """
    values = tuple(dict.fromkeys(str(value) for value in column.dropna()))
    first = values[0] if baseline is None and values else str(baseline)
    others = [value for value in values if value != first]
    if challenger is None and len(others) != 1:
        raise InputError(
            f"contender = {name!r}: holds {listed(values, 6) or 'nothing'}; must hold "
            "two, or say which two by baseline and challenger"
        )
    return first, others[0] if challenger is None else str(challenger)

"""The crossovers in somebody's table of times, as people hold them in Python."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.choose.export import picked
from crossover.choose.shipped.choice import Choice
from crossover.choose.shipped.pick import Pick
from crossover.command.ask import parse_margin
from crossover.door.asked import names, share_text
from crossover.door.chosen import data_of_table, write_export
from crossover.files.untrusted import shown
from crossover.findings import Answer
from crossover.nouns import field_names
from crossover.report.words.document import Section, fragment
from crossover.report.words.names import Name
from crossover.report.words.zones import zones_table
from crossover.sources.table.analyse import Analysed as Found
from crossover.sources.table.analyse import analyse_frame
from crossover.sources.table.ask import Wanted
from crossover.sources.table.told import say_left_out

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 20
"""A notebook shows the sizes of at most this many groups."""


class Analysed:
    """The answers of a table, one for each pair and group of its rows.

    Args:
        found: the answers.
    """

    def __init__(self, found: Found) -> None:
        self.found = found

    @property
    def answer(self) -> str:
        """The answer of each group in a line, as `crossover analyse` prints it."""
        return "\n".join(self.found.lines)

    @property
    def read(self) -> str:
        """What each column was taken for, and which rows were left out."""
        left_out = say_left_out(self.found.notes, self.found.left_out)
        return "\n".join([self.found.read, *left_out])

    def frame(self) -> "pd.DataFrame":
        """Return a row for each pair and group: its values, and its numbers."""
        import pandas as pd

        columns = field_names(Answer)
        rows = [
            {"baseline": asked.baseline, "challenger": asked.challenger}
            | dict(zip(asked.by, one.group, strict=True))
            | {name: getattr(one.answer, name) for name in columns}
            for asked, found in self.found.pairs
            for one in found
        ]
        return pd.DataFrame(rows)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write what `crossover analyse --out` writes to a folder.

        Raises:
            InputError: when it cannot be written.
        """
        out = Path(folder)
        self.found.write(out)
        return out

    def pick(self, /, *, extrapolate: bool = False, **sizes: Any) -> Pick:
        """Return the contender to use for a size, and how sure that is.

        Args:
            extrapolate: go beyond what was timed, which is a guess.
            sizes: the size and the values of groups, by the names of their columns.

        Raises:
            InputError: naming a column, its value and what was timed.
        """
        return picked(self._choice, sizes, extrapolate)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write a file to ship, `.json` or `.py`: what `pick` needs, and the zones.

        Raises:
            InputError: for another name, or when it cannot be written.
        """
        return write_export(self._choice.data, path)

    @cached_property
    def _choice(self) -> Choice:
        return Choice(data_of_table(self.found))

    def __repr__(self) -> str:
        return self.answer

    def _repr_html_(self) -> str:
        """Return the answers and zones for a notebook; it loads nothing."""
        tables = [
            zones_table(
                one.answer, asked.axis, Name(asked.baseline), Name(asked.challenger)
            )
            for asked, found in self.found.pairs
            for one in found
        ][:MOST_SHOWN]
        items = (*self.answer.splitlines(), *self.read.splitlines())
        whole = tuple(table for table in tables if table.rows)
        return fragment([Section(items=items, tables=whole)])


def analyse(
    table: "pd.DataFrame",
    axis: str | None = None,
    contender: str | None = None,
    time: str | None = None,
    *,
    baseline: object = None,
    challenger: object = None,
    round: str | None = None,
    by: str | Sequence[str] = (),
    pool: str | Sequence[str] = (),
    wide: str | Sequence[str] = (),
    higher_is_better: bool | None = None,
    margin: str | float | None = None,
) -> Analysed:
    """Find the crossovers in a table of times; what is not said is found out.

    Args:
        table: the times, in any form that `crossover analyse` reads from a file.
        axis: the column of sizes.
        contender: the column that says who was timed.
        time: the column of times.
        baseline: the value of the contender that is compared with; None: the first.
        challenger: the others, one or a list of them; None: all that are left.
        round: the column of rounds in which all took turns, if there is one.
        by: columns of groups, each of which gets an answer.
        pool: columns whose values are repetitions of one measurement.
        wide: columns of times, each named as who took them, instead of `contender`.
        higher_is_better: whether `time` is a rate; None: decided by its name.
        margin: share by which a contender must be faster to be ahead; None: 5 %.

    Raises:
        TypeError: for what is no DataFrame.
        InputError: a `ValueError` that names a column, its value and what is allowed.
    """
    if not hasattr(table, "to_csv") or not hasattr(table, "columns"):
        raise TypeError(f"table = {shown(table)}: must be a DataFrame")
    wanted = Wanted(
        axis=axis,
        time=time,
        contender=contender,
        baseline=None if baseline is None else str(baseline),
        challengers=_texts(challenger),
        round=round,
        by=_columns("by", by),
        pool=_columns("pool", pool),
        wide=_columns("wide", wide),
        higher_is_better=higher_is_better,
    )
    return Analysed(analyse_frame(table, wanted, parse_margin(share_text(margin))))


def _columns(field: str, given: str | Sequence[str]) -> tuple[str, ...]:
    return names(field, given, "'model'") if given else ()


def _texts(values: object) -> tuple[str, ...]:
    """Return one value, or each of a list, as text; none for None."""
    if values is None:
        return ()
    return tuple(map(str, values if isinstance(values, list | tuple) else [values]))

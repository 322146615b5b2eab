"""What changed between two runs, as people hold it in Python."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.command.ask import parse_margin
from crossover.command.reports import compared
from crossover.door.asked import share_text
from crossover.door.result import Result
from crossover.door.run import read
from crossover.gate.changes import Change, Comparison, lines
from crossover.report.words.document import Section, Strong, fragment
from crossover.report.words.numbers import number, times
from crossover.report.words.table import Table

if TYPE_CHECKING:
    import pandas as pd

HEADS = "what", "before", "after", "ratio", "at least", "at most", "changed"


class Compared:
    """The changes between two runs.

    Args:
        comparison: the changes.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    @property
    def changed(self) -> bool:
        """Whether anything changed significantly, beyond the margin."""
        return self.comparison.changed

    @property
    def answer(self) -> str:
        """How much changed, then each change in a line, in the units of the runs."""
        *each, last = lines(self.comparison)
        return "\n".join([*self.comparison.warnings, f"{last}.", *each])

    def frame(self) -> "pd.DataFrame":
        """Return a row for each crossover and time that both runs have."""
        import pandas as pd

        kinds = {"crossover": self.comparison.crossings, "time": self.comparison.times}
        rows = [
            {"kind": kind, **asdict(change)}
            for kind, changes in kinds.items()
            for change in changes
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return self.answer

    def _repr_html_(self) -> str:
        """Return the changes for a notebook; it loads nothing."""
        found = self.comparison
        said = (*found.warnings, f"{lines(found)[-1]}.")
        tables = (_table("Crossovers", found.crossings), _table("Times", found.times))
        paragraphs = tuple((Strong(line),) for line in said)
        return fragment([Section(paragraphs=paragraphs, tables=tables)])


def _table(caption: str, changes: tuple[Change, ...]) -> Table:
    return Table(caption, HEADS, tuple(map(_cells, changes)))


def _cells(change: Change) -> tuple[str, ...]:
    sides = (change.before, change.after)
    ratios = (change.ratio, change.low, change.high)
    return (
        change.what,
        *("" if value is None else number(value, 4) for value in sides),
        *("" if value is None else times(value) for value in ratios),
        "yes" if change.significant else "no",
    )


Side = Result | str | os.PathLike[str]


def compare(before: Side, after: Side, margin: str | float | None = None) -> Compared:
    """Say whether crossovers or times changed from one run to another.

    Args:
        before: a result, or what `read` takes.
        after: another one.
        margin: the share by which something must differ to have changed; None: that
            of the first run.

    Raises:
        InputError: when one cannot be read, or they have nothing in common.
    """
    sides = [one if isinstance(one, Result) else read(one) for one in (before, after)]
    first, second = (side.run for side in sides)
    named = _name(before), _name(after)
    share = parse_margin(share_text(margin))
    return Compared(compared(first, second, named, share))


def _name(side: Side) -> str:
    return side.run.run_id if isinstance(side, Result) else str(Path(os.fspath(side)))

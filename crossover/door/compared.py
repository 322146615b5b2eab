"""What changed between runs, as people hold it in Python."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.command.compare import limits_of
from crossover.door.asked import share_text
from crossover.door.result import Result
from crossover.door.run import read
from crossover.gate import words
from crossover.gate.changes import compare as compare_runs
from crossover.gate.outcome import Comparison
from crossover.report.words.document import Section, Strong, fragment

if TYPE_CHECKING:
    import pandas as pd


class Compared:
    """The changes from the first run to later ones.

    Args:
        comparison: the changes.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    @property
    def changed(self) -> bool:
        """Whether anything got slower or faster, or moved, beyond the margin."""
        return self.comparison.changed

    @property
    def failed(self) -> bool:
        """Whether a limit that was asked for is broken."""
        return self.comparison.failed

    @property
    def answer(self) -> str:
        """How much changed, then how fit the machines were, then each change."""
        return "\n".join(words.lines(self.comparison))

    def frame(self) -> "pd.DataFrame":
        """Return a row for each crossover, contender and time that the runs share."""
        import pandas as pd

        return pd.DataFrame([c.model_dump() for c in self.comparison.changes])

    def json(self) -> str:
        """Return what `crossover compare --json` prints."""
        return self.comparison.model_dump_json(indent=2)

    def markdown(self) -> str:
        """Return a summary in Markdown, for a pull request."""
        return words.summary(self.comparison)

    def __repr__(self) -> str:
        return self.answer

    def _repr_html_(self) -> str:
        """Return the changes for a notebook; it loads nothing."""
        found = self.comparison
        said = (f"{words.result(found)}.", *words.circumstances(found))
        paragraphs = tuple((Strong(line),) for line in said)
        return fragment([Section(paragraphs=paragraphs, tables=words.tables(found))])


Side = Result | str | os.PathLike[str]


def compare(
    before: Side,
    after: Side,
    *later: Side,
    margin: str | float | None = None,
    fail_slower: str | float | None = None,
    fail_moved: str | float | None = None,
    only: str | None = None,
) -> Compared:
    """Say whether crossovers or times changed from one run to others.

    Args:
        before: a result, or what `read` takes.
        after: another one.
        later: more of them, each compared with `before`.
        margin: the share by which something must differ to have changed; None: that
            of the first run.
        fail_slower: a contender that got slower by more than this share is a failure.
        fail_moved: a crossover that moved by more than this factor is a failure.
        only: a regular expression that the words of what is compared must hold.

    Raises:
        InputError: when one cannot be read, or they have nothing in common.
    """
    sides = before, after, *later
    limits = limits_of(
        share_text(margin),
        share_text(fail_slower, "fail_slower"),
        None if fail_moved is None else str(fail_moved),
        only,
    )
    held = [side if isinstance(side, Result) else read(side) for side in sides]
    runs, names = [one.run for one in held], [_name(side) for side in sides]
    return Compared(compare_runs(runs, names, limits))


def _name(side: Side) -> str:
    return side.run.run_id if isinstance(side, Result) else str(Path(os.fspath(side)))

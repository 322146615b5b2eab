"""What a run found, as people hold it: the answer, tables, a picture, all in a folder.

`find`, `run` and `read` return it. It computes nothing of its own: the analysis and the
report do.
"""

import os
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.analysis.crossover import incomplete, with_next_steps
from crossover.analysis.frame import Derived, Frames, derive, frames
from crossover.analysis.sweeps import SweepResult, is_along
from crossover.files.untrusted import InputError, check_known
from crossover.findings import Crossover
from crossover.nouns import Run
from crossover.record import run_folder
from crossover.report.latency import (
    calls_lines,
    calls_section,
    enough_lines,
    enough_section,
)
from crossover.report.tables import is_answer, not_measured
from crossover.report.terminal import plain_lines
from crossover.report.words.document import Picture, Section, Strong, fragment
from crossover.report.words.names import people
from crossover.report.words.sentences import fixed_values, headed, sentence
from crossover.report.words.table import Table
from crossover.report.words.zones import zones_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from crossover.choose.shipped.choice import Choice
    from crossover.choose.shipped.pick import Pick

FRAMES = tuple(field.name for field in fields(Frames))
PARTIAL = "Interrupted: this is what was measured until then."
MOST_DRAWN = 3
"""A notebook shows pictures and zones of at most this many sweeps."""
NOT_KEPT = Path("DIR")
"""Stands for the folder of a run that is not kept, in the command that goes on."""


class Result:
    """The answers of one run. A notebook shows them with a picture and the zones.

    Args:
        run: what was measured.
        folder: where it is kept; None if it is not.
        partial: whether it was interrupted.
    """

    def __init__(
        self, run: Run, folder: Path | None = None, partial: bool = False
    ) -> None:
        self.run, self.folder, self.partial = run, folder, partial
        self._choices: dict[str, Choice] = {}

    @property
    def answer(self) -> str:
        """The answers in sentences, what makes them doubtful in front of each."""
        train = [c for c in self.crossovers if c.view == "train"]
        enough = enough_lines(self._derived.enough)
        calls = calls_lines(self.run, self._derived.latencies)
        return "\n".join([*self._warnings(), *enough, *plain_lines(train), *calls])

    @property
    def crossovers(self) -> list[Crossover]:
        """Every answer with its numbers, measured or not."""
        found = self._derived.crossovers
        if self.folder is not None:
            return with_next_steps(self.run, found, self.folder)
        kept = with_next_steps(self.run, found, NOT_KEPT)
        resumes = f"crossover run --resume {NOT_KEPT}"
        saves = f".save('{NOT_KEPT}'), then {resumes}"
        return [replace(c, next_step=c.next_step.replace(resumes, saves)) for c in kept]

    def frame(self, name: str = "crossovers") -> "pd.DataFrame":
        """Return a table of the run; docs/tables.md lists their columns.

        Args:
            name: `crossovers`, `measurements`, `estimates`, `breakeven`, `speedups`,
                `costs`, `latency` or `enough`.

        Raises:
            InputError: for another name.
        """
        check_known("frame", name, FRAMES)
        found: pd.DataFrame = getattr(self._frames, name)
        return found.copy()

    def plot(self, sweep: int = 1) -> "Figure":
        """Draw times and speedups along a sweep.

        Args:
            sweep: which one, from 1.

        Raises:
            InputError: for a number that no sweep has, or if nothing was measured.
        """
        from crossover.door.drawn import drawn

        sweeps = self._derived.sweeps["train"]
        if not 1 <= sweep <= len(sweeps):
            raise InputError(f"sweep = {sweep!r}: must be 1 to {len(sweeps)}")
        if not sweeps[sweep - 1].estimates:
            raise InputError(f"sweep = {sweep}: nothing of it was measured")
        return drawn(sweeps, sweeps[sweep - 1])

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Keep the run and its report in a folder, which must be new or empty.

        Raises:
            InputError: when it holds anything else, or cannot be written.
        """
        from crossover.report.write import write_report

        out = Path(folder)
        run_folder.put(out, self.run)
        write_report(self.run, out, partial=self.partial)
        self.folder = out
        return out

    def pick(
        self, /, *, view: str = "train", extrapolate: bool = False, **sizes: Any
    ) -> "Pick":
        """Return the contender to use for a case, and how sure that is.

        Args:
            view: what a time includes: `train`, `with_transfer` or `from_scratch`.
            extrapolate: go beyond what was measured, which is a guess.
            sizes: the sizes and settings of the case, such as `hidden=512`; one that
                was measured at one value only need not be given.

        Raises:
            InputError: naming a size, its value and what was measured.
        """
        from crossover.choose.export import picked

        return picked(self._choice(view), sizes, extrapolate)

    def export(self, path: str | os.PathLike[str], view: str = "train") -> Path:
        """Write a file to ship, `.json` or `.py`: what `pick` needs, and the zones.

        Args:
            path: the file.
            view: what a time includes.

        Raises:
            InputError: for another name, or when it cannot be written.
        """
        from crossover.door.chosen import write_export

        return write_export(self._choice(view).data, path)

    def _choice(self, view: str) -> "Choice":
        from crossover.choose.of_run import data_of_run
        from crossover.choose.shipped.choice import Choice

        if view not in self._choices:
            known = self.crossovers, self._derived.recorded, self.partial
            self._choices[view] = Choice(data_of_run(self.run, view, *known))
        return self._choices[view]

    def __repr__(self) -> str:
        return self.answer

    def _repr_html_(self) -> str:
        """Return the answers, pictures and zones for a notebook; it loads nothing."""
        return fragment(self._sections())

    def _sections(self) -> Iterator[Section]:
        yield Section(paragraphs=tuple((Strong(line),) for line in self._warnings()))
        if enough := self._derived.enough:
            yield enough_section(enough)
        found = [c for c in self.crossovers if c.view == "train"]
        for place, result in enumerate(self._derived.sweeps["train"]):
            answers = [c for c in found if is_answer(c) and is_along(c, result.sweep)]
            if not answers:
                continue
            is_drawn = place < MOST_DRAWN
            yield Section(
                title=f"Over {fixed_values(result.sweep)}",
                items=tuple((Strong(headed(c)), f": {sentence(c)}") for c in answers),
                pictures=(self._picture(result),) if is_drawn else (),
                tables=tuple(map(_zones, answers)) if is_drawn else (),
            )
        if missing := not_measured(found):
            yield Section(title="Not measured", items=tuple(missing))
        if self._derived.latencies:
            yield calls_section(self.run, self._derived)

    def _picture(self, result: SweepResult) -> Picture:
        from crossover.door.drawn import picture

        return picture(self._derived.sweeps["train"], result)

    def _warnings(self) -> list[str]:
        """Return what a reader must know before all else."""
        lacks = incomplete(self.run, self._derived.crossovers)
        said = [f"Incomplete: {'; '.join(lacks)}."] if lacks else []
        return [PARTIAL] * self.partial + said

    @cached_property
    def _derived(self) -> Derived:
        return derive(self.run)

    @cached_property
    def _frames(self) -> Frames:
        return frames(self.run, self._derived)


def _zones(c: Crossover) -> Table:
    axis = c.line.workload.size(c.axis).axis_words
    return zones_table(c.answer, axis, *people(c.baseline, c.challenger))

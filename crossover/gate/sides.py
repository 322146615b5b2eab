"""How fit a run's machine was: its load, its drift, and what two processes differ by.

In: a run. Out: a `Measured`, what comparing it needs. `changes` calls it.
"""

import dataclasses
import statistics
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crossover.analysis.crossover import control_fired, crossovers, incomplete
from crossover.analysis.flags import is_withheld
from crossover.analysis.rounds import Recorded
from crossover.crossing.decide import FEWEST_ROUNDS, Array, median
from crossover.findings import Crossover
from crossover.gate.outcome import Side
from crossover.nouns import Cell, Measurement, Run


@dataclass(frozen=True, eq=False)
class Measured:
    """A run, and what the user calls it."""

    name: str
    run: Run

    @cached_property
    def recorded(self) -> Recorded:
        """Its rounds by cell."""
        return Recorded(self.run.measurements)

    @cached_property
    def found(self) -> list[Crossover]:
        """Its answers, A/A controls among them."""
        return crossovers(self.run, self.recorded)

    @cached_property
    def control_fired(self) -> bool:
        """Whether a contender seemed to differ from itself."""
        return control_fired(self.found)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Its cells with enough rounds, without copies."""
        return tuple(
            cell
            for cell in self.recorded.ok
            if not cell.contender.copy and len(self.logs(cell)) >= FEWEST_ROUNDS
        )

    def logs(self, cell: Cell) -> Array:
        """Return the log seconds of a cell's rounds, in their order."""
        rounds = self.recorded.rounds(cell, "train")
        return np.log([rounds[number] for number in sorted(rounds)])

    def is_withheld(self, cell: Cell) -> bool:
        """Tell whether other programs took so much that a time would be theirs."""
        return is_withheld(self.recorded.flags(self.run.machine)[cell])

    @cached_property
    def slack(self) -> float:
        """The log of the factor by which two processes of one contender differ."""
        differ = [
            median(self.logs(cell)) - median(self.logs(original))
            for cell in self.recorded.ok
            if cell.contender.copy
            and (original := _original(cell)) in self.recorded.ok
            and len(self.logs(cell))
            and len(self.logs(original))
        ]
        shown = abs(statistics.median(differ)) if differ else 0.0
        return max(shown, float(np.log1p(self.run.spec.resolution)))

    def side(self) -> Side:
        """Return what is said of the run before all else."""
        run, rows = self.run, self.run.measurements
        drifts = [_drift(self.logs(cell)) for cell in self.cells]
        waited = [w for rows in self.recorded.ok.values() if (w := _waited(rows))]
        return Side(
            name=self.name,
            run_id=run.run_id,
            commit=run.commit,
            started_utc=min((m.started_utc for m in rows if m.started_utc), default=""),
            cpu=run.machine.cpu,
            fingerprint=run.machine.fingerprint,
            cores=run.machine.cores,
            load_1min=run.machine.load_1min,
            waited_share=max(waited, default=None),
            drift=float(np.exp(statistics.median(drifts) if drifts else 0.0)),
            between_processes=float(np.exp(self.slack)),
            control_fired=self.control_fired,
            lacks=tuple(incomplete(run, self.found)),
        )


def _original(copy: Cell) -> Cell:
    return Cell(copy.case, dataclasses.replace(copy.contender, copy=0))


def _waited(rows: list[Measurement]) -> float | None:
    shares = [share for m in rows if (share := m.waited_share) is not None]
    return statistics.median(shares) if shares else None


def _drift(logs: Array) -> float:
    """Return by how much the second half of the rounds took longer."""
    half = len(logs) // 2
    return median(logs[half:]) - median(logs[:half])

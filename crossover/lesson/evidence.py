"""What the verdict on the lesson's claim follows from: the engine's run of the job.

The run's estimates, costs, crossover and break-even are those of every run; beside them
are the codes that have taken every step. `crossover.lesson.large` makes all of it.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from crossover.analysis.breakeven import BreakEven, break_evens
from crossover.analysis.cost_model import Costs, cost_models
from crossover.analysis.crossover import crossovers
from crossover.analysis.estimate import estimates
from crossover.analysis.flags import doubts
from crossover.analysis.rounds import Recorded
from crossover.analysis.sweeps import SweepResult, sweep_results
from crossover.contender import Contender
from crossover.findings import Crossover, Estimate
from crossover.nouns import Case, Cell, Run
from crossover.workloads.softmax import Softmax

LOOP, FUSED = "cpu/lesson", "cpu/fused@1"
"""The lesson's loop with torch's number of threads, and the best code of one core."""
QUOTE = "when the computation takes more than 4 hours, the GPU is faster than the CPU"
CLAIMED_S = 4 * 3600.0
BATCH_SIZE = 5
"""The batch size of the large job."""
EPOCHS, EPOCH_STEPS = sum(range(1, 61)), 60_000
"""The epochs of the large job, and the steps of one epoch of 300,000 rows."""
STEPS = EPOCHS * EPOCH_STEPS


@dataclass(frozen=True)
class Whole:
    """The whole job, every step taken: steps and seconds of each round."""

    rounds: tuple[tuple[int, float], ...]
    accuracy: float

    @property
    def seconds(self) -> float:
        """The seconds of all steps."""
        return sum(seconds for _, seconds in self.rounds)

    @property
    def lateness(self) -> float:
        """The time of a late step as a multiple of an early one's.

        Late are the steps of rounds that end in the later half of all steps.
        """
        steps, seconds = np.array(self.rounds).T
        is_late = 2 * steps.cumsum() > steps.sum()
        early, late = (seconds[m].sum() / steps[m].sum() for m in (~is_late, is_late))
        return float(late / early)


@dataclass(frozen=True)
class Evidence:
    """The run, whose first sweep is along the batch size; codes by contender's text."""

    run: Run
    gpu: str = ""
    """The lesson's loop on the device asked for; empty if that is the CPU."""
    gpu_missing: str = ""
    """Why no other device was asked for."""
    wholes: dict[str, Whole] = field(default_factory=dict)
    """The codes that have taken every step."""

    @cached_property
    def recorded(self) -> Recorded:
        """The rounds of the run, by cell."""
        return Recorded(self.run.measurements)

    @cached_property
    def result(self) -> SweepResult:
        """The times, speedups and crossovers along the batch size."""
        found = crossovers(self.run, self.recorded)
        return sweep_results(self.run, found, recorded=self.recorded)[0]

    @cached_property
    def times(self) -> dict[str, dict[int, Estimate]]:
        """By code and batch size, training alone: the time of as many rows as the job
        has. Only codes that were measured with the lesson's batches.
        """
        found: dict[str, dict[int, Estimate]] = {}
        for e in self.result.estimates:
            found.setdefault(str(e.contender), {})[e.case["batch_size"]] = e
        return {name: sizes for name, sizes in found.items() if BATCH_SIZE in sizes}

    @property
    def has_gpu(self) -> bool:
        """Whether the lesson's loop was measured on another device than the CPU."""
        return self.gpu in self.times

    @cached_property
    def missing(self) -> dict[str, str]:
        """By what was not measured, the reason."""
        case = self.run.spec.sweep[0].case_at(BATCH_SIZE)
        found = {} if self.gpu else {"GPU": self.gpu_missing}
        for name in self.run.spec.contenders:
            if name not in self.times:
                reason = self.recorded.reason(Cell(case, Contender.parse(name)))
                found["GPU" if name == self.gpu else name] = reason
        return found

    @cached_property
    def costs(self) -> dict[str, Costs]:
        """What the time of each code is made of."""
        return {str(c.contender): c for c in cost_models(self.run, self.recorded)}

    @cached_property
    def crossovers(self) -> dict[str, Crossover]:
        """Each other code against the loop, along the batch size."""
        return {c.challenger: c for c in self.result.timed()}

    @cached_property
    def break_evens(self) -> dict[str, BreakEven]:
        """Each other code against the loop, with the lesson's batches."""
        rows = (
            b
            for b in break_evens(self.run, self.recorded)
            if b.case["batch_size"] == BATCH_SIZE
        )
        return {b.challenger: b for b in rows}

    @cached_property
    def _from_scratch(self) -> dict[str, float]:
        return {
            str(e.contender): e.median_s
            for e in estimates(self.run, self.recorded)
            if (e.view, e.case["batch_size"]) == ("from_scratch", BATCH_SIZE)
        }

    def job_s(self, name: str) -> float:
        """Return the seconds of all steps, without fixed costs."""
        return self.times[name][BATCH_SIZE].median_s

    def total_s(self, name: str, steps: float) -> float:
        """Return the seconds of a job with the lesson's batches, fixed costs too."""
        fixed_s = self._from_scratch[name] - self.job_s(name)
        return fixed_s + steps / STEPS * self.job_s(name)

    def fused_s(self) -> float | None:
        """Return the seconds of all steps with trainer fused: taken, or scaled up."""
        if FUSED in self.wholes:
            return self.wholes[FUSED].seconds
        return self.job_s(FUSED) if FUSED in self.times else None

    def timed(self, name: str) -> int:
        """Return how many steps of the lesson's batch were timed."""
        job = self.times[name][BATCH_SIZE]
        rows = self.recorded.ok[Cell(job.case, job.contender)]
        epochs = sum(
            len(m.samples_s) * m.calls_per_sample * (m.epochs_run or 0) for m in rows
        )
        return round(epochs * steps_of(job.case) / job.case.repeats)

    def doubts(self, name: str) -> str:
        """Return what makes the time of the job doubtful, in words; "" if nothing.

        That it is scaled up is said wherever it stands.
        """
        said = doubts(self.times[name][BATCH_SIZE].flags)
        return "; ".join(
            words for flag, words in said.items() if flag != "extrapolated"
        )

    @property
    def threads(self) -> int | None:
        """The threads that the loop has on the CPU."""
        rows = self.run.measurements
        return next((m.threads for m in rows if str(m.contender) == LOOP), None)


def steps_of(case: Case) -> float:
    """Return the number of steps of a case, all epochs together."""
    return Softmax().work(case)["step"]

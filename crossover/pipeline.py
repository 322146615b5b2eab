"""The loop of every run: plan -> measure -> record, until the plan is empty.

In: a spec, a run to go on with, workers. Out: the run with its rounds, which are in the
journal as soon as they are measured. Commands, selftest and suites call it.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from crossover.attempts import Attempts, BudgetSpent
from crossover.files.untrusted import InputError
from crossover.measure.environment import ENVIRONMENT, Environment
from crossover.measure.nursery import nurseries
from crossover.measure.process import Workers
from crossover.nouns import SCHEMA, Machine, Measurement, Run, UserFile
from crossover.plan.plan import Block, Known
from crossover.plan.unfinished import unfinished
from crossover.record import run_folder
from crossover.record.invariants import Breach, so_far
from crossover.record.journal import Journal
from crossover.spec.spec import Spec

Progress = Callable[[Block, float, float], None]
"""Called after each round with its block, and the expected seconds done and in all."""


def carry_out(
    spec: Spec,
    run: Run,
    out: Path,
    workers: Workers,
    progress: Progress = lambda block, done_s, total_s: None,
    environment: Environment = ENVIRONMENT,
) -> Run:
    """Measure and record until the plan is empty or the budget is spent.

    After an interrupt, which passes through, every finished round is in the journal.

    Raises:
        InputError: when a round cannot be recorded.
    """
    loop = Loop(spec, run, out, workers, progress, environment)
    try:
        with environment.watch, nurseries():
            if left := unfinished(spec, run.measurements, run.machine):
                loop.measure([left])
            while blocks := loop.known.next_blocks():
                loop.measure(blocks)
    except BudgetSpent:
        pass
    except InputError as error:
        raise run_folder.rescue(out, run, loop.journal, error) from error
    finally:
        workers.stop()
        loop.journal.close()
        loop.results.cleanup()
    return dataclasses.replace(run, measurements=run_folder.load(out).measurements)


def carry_out_unkept(
    spec: Spec,
    machine: Machine,
    workers: Workers,
    progress: Progress = lambda block, done_s, total_s: None,
    user_file: UserFile | None = None,
) -> Run:
    """Carry out a spec in a temporary run directory; return the run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        run = Run(spec.name, SCHEMA, spec, None, "", machine, (), user_file)
        run_folder.create(out, run)
        return carry_out(spec, run, out, workers, progress)


def used_s(rows: Iterable[Measurement]) -> float:
    """Return the seconds that a run has measured, as its last round tells."""
    return max((m.elapsed_s or 0.0 for m in rows), default=0.0)


class Loop:
    """The state of one run while it is measured; only the journal keeps its rounds."""

    def __init__(
        self, spec: Spec, run: Run, out: Path, workers: Workers, progress: Progress,
        environment: Environment,
    ) -> None:  # fmt: skip
        self.environment, self.progress = environment, progress
        self.known = Known(spec, run.measurements, run.machine)
        self.journal, self.machine_id = Journal(out), run.machine_id
        self.results = tempfile.TemporaryDirectory()
        self.attempts = Attempts(
            spec, run, workers, environment, self._elapsed_s, self._record,
            Path(self.results.name),
        )  # fmt: skip
        self.invariants = so_far(run)
        self._done_s = 0.0
        self._recorded_s = used_s(run.measurements)
        self._started_s = self._awake_s() - self._recorded_s

    def _awake_s(self) -> float:
        """Return the time by the clock, without what passed while we were stopped."""
        now_s = self.environment.clock_s()  # a stop after this one only helps
        return now_s - self.environment.watch.look().seconds

    def _elapsed_s(self) -> float:
        """Return the seconds that this process and earlier ones have measured."""
        return self._awake_s() - self._started_s

    def _record(self, new: list[Measurement]) -> Breach | None:
        """Record rows, unless whoever reads them would refuse them."""
        # Who was stopped since the clock was read would have measured for less time.
        self._recorded_s = max(self._recorded_s, round(self._elapsed_s(), 3))
        then_s, here = self._recorded_s, self.machine_id
        new = [dataclasses.replace(m, elapsed_s=then_s, machine_id=here) for m in new]
        if breach := self.invariants.add(new):
            return breach
        self.journal.append(new)
        self.known.add(new)
        return None

    def measure(self, blocks: list[Block]) -> None:
        """Open all cells of the first block, measure its rounds, close the cells."""
        block = blocks[0]
        total_s = self._done_s + sum(b.expected_s for b in blocks)
        opened = self.attempts.open(block)
        for number in block.rounds[block.done :]:
            if not opened:
                break
            self.attempts.measure_round(block, number, opened)
            self._done_s += block.expected_s / len(block.rounds)
            self.progress(block, self._done_s, total_s)
        self.attempts.close(opened)

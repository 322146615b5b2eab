"""The one loop: plan -> measure -> record, until the plan is empty."""

import dataclasses
import math
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from crossover.measure.environment import HERE, Surroundings
from crossover.measure.pipe import Close, Ended, Open, Opened, R, Request, Sample
from crossover.measure.rows import Taken, disagreeing, measured
from crossover.measure.workers import Crew
from crossover.nouns import SCHEMA, Cell, Contender, Machine, Measurement, Run
from crossover.plan.plan import Block, Known, round_order
from crossover.plan.unfinished import unfinished
from crossover.record import run_folder
from crossover.record.journal import Journal, StoreError
from crossover.spec.contenders import missing
from crossover.spec.spec import Spec

MOST_TRAININGS = 5
"""A request that lasts until the timeout trains at most so often: opening a cell of
long epochs trains four, and a few batches."""
Progress = Callable[[Block, float, float], None]
"""Called after each round: its block, and the expected seconds done and in all."""


def carry_out(
    spec: Spec,
    run: Run,
    out: Path,
    crew: Crew,
    progress: Progress = lambda block, done_s, total_s: None,
    around: Surroundings = HERE,
) -> Run:
    """Measure and record until the plan is empty or the budget is spent.

    An interrupt passes through; every finished round is in the journal.

    Raises:
        StoreError: when a round cannot be recorded.
    """
    loop = Loop(spec, run, out, crew, progress, around)
    try:
        if left := unfinished(spec, run.measurements):
            loop.measure([left])
        while blocks := loop.known.next_blocks():
            loop.measure(blocks)
    except BudgetSpent:
        pass
    except StoreError as error:
        raise run_folder.rescue(out, run, loop.journal, error) from error
    finally:
        crew.stop()
        loop.journal.close()
    return dataclasses.replace(run, measurements=run_folder.rounds(out))


def carry_out_unkept(
    spec: Spec,
    machine: Machine,
    crew: Crew,
    progress: Progress = lambda block, done_s, total_s: None,
) -> Run:
    """Carry out a spec whose run directory is not wanted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        run = Run(spec.name, SCHEMA, spec, None, "", machine, ())
        run_folder.create(out, run)
        return carry_out(spec, run, out, crew, progress)


def used_s(rows: Iterable[Measurement]) -> float:
    """Return how long a run has measured, as its last round says."""
    return max((m.elapsed_s or 0.0 for m in rows), default=0.0)


class BudgetSpent(Exception):  # noqa: N818
    """The budget ended while a worker was at work, and with it the round in flight."""


class Loop:
    """The state of one run while it is measured; its rounds are in the journal only."""

    def __init__(
        self, spec: Spec, run: Run, out: Path, crew: Crew, progress: Progress,
        around: Surroundings,
    ) -> None:  # fmt: skip
        self.spec, self.run, self.crew, self.around = spec, run, crew, around
        self.known = Known(spec, run.measurements)
        self.journal = Journal(out)
        self.progress = progress
        self._killed: set[Contender] = set()
        self._done_s = 0.0
        self._started_s = around.clock_s() - used_s(run.measurements)

    def _elapsed_s(self) -> float:
        """Return how long this process and those before it have measured."""
        return self.around.clock_s() - self._started_s

    def _record(self, new: list[Measurement]) -> None:
        elapsed_s = round(self._elapsed_s(), 3)
        new = [dataclasses.replace(m, elapsed_s=elapsed_s) for m in new]
        self.journal.append(new)
        self.known.add(new)

    def _ask(self, contender: Contender, request: Request[R]) -> R | Ended:
        """Ask for as long as a cell may take, or the run: what ends first."""
        left_s = (self.spec.budget_s or math.inf) - self._elapsed_s()
        most_s = self.spec.cell_timeout_s
        if left_s <= 0:
            raise BudgetSpent
        reply = self.crew.ask(contender, request, min(left_s, most_s))
        is_late = isinstance(reply, Ended) and reply.status == "timeout"
        if is_late and left_s < most_s:
            raise BudgetSpent
        return reply

    def measure(self, blocks: list[Block]) -> None:
        """Open every cell of the first block, measure its rounds, close them."""
        block = blocks[0]
        total_s = self._done_s + sum(b.expected_s for b in blocks)
        opened = self._open(block)
        for number in block.rounds[block.done :]:
            if not opened:
                break
            self._measure_round(block, number, opened)
            self._done_s += block.expected_s / len(block.rounds)
            self.progress(block, self._done_s, total_s)
        for contender in opened:
            self._ask(contender, Close())

    def _open(self, block: Block) -> dict[Contender, Opened]:
        opened: dict[Contender, Opened] = {}
        for contender in block.contenders:
            if contender in block.ended:
                continue
            reply = self._open_cell(block, contender)
            if isinstance(reply, Ended) and reply.killed:
                reply = self._open_cell(block, contender)
            if isinstance(reply, Ended):
                self._end(block, block.rounds[block.done], {contender: reply})
            else:
                opened[contender] = reply
        wrong = disagreeing(opened)
        for contender in wrong:
            del opened[contender]
        if wrong:
            self._end(block, block.rounds[block.done], wrong)
        return opened

    def _open_cell(self, block: Block, contender: Contender) -> Opened | Ended:
        reason = missing(contender, self.run.machine)
        if reason is not None:
            return Ended(status="unavailable", notes=reason)
        return self._ask(contender, _open_request(self.spec, block, contender))

    def _end(self, block: Block, number: int, replies: dict[Contender, Ended]) -> None:
        """Record that cells did not run or did not go on, all at once."""
        rows = [
            Measurement(
                Cell(block.case, contender).id, self.run.run_id, number,
                reply.status, block.case, contender,
                loss=reply.loss,
                bound_s=self.spec.cell_timeout_s / MOST_TRAININGS
                if reply.status == "timeout"
                else None,
                notes=reply.notes,
                started_utc=self.around.now(),
            )
            for contender, reply in replies.items()
        ]  # fmt: skip
        self._record(rows)

    def _measure_round(
        self, block: Block, number: int, opened: dict[Contender, Opened]
    ) -> None:
        while (rows := self._round(block, number, opened)) is None:
            pass
        self._killed.clear()
        if rows:
            self._record(rows)

    def _round(
        self, block: Block, number: int, opened: dict[Contender, Opened]
    ) -> list[Measurement] | None:
        """Return the rows of a round, or None when it must be measured again."""
        started, throttled = self.around.now(), self.around.throttled()
        taken: dict[Contender, list[Taken]] = {c: [] for c in opened}
        for position, contender in enumerate(round_order(self.spec, block, number)):
            if contender not in opened:
                continue
            reply = self._ask(contender, Sample(round=number, position=position))
            if not isinstance(reply, Ended):
                taken[contender].append((position, reply))
                continue
            again = self._again(block, contender, reply)
            if not isinstance(again, Ended):
                opened[contender] = again
                return None
            del opened[contender]
            self._end(block, number, {contender: again})
        if throttled is not None:
            throttled = (self.around.throttled() or 0) - throttled
        rows = {
            contender: Measurement(
                Cell(block.case, contender).id, self.run.run_id, number,
                "ok", block.case, contender,
                load_1min=self.around.load_1min(),
                throttled_periods=throttled,
                started_utc=started,
                in_round=len(opened),
            )
            for contender in opened
        }  # fmt: skip
        is_first = number == block.rounds[0]
        return [
            measured(row, opened[contender], taken[contender], is_first)
            for contender, row in rows.items()
        ]

    def _again(
        self, block: Block, contender: Contender, ended: Ended
    ) -> Opened | Ended:
        """Open a cell again whose worker was killed from outside; once a round.

        One that is killed again, as where memory runs out, ends like any other.
        """
        if not ended.killed or contender in self._killed:
            return ended
        self._killed.add(contender)
        self.around.say(f"the worker of {contender} was killed: round measured again")
        return self._open_cell(block, contender)


def _open_request(spec: Spec, block: Block, contender: Contender) -> Open:
    return Open(
        workload=block.case.workload.name,
        case=dict(block.case.values),
        device=contender.device,
        trainer=contender.trainer,
        threads=contender.threads,
        ranks=contender.ranks,
        longest_s=spec.longest_sample_s,
    )

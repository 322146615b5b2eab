"""Open the cells of a block and measure its rounds, again what was disturbed.

In: the blocks of a plan, workers. Out: rows to record. The pipeline calls it.
"""

import dataclasses
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.contender import Contender
from crossover.latency.calls import single_calls
from crossover.measure.environment import Environment
from crossover.measure.pipe import (
    Close,
    Declared,
    Ended,
    Open,
    Opened,
    R,
    Request,
    Sample,
)
from crossover.measure.process import Workers
from crossover.measure.rows import (
    Setups,
    Taken,
    Waits,
    disagreeing,
    measured,
    too_short,
    with_stolen,
)
from crossover.nouns import Case, Cell, Measurement, Run
from crossover.plan.plan import Block, round_order
from crossover.spec.contenders import missing
from crossover.spec.spec import Spec
from crossover.system.stops import Stopped

if TYPE_CHECKING:
    from crossover.record.invariants import Breach

MOST_TRAININGS = 5
"""Most trainings in one request: after a timeout of T, one takes at least T / 5.
Opening a cell with long epochs takes four, and a few batches."""
MOST_ATTEMPTS = 3
"""Most attempts at a round, or at opening a cell, if each time something is stopped or
wrongly calibrated."""


class BudgetSpent(Exception):  # noqa: N818
    """The budget was spent before or while a worker answered; the round is dropped."""


@dataclasses.dataclass
class Attempts:
    """Who is asked, and what of the round in flight does not count."""

    spec: Spec
    run: Run
    workers: Workers
    environment: Environment
    elapsed_s: Callable[[], float]
    """Tells for how many seconds the run has measured."""
    record: Callable[[list[Measurement]], "Breach | None"]
    """Keeps rows; returns what contradicts itself in them, and then keeps none."""
    results: Path
    """The folder in which contenders leave results to be compared."""
    _killed: set[Contender] = dataclasses.field(default_factory=set)
    """Whose worker was killed or stopped in the round in flight."""
    _stopped: dict[Contender, str] = dataclasses.field(default_factory=dict)
    """Why the round in flight does not count: who was stopped in it, and how."""
    _fresh: set[Contender] = dataclasses.field(default_factory=set)
    """Whose cell was opened again in the round in flight, to calibrate anew."""
    _has_said: bool = False
    """Whether the user knows that rounds are measured again for waiting."""

    def __post_init__(self) -> None:
        workload = self.spec.declared
        file = self.run.user_file
        self._declared = Declared(workload=workload, file=file) if file else None
        self._waits = Waits(self.run.measurements)
        self._setups = Setups(self.spec)
        self._single = single_calls(self.spec, self.run.machine)

    def _ask(self, contender: Contender, request: Request[R]) -> R | Ended:
        """Ask a worker, until the cell's timeout or the end of the run's budget.

        Raises:
            BudgetSpent: when the budget ends first.
        """
        left_s = (self.spec.budget_s or math.inf) - self.elapsed_s()
        most_s = self.spec.cell_timeout_s
        if left_s <= 0:
            raise BudgetSpent
        reply = self.workers.ask(contender, request, min(left_s, most_s))
        is_late = isinstance(reply, Ended) and reply.status == "timeout"
        if is_late and left_s < most_s:
            raise BudgetSpent
        return reply

    def open(self, block: Block) -> dict[Contender, Opened]:
        """Open all cells of a block; those that cannot be opened are recorded."""
        opened: dict[Contender, Opened] = {}
        for contender in (c for c in block.contenders if c not in block.ended):
            reply = self._open_cell(block, contender)
            if isinstance(reply, Ended) and reply.killed:
                reply = self._open_cell(block, contender)
            if isinstance(reply, Opened):
                reply = self._set_up_twice(block, contender, reply)
            if isinstance(reply, Ended):
                self._end(block, block.rounds[block.done], {contender: reply})
            else:
                opened[contender] = reply
        if wrong := disagreeing(opened):
            self._end(block, block.rounds[block.done], wrong)
        for contender in wrong:
            del opened[contender]
        return opened

    def _open_cell(self, block: Block, contender: Contender) -> Opened | Ended:
        """Open a cell; again, in a fresh process, if it was stopped meanwhile."""
        if (reason := missing(contender, self.run.machine)) is not None:
            return Ended(status="unavailable", notes=reason)
        request = Open(
            workload=block.case.workload.name,
            case=dict(block.case.values),
            device=contender.device,
            trainer=contender.trainer,
            threads=contender.threads,
            ranks=contender.ranks,
            longest_s=self.spec.longest_sample_s,
            declared=self._declared,
            agreed=self._agreed(block),
        )
        why = ""
        for _ in range(MOST_ATTEMPTS):
            if why:
                self.environment.say(f"{why}: cell of {contender} opened again")
            before = self.environment.watch.look()
            reply = self._ask(contender, request)
            why = self._stopped_since(before)
            if reply.was_stopped:
                why = why or _worker_was(contender, "stopped")
            if not why:
                return self._noted(block.case, contender, reply)
            self.workers.end(contender)
        return Ended(status="failed", notes=f"{why}, {MOST_ATTEMPTS} times in a row")

    def _noted(
        self, case: Case, contender: Contender, reply: Opened | Ended
    ) -> Opened | Ended:
        """Return a reply that says why no single calls follow, where they should."""
        if isinstance(reply, Ended):
            return reply
        if not (why := self._single.why_none(case, contender, reply.epochs_run)):
            return reply
        notes = "; ".join(filter(None, (reply.notes, f"latency: {why}")))
        return reply.model_copy(update={"notes": notes})

    def _agreed(self, block: Block) -> str | None:
        """Return the file that holds the result of a case's first contender."""
        workload = block.case.workload
        if workload.check is None and not workload.is_users:
            return None
        name = hashlib.sha256(block.case.id.encode()).hexdigest()
        return str(self.results / f"{name}.npz")

    def _set_up_twice(
        self, block: Block, contender: Contender, reply: Opened
    ) -> Opened | Ended:
        """Set up a cell in a second process if the set-up proves nothing by itself.

        The shorter one counts.
        """
        if not self._setups.is_doubtful(contender, reply):
            return reply
        self.workers.end(contender)
        again = self._open_cell(block, contender)
        if isinstance(again, Opened):
            again = again.model_copy(
                update={"setup_s": self._setups.shorter(contender, again)}
            )
        return again

    def close(self, opened: dict[Contender, Opened]) -> None:
        """Close the cells of a block."""
        for contender in opened:
            self._ask(contender, Close())

    def _end(self, block: Block, number: int, replies: dict[Contender, Ended]) -> None:
        """Record, all at once, the cells that could not run or go on."""
        rows = [
            Measurement(
                Cell(block.case, contender).id, self.run.run_id, number,
                reply.status, block.case, contender,
                loss=reply.loss,
                bound_s=self.spec.cell_timeout_s / MOST_TRAININGS
                if reply.status == "timeout"
                else None,
                notes=reply.notes,
                started_utc=self.environment.now(),
            )
            for contender, reply in replies.items()
        ]  # fmt: skip
        if breach := self.record(rows):
            raise RuntimeError(f"a row that ends a cell is no row: {breach}")

    def measure_round(
        self, block: Block, number: int, opened: dict[Contender, Opened]
    ) -> None:
        """Measure a round until it counts; one that does not is recorded with why.

        One that contradicts itself, or earlier rows, cannot be recorded at all.
        """
        self._killed.clear()
        self._fresh.clear()
        failures = waits = 0
        while True:
            while (rows := self._round(block, number, opened)) is None:
                pass
            stopped = "; ".join(dict.fromkeys(self._stopped.values()))
            wrong = {} if stopped else too_short(rows, opened)
            why = stopped or "; ".join(wrong.values())
            why = why or self._waits.disturbed(rows, waits)
            rows = [dataclasses.replace(m, discarded=why) for m in rows]
            if rows and (breach := self.record(rows)):
                liar = rows[breach.at].contender
                why = f"{liar} contradicts itself ({breach})"
                self._stopped, wrong = {}, {liar: why}
                self.workers.end(liar)
            if not rows or not why:
                return
            has_failed = bool(self._stopped or wrong)
            failures, waits = failures + has_failed, waits + (not has_failed)
            if failures == MOST_ATTEMPTS:
                break
            self._say_again(why, has_failed)
            for contender in wrong:
                self._open_anew(block, number, contender, opened)
        notes = f"{why}, in {MOST_ATTEMPTS} attempts at a round"
        failed = self._stopped or wrong
        ended = {c: Ended(status="failed", notes=notes) for c in failed}
        for contender in ended:
            del opened[contender]
        self._end(block, number, ended)

    def _open_anew(
        self, block: Block, number: int, contender: Contender,
        opened: dict[Contender, Opened],
    ) -> None:  # fmt: skip
        """Open a cell again, to decide anew how often a sample trains."""
        reply = self._open_cell(block, contender)
        if isinstance(reply, Ended):
            del opened[contender]
            self._end(block, number, {contender: reply})
            return
        opened[contender] = reply
        self._fresh.add(contender)

    def _say_again(self, why: str, has_failed: bool) -> None:
        """Say that a round is measured again; for waiting, once in a run."""
        if has_failed:
            self.environment.say(f"{why}: round measured again")
        elif not self._has_said:
            self._has_said = True
            self.environment.say(f"{why}: such rounds are measured again")

    def _round(
        self, block: Block, number: int, opened: dict[Contender, Opened]
    ) -> list[Measurement] | None:
        """Measure a round; return its rows, or None if it must be measured again.

        `_stopped` tells then who was stopped meanwhile, and how.
        """
        begun, throttled = self.environment.now(), self.environment.throttled()
        stolen, start_s = self.environment.stolen_s(), self.environment.clock_s()
        before, self._stopped = self.environment.watch.look(), {}
        taken: dict[Contender, list[Taken]] = {c: [] for c in opened}
        for position, contender in enumerate(round_order(self.spec, block, number)):
            if contender not in opened:
                continue
            repeats = opened[contender].epochs_run
            then = self._single.after(block.case, contender, repeats)
            request = Sample(
                round=number, position=position, single=then.most, single_s=then.most_s
            )
            reply = self._ask(contender, request)
            if not isinstance(reply, Ended):
                taken[contender].append((position, reply))
                if reply.was_stopped:
                    self._stopped[contender] = _worker_was(contender, "stopped")
                continue
            again = self._again(block, contender, reply, before)
            if not isinstance(again, Ended):
                opened[contender] = again
                return None
            del opened[contender]
            self._stopped.pop(contender, None)
            self._end(block, number, {contender: again})
        if why := self._stopped_since(before):
            self._stopped = dict.fromkeys(opened, why)
        if throttled is not None:
            throttled = (self.environment.throttled() or 0) - throttled
        whole = []
        for contender, reply_to_open in opened.items():
            row = Measurement(
                Cell(block.case, contender).id, self.run.run_id, number,
                "ok", block.case, contender,
                load_1min=self.environment.load_1min(),
                throttled_periods=throttled,
                started_utc=begun,
                in_round=len(opened),
                flags=self.workers.flags,
            )  # fmt: skip
            is_first = number == block.rounds[0] or contender in self._fresh
            whole.append(measured(row, reply_to_open, taken[contender], is_first))
        if stolen is None:
            return whole
        stolen = (self.environment.stolen_s() or stolen) - stolen
        round_s = self.environment.clock_s() - start_s
        return [with_stolen(row, stolen, round_s) for row in whole]

    def _again(
        self, block: Block, contender: Contender, ended: Ended, before: Stopped
    ) -> Opened | Ended:
        """Open a cell again if its worker was killed or stopped, once in a round.

        If it is killed again, as happens when memory runs out, the cell ends.
        """
        was_stopped = ended.was_stopped or self.environment.watch.look() != before
        if not (ended.killed or was_stopped) or contender in self._killed:
            return ended
        self._killed.add(contender)
        what = _worker_was(contender, "killed" if ended.killed else "stopped")
        self.environment.say(f"{what}: round measured again")
        return self._open_cell(block, contender)

    def _stopped_since(self, before: Stopped) -> str:
        """Tell for how long this process was stopped since a look; "" if it was not."""
        now = self.environment.watch.look()
        if now == before:
            return ""
        return f"stopped for {now.seconds - before.seconds:.0f} s"


def _worker_was(contender: Contender, what: str) -> str:
    return f"the worker of {contender} was {what}"

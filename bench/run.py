"""The one loop: plan -> measure -> record, until the plan is empty."""

import dataclasses
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import store
from bench.contenders import missing_cores
from bench.machine import throttled_periods
from bench.measure.process import Asked, WorkerProcess
from bench.nouns import SCHEMA, Cell, Contender, Machine, Measurement, Run
from bench.plan import Block, Known, round_order
from bench.spec import Spec

LOSS_RTOL, LOSS_ATOL = 0.02, 1e-3
MOST_TRAININGS = 5
"""A request that lasts until the timeout trains at most so often: opening a cell of
long epochs trains four, and a few batches."""
Progress = Callable[[Block, float, float], None]
"""Called after each round: its block, and the expected seconds done and in all."""


@dataclass
class Crew:
    """The worker process of each contender, started when first needed."""

    start: Callable[[Contender], Asked] = lambda c: WorkerProcess(c.threads)
    workers: dict[Contender, Asked] = field(default_factory=dict)

    def ask(
        self, contender: Contender, request: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Ask a contender's worker; a dead one is replaced at the next request."""
        if contender not in self.workers:
            self.workers[contender] = self.start(contender)
        reply = self.workers[contender].ask(request, timeout_s)
        if reply.get("status") in ("timeout", "crashed"):
            self.workers.pop(contender).stop()
        return reply

    def stop(self) -> None:
        """End every worker."""
        while self.workers:
            self.workers.popitem()[1].stop()


def carry_out(
    spec: Spec,
    run: Run,
    out: Path,
    crew: Crew,
    progress: Progress = lambda block, done_s, total_s: None,
) -> Run:
    """Measure and record until the plan is empty or the budget is spent.

    KeyboardInterrupt passes through; every finished round is in the journal.
    """
    loop = Loop(spec, run, out, crew, progress)
    try:
        while blocks := loop.known.next_blocks():
            loop.measure(blocks)
    except BudgetSpent:
        pass
    finally:
        crew.stop()
    return dataclasses.replace(run, measurements=store.rounds(out))


def carry_out_unkept(spec: Spec, machine: Machine, crew: Crew) -> Run:
    """Carry out a spec whose run directory is not wanted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        out, fields = Path(folder) / "run", spec.model_dump(mode="json")
        run = Run(spec.name, SCHEMA, fields, None, "", machine, ())
        store.create(out, run)
        return carry_out(spec, run, out, crew)


class BudgetSpent(Exception):  # noqa: N818
    """The budget ended while a worker was at work, and with it the round in flight."""


class Loop:
    """The state of one run while it is measured; its rounds are in the journal only."""

    def __init__(
        self, spec: Spec, run: Run, out: Path, crew: Crew, progress: Progress
    ) -> None:
        self.spec, self.run, self.out, self.crew = spec, run, out, crew
        self.known = Known(spec, run.measurements)
        self.progress = progress
        self._done_s = 0.0
        self._end_s = time.monotonic() + (spec.budget_s or math.inf)

    def _record(self, new: list[Measurement]) -> None:
        store.append(self.out, new)
        self.known.add(new)

    def _ask(self, contender: Contender, request: dict[str, Any]) -> dict[str, Any]:
        """Ask for as long as a cell may take, or the run: what ends first."""
        left_s, most_s = self._end_s - time.monotonic(), self.spec.cell_timeout_s
        if left_s <= 0:
            raise BudgetSpent
        reply = self.crew.ask(contender, request, min(left_s, most_s))
        if reply.get("status") == "timeout" and left_s < most_s:
            raise BudgetSpent
        return reply

    def measure(self, blocks: list[Block]) -> None:
        """Open every cell of the first block, measure its rounds, close them."""
        block = blocks[0]
        total_s = self._done_s + sum(b.expected_s for b in blocks)
        opened = self._open(block)
        for number in block.rounds:
            if not opened:
                break
            self._measure_round(block, number, opened)
            self._done_s += block.expected_s / len(block.rounds)
            self.progress(block, self._done_s, total_s)
        for contender in opened:
            self._ask(contender, {"op": "close"})

    def _open(self, block: Block) -> dict[Contender, dict[str, Any]]:
        opened: dict[Contender, dict[str, Any]] = {}
        for contender in block.contenders:
            reason = self._missing(contender)
            if reason is not None:
                reply = {"status": "unavailable", "notes": reason}
            else:
                reply = self._ask(contender, _open_request(self.spec, block, contender))
            if reply["status"] == "ok":
                opened[contender] = reply
            else:
                self._end(block, contender, block.rounds[0], reply)
        for contender, wrong in _disagreeing(opened).items():
            del opened[contender]
            self._end(block, contender, block.rounds[0], wrong)
        return opened

    def _missing(self, contender: Contender) -> str | None:
        machine = self.run.machine
        reason = machine.unavailable.get(contender.device)
        if reason is not None:
            return f"{contender.device}: {reason}"
        return missing_cores(contender, machine.cores)

    def _end(
        self, block: Block, contender: Contender, number: int, reply: dict[str, Any]
    ) -> None:
        """Record that a cell did not run or did not go on."""
        row = Measurement(
            Cell(block.case, contender).cell_id, self.run.run_id, number,
            reply["status"], block.case, contender,
            loss=reply.get("loss"),
            bound_s=self.spec.cell_timeout_s / MOST_TRAININGS
            if reply["status"] == "timeout"
            else None,
            notes=reply.get("notes", ""),
            started_utc=_now(),
        )  # fmt: skip
        self._record([row])

    def _measure_round(
        self, block: Block, number: int, opened: dict[Contender, dict[str, Any]]
    ) -> None:
        started, throttled = _now(), throttled_periods()
        samples: dict[Contender, list[tuple[int, float]]] = {c: [] for c in opened}
        joules: dict[Contender, list[float | None]] = {c: [] for c in opened}
        facts: dict[Contender, dict[str, Any]] = {c: {} for c in opened}
        for position, contender in enumerate(round_order(self.spec, block, number)):
            if contender not in opened:
                continue
            reply = self._ask(contender, {"op": "sample"})
            if "status" in reply:
                del opened[contender]
                self._end(block, contender, number, reply)
                continue
            samples[contender].append((position, reply.pop("sample_s")))
            joules[contender].append(reply.pop("sample_j", None))
            facts[contender] |= reply
        if throttled is not None:
            throttled = (throttled_periods() or 0) - throttled
        rows = []
        for contender, reply in opened.items():
            values = {k: v for k, v in reply.items() if k != "status"}
            first = number == block.rounds[0]
            values["warmup_s"] = tuple(values["warmup_s"]) if first else ()
            rows.append(
                Measurement(
                    Cell(block.case, contender).cell_id, self.run.run_id, number,
                    "ok", block.case, contender,
                    positions=tuple(p for p, _ in samples[contender]),
                    samples_s=tuple(s for _, s in samples[contender]),
                    samples_j=_all_or_none(joules[contender]),
                    load_1min=os.getloadavg()[0],
                    throttled_periods=throttled,
                    started_utc=started,
                    **facts[contender],
                    **values,
                )
            )  # fmt: skip
        self._record(rows)


def _all_or_none(joules: list[float | None]) -> tuple[float, ...]:
    known = tuple(j for j in joules if j is not None)
    return known if len(known) == len(joules) else ()


def _disagreeing(
    opened: dict[Contender, dict[str, Any]],
) -> dict[Contender, dict[str, Any]]:
    """Return who ends at another loss than the others after as many epochs."""
    found = {}
    for epochs in {reply["epochs_run"] for reply in opened.values()}:
        alike = {c: r for c, r in opened.items() if r["epochs_run"] == epochs}
        usual = statistics.median_low(reply["loss"] for reply in alike.values())
        for contender, reply in alike.items():
            if abs(reply["loss"] - usual) <= LOSS_RTOL * abs(usual) + LOSS_ATOL:
                continue
            notes = (
                f"loss {reply['loss']:.6g} where the others end at {usual:.6g}: wrong, "
                "or a learning rate at which training is not stable"
            )
            found[contender] = {**reply, "status": "failed", "notes": notes}
    return found


def _open_request(spec: Spec, block: Block, contender: Contender) -> dict[str, Any]:
    return {
        "op": "open",
        "case": dataclasses.asdict(block.case),
        "device": contender.device,
        "trainer": contender.trainer,
        "threads": contender.threads,
        "ranks": contender.ranks,
        "longest_s": spec.longest_sample_s,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

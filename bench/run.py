"""The one loop: plan -> measure -> record, until the plan is empty."""

import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import store
from bench.measure.process import Asked, WorkerProcess
from bench.nouns import Cell, Contender, Measurement, Run
from bench.plan import Block, next_blocks, round_order
from bench.spec import Spec

Progress = Callable[[Block, float], None]
"""Called after each round with the block and the expected seconds it stood for."""


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
    spec: Spec, run: Run, out: Path, crew: Crew, progress: Progress = lambda b, s: None
) -> Run:
    """Measure and record until the plan is empty or the budget is spent.

    KeyboardInterrupt passes through; every finished round is in the journal.
    """
    started = time.monotonic()
    rows = list(run.measurements)

    def record(new: list[Measurement]) -> None:
        store.append(out, new)
        rows.extend(new)

    def spent() -> bool:
        elapsed_s = time.monotonic() - started
        return spec.budget_s is not None and elapsed_s > spec.budget_s

    try:
        while not spent() and (blocks := next_blocks(spec, rows)):
            measure_block(spec, run.run_id, blocks[0], crew, record, progress, spent)
    finally:
        crew.stop()
    return dataclasses.replace(run, measurements=tuple(rows))


def measure_block(
    spec: Spec,
    run_id: str,
    block: Block,
    crew: Crew,
    record: Callable[[list[Measurement]], None],
    progress: Progress,
    spent: Callable[[], bool] = lambda: False,
) -> None:
    """Open every contender's cell, then measure rounds of all that opened."""
    opened: dict[Contender, dict[str, Any]] = {}
    for contender in block.contenders:
        reply = crew.ask(
            contender, _open_request(spec, block, contender), spec.cell_timeout_s
        )
        if reply["status"] == "ok":
            opened[contender] = reply
        else:
            record([_ended(run_id, block, contender, block.rounds[0], reply)])
    _check_losses(run_id, block, opened, record)
    share_s = block.expected_s / len(block.rounds)
    for number in block.rounds:
        if not opened or spent():
            break
        _measure_round(spec, run_id, block, number, crew, opened, record)
        progress(block, share_s)
    for contender in opened:
        crew.ask(contender, {"op": "close"}, spec.cell_timeout_s)


def _measure_round(
    spec: Spec,
    run_id: str,
    block: Block,
    number: int,
    crew: Crew,
    opened: dict[Contender, dict[str, Any]],
    record: Callable[[list[Measurement]], None],
) -> None:
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    samples: dict[Contender, list[tuple[int, float]]] = {c: [] for c in opened}
    transfers: dict[Contender, float] = {}
    rows = []
    for position, contender in enumerate(round_order(spec, block, number)):
        if contender not in opened:
            continue
        for request in (
            ("transfer", "sample") if contender not in transfers else ("sample",)
        ):
            reply = crew.ask(contender, {"op": request}, spec.cell_timeout_s)
            if "status" in reply:
                rows.append(_ended(run_id, block, contender, number, reply))
                del opened[contender]
                break
            if request == "transfer":
                transfers[contender] = reply["transfer_s"]
            else:
                samples[contender].append((position, reply["sample_s"]))
    for contender, facts in opened.items():
        values = {k: v for k, v in facts.items() if k != "status"}
        values["warmup_s"] = (
            tuple(values["warmup_s"]) if number == block.rounds[0] else ()
        )
        rows.append(
            Measurement(
                Cell(block.case, contender).cell_id, run_id, number, "ok",
                block.case, contender,
                positions=tuple(p for p, _ in samples[contender]),
                samples_s=tuple(s for _, s in samples[contender]),
                transfer_s=transfers[contender],
                started_utc=started,
                **values,
            )
        )  # fmt: skip
    record(rows)


def _check_losses(
    run_id: str,
    block: Block,
    opened: dict[Contender, dict[str, Any]],
    record: Callable[[list[Measurement]], None],
) -> None:
    """End every cell whose loss disagrees with the others': wrong is not fast."""
    if not opened:
        return
    usual = statistics.median_low(reply["loss"] for reply in opened.values())
    for contender, reply in list(opened.items()):
        if not abs(reply["loss"] - usual) <= 0.02 * abs(usual) + 1e-3:
            notes = f"loss {reply['loss']:.6g} where the others end at {usual:.6g}"
            wrong = {**reply, "status": "failed", "notes": notes}
            record([_ended(run_id, block, contender, block.rounds[0], wrong)])
            del opened[contender]


def _open_request(spec: Spec, block: Block, contender: Contender) -> dict[str, Any]:
    return {
        "op": "open",
        "case": dataclasses.asdict(block.case),
        "device": contender.device,
        "trainer": contender.trainer,
        "threads": contender.threads,
        "longest_s": spec.longest_sample_s,
    }


def _ended(
    run_id: str, block: Block, contender: Contender, number: int, reply: dict[str, Any]
) -> Measurement:
    """Return the row of a cell that did not run or did not go on."""
    return Measurement(
        Cell(block.case, contender).cell_id,
        run_id,
        number,
        reply["status"],
        block.case,
        contender,
        loss=reply.get("loss"),
        notes=reply.get("notes", ""),
        started_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )

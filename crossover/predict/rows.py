"""A run's measured CPU times beside a data sheet's device: one `Row` a prediction.

What the device would be given is counted by a worker, its time computed by `model`.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from crossover.analysis.cost_model import STEP, Costs, cost_models
from crossover.analysis.estimate import estimates
from crossover.analysis.rounds import Recorded
from crossover.findings import Estimate
from crossover.measure.pipe import Count, Ended
from crossover.measure.process import AnyWorker
from crossover.nouns import Case, InputError, Run
from crossover.predict.model import (
    ROOM,
    Counts,
    Predicted,
    PredictedCrossover,
    predicted_crossover,
    predicted_s,
)
from crossover.predict.sheet import Sheet
from crossover.spec.sweep import Sweep
from crossover.workloads.workload import MOVED

VIEWS = ("train", "with_transfer")
COUNT_TIMEOUT_S = 120.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One prediction: a sweep, a view, a measured baseline, a device."""

    axis: str
    line: Case
    """The case of every size, without a value on the axis."""
    view: str
    baseline: str
    device: str
    trainer: str
    found: PredictedCrossover
    left_out: int
    """Sizes whose data do not fit into the device's memory."""


def predict(
    run: Run, sheets: list[Sheet], trainer: str, worker: AnyWorker
) -> Iterator[Row]:
    """Predict where each device would overtake each contender measured on the CPU.

    Raises:
        InputError: for a trainer whose work cannot be counted here.
    """
    spec = run.spec
    costs, work = cost_models(run), Recorded.of(run).work
    known = [e for e in estimates(run, spec.confidence) if not e.contender.copy]
    for sweep in spec.sweep:
        cases = sweep.cases_with(run.measurements)
        measured_work = {s: work[c] for s, c in cases.items() if c in work}
        cases = {size: cases[size] for size in measured_work}
        counts = counted(worker, trainer, cases, measured_work, costs)
        for view in VIEWS:
            for baseline, times in measured(known, sweep, cases, view).items():
                for sheet in sheets:
                    found, left_out = compared(sheet, counts, times, view)
                    yield Row(
                        sweep.axis, sweep.line, view, baseline,
                        sheet.name, trainer, found, left_out,
                    )  # fmt: skip


def counted(
    worker: AnyWorker,
    trainer: str,
    cases: dict[int, Case],
    work: dict[int, dict[str, float]],
    costs: list[Costs],
) -> dict[int, Counts]:
    """Have a trainer's work counted for the cases of a sweep.

    What a step costs the host is that of the same trainer in the run's cost model.

    Args:
        worker: who counts.
        trainer: its name.
        cases: by size.
        work: by size, what one training pays of each cost.
        costs: of the run.

    Raises:
        InputError: where it cannot be.
    """
    first = next(iter(cases.values()))
    request = Count(
        workload=first.workload.name,
        trainer=trainer,
        cases=tuple(dict(case.values) for case in cases.values()),
    )
    reply = worker.ask(request, COUNT_TIMEOUT_S)
    if isinstance(reply, Ended):
        raise InputError(reply.refused or reply.notes)
    return {
        size: _counts(case, work[size], counts, costs, trainer)
        for (size, case), counts in zip(cases.items(), reply.counts, strict=True)
    }


def _counts(
    case: Case,
    work: dict[str, float],
    counts: Sequence[float],
    costs: list[Costs],
    trainer: str,
) -> Counts:
    steps = work.get(STEP, 0.0) / case.repeats
    low, high = step_s(costs, trainer, case)
    launches, n_bytes, operations = counts
    return Counts(
        launches,
        n_bytes,
        operations,
        host_s=(steps * low, steps * high),
        repeats=case.repeats,
        moved_bytes=work.get(MOVED, 0.0),
        dtype=str(dict(case.values).get("dtype", "float32")),
    )


def step_s(costs: list[Costs], trainer: str, case: Case) -> tuple[float, float]:
    """Return the ends of what a step of a trainer costs on the CPU, however few rows.

    On the fewest threads that the run has; 0 where it does not tell.
    """
    found = [
        c
        for c in costs
        if (c.contender.device, c.contender.trainer) == ("cpu", trainer)
        and all(case[name] == value for name, value in c.shape)
        and c.per_step.low is not None
        and c.per_step.high is not None
    ]
    if not found:
        return 0.0, 0.0
    step = min(found, key=lambda c: c.contender.threads or 0).per_step
    return step.low or 0.0, step.high or 0.0


def measured(
    known: list[Estimate], sweep: Sweep, cases: dict[int, Case], view: str
) -> dict[str, dict[int, Predicted]]:
    """Return the CPU's times by contender and size; those of two sizes or more."""
    found: dict[str, dict[int, Predicted]] = {}
    for e in known:
        size: int = e.case[sweep.axis]
        if e.view == view and e.contender.device == "cpu" and cases.get(size) == e.case:
            times = Predicted(e.median_s, e.low_s, e.high_s)
            found.setdefault(str(e.contender), {})[size] = times
    return {who: dict(sorted(s.items())) for who, s in found.items() if len(s) > 1}


def compared(
    sheet: Sheet,
    counts: dict[int, Counts],
    times: dict[int, Predicted],
    view: str,
) -> tuple[PredictedCrossover, int]:
    """Predict one crossover; also return how many sizes the device has no room for."""
    fits = [s for s in times if ROOM * counts[s].moved_bytes <= sheet.memory_bytes]
    left_out = len(times) - len(fits)
    if len(fits) < 2:
        return PredictedCrossover("does not fit", None, None, None), left_out
    device = [predicted_s(sheet, counts[s], view) for s in fits]
    return predicted_crossover(fits, [times[s] for s in fits], device), left_out

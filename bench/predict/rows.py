"""A run's measured CPU times beside a data sheet's device: one `Row` a prediction.

What the device would be given is counted by a worker, its time computed by `model`.
"""

import dataclasses
from collections.abc import Iterator

from bench.analysis.cost_model import Costs, cost_models, shape
from bench.analysis.estimate import estimates
from bench.measure.process import Asked
from bench.nouns import Estimate, InputError, Run
from bench.predict.model import (
    ROOM,
    Counts,
    Predicted,
    PredictedCrossover,
    predicted_crossover,
    predicted_s,
)
from bench.predict.sheet import Sheet
from bench.spec import Spec, Sweep
from softmax_core.case import Case

VIEWS = ("train", "with_transfer")
COUNT_TIMEOUT_S = 120.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One prediction: a sweep, a view, a measured baseline, a device."""

    axis: str
    case: Case
    view: str
    baseline: str
    device: str
    trainer: str
    found: PredictedCrossover
    left_out: int
    """Sizes whose data do not fit into the device's memory."""


def predict(
    run: Run, sheets: list[Sheet], trainer: str, worker: Asked
) -> Iterator[Row]:
    """Predict where each device would overtake each contender measured on the CPU.

    Raises:
        InputError: for a trainer whose work cannot be counted here.
    """
    spec = Spec.model_validate(run.spec)
    costs = cost_models(run)
    known = [e for e in estimates(run, spec.confidence) if not e.contender.copy]
    for sweep in spec.sweep:
        cases = sweep.cases_with(run.measurements)
        counts = counted(worker, trainer, cases, costs)
        for view in VIEWS:
            for baseline, times in measured(known, sweep, cases, view).items():
                for sheet in sheets:
                    found, left_out = compared(sheet, cases, counts, times, view)
                    yield Row(
                        sweep.axis, next(iter(cases.values())), view, baseline,
                        sheet.name, trainer, found, left_out,
                    )  # fmt: skip


def counted(
    worker: Asked, trainer: str, cases: dict[int, Case], costs: list[Costs]
) -> dict[int, Counts]:
    """Have a trainer's work counted for cases that differ in size alone.

    What a step costs the host is that of the same trainer in the run's cost model.

    Raises:
        InputError: where it cannot be.
    """
    asked = list(map(dataclasses.asdict, cases.values()))
    request = {"op": "count", "trainer": trainer, "cases": asked}
    reply = worker.ask(request, COUNT_TIMEOUT_S)
    if "counts" not in reply:
        said = str(reply.get("notes", "no answer")).removeprefix("ValueError: ")
        raise InputError(said)
    low, high = step_s(costs, trainer, next(iter(cases.values())))
    works = zip(cases.items(), reply["counts"], strict=True)
    return {
        size: Counts(
            launches,
            n_bytes,
            operations,
            (case.steps_per_epoch * low, case.steps_per_epoch * high),
        )
        for (size, case), (launches, n_bytes, operations) in works
    }


def step_s(costs: list[Costs], trainer: str, case: Case) -> tuple[float, float]:
    """Return the ends of what a step of a trainer costs on the CPU, however few rows.

    On the fewest threads that the run has; 0 where it does not tell.
    """
    found = [
        c
        for c in costs
        if (c.contender.device, c.contender.trainer) == ("cpu", trainer)
        and c.shape == shape(case)
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
        size: int = getattr(e.case, sweep.axis)
        if e.view == view and e.contender.device == "cpu" and cases.get(size) == e.case:
            times = Predicted(e.median_s, e.low_s, e.high_s)
            found.setdefault(str(e.contender), {})[size] = times
    return {who: dict(sorted(s.items())) for who, s in found.items() if len(s) > 1}


def compared(
    sheet: Sheet,
    cases: dict[int, Case],
    counts: dict[int, Counts],
    times: dict[int, Predicted],
    view: str,
) -> tuple[PredictedCrossover, int]:
    """Predict one crossover; also return how many sizes the device has no room for."""
    fits = [s for s in times if ROOM * cases[s].data_bytes <= sheet.memory_bytes]
    left_out = len(times) - len(fits)
    if len(fits) < 2:
        return PredictedCrossover("does not fit", None, None, None), left_out
    device = [predicted_s(sheet, cases[s], counts[s], view) for s in fits]
    return predicted_crossover(fits, [times[s] for s in fits], device), left_out

"""A run's measured CPU times beside a data sheet's device: one `Row` a prediction.

What the device would be given is counted by a worker; its time follows from that and
the sheet. Nothing here is a measurement but the baseline's own times.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossover.analysis.cost_model import STEP, Costs, cost_models
from crossover.analysis.estimate import estimates
from crossover.analysis.rounds import Recorded
from crossover.crossing.decide import Array
from crossover.files.untrusted import InputError
from crossover.findings import Answer, Estimate
from crossover.measure.pipe import Count, Declared, Ended
from crossover.measure.process import AnyWorker
from crossover.nouns import Case, Run
from crossover.predict.sheet import Sheet
from crossover.spec.sweep import Sweep
from crossover.workloads.definition import DeviceWork

POINTS = 400
ROOM = 3
"""A trainer needs the data, a shuffled copy, and something to spare."""
VIEWS = ("train", "with_transfer")
COUNT_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Counts(DeviceWork):
    """What one repeat of a case, an epoch, gives the device, and what the host pays."""

    host_s: tuple[float, float] = (0.0, 0.0)
    """What the same trainer's steps cost the host here, whatever the device: lowest and
    highest; 0 where the run does not tell."""
    repeats: int = 1
    """How many repeats the case has."""
    may_wait: bool = False
    """Whether the host may wait for the device within a repeat."""


@dataclass(frozen=True)
class Predicted:
    """Seconds: the most likely, and those at both ends of the sheet's ranges."""

    middle: float
    low: float
    high: float


def predicted_s(sheet: Sheet, counts: Counts, view: str) -> Predicted:
    """Predict the seconds of a case, all its repeats.

    A repeat takes what is longer: the host's steps, or the device's kernels, each as
    long as its bytes and operations take and at least the shortest there is. The host
    launches every kernel; at best beside the Python that it runs on the CPU too, at
    worst after it. Where it may wait for the device, both follow each other at
    worst. Set-up is on no data sheet, so that `from_scratch` cannot be predicted. The
    middle is the geometric mean of the ends.

    Raises:
        InputError: if the sheet states no throughput for the type of the numbers.
    """
    n, reached = counts.launches, np.array(sheet.reached[::-1])
    launched_s, own_s = n * np.array(sheet.launch_s), counts.host_s
    host_s = max(launched_s[0], own_s[0]), launched_s[1] + own_s[1]
    moved = counts.bytes / (reached * sheet.memory_bytes_per_s)
    computed = counts.operations / (reached * sheet.throughput(counts.dtype))
    kernels_s = n * np.array(sheet.kernel_s) + np.maximum(moved, computed)
    step_s = np.maximum(host_s, kernels_s)
    if counts.may_wait:
        step_s[1] = host_s[1] + kernels_s[1]
    total = counts.repeats * step_s
    if view == "with_transfer":
        bus = reached * sheet.bus_bytes_per_s
        total += counts.copies * sheet.bus_latency_s + counts.moved_bytes / bus
    low, high = map(float, total)
    return Predicted(math.sqrt(low * high), low, high)


def predicted_crossover(
    sizes: Sequence[int],
    baseline: Sequence[Predicted],
    device: Sequence[Predicted],
    margin: float = 0.0,
) -> Answer:
    """Find from which size on the device would be ahead at every larger one.

    As in a measured crossover, an end that is None is open: it lies below the smallest
    or above the largest size measured.

    Args:
        sizes: increasing, at which the baseline was measured.
        baseline: its measured seconds, with their interval.
        device: predicted seconds.
        margin: share by which it must be faster to be ahead.
    """
    logs = np.log(np.asarray(sizes, float))
    grid = np.linspace(logs[0], logs[-1], POINTS)
    edge = float(np.log1p(margin))

    def gaps(one: list[float], other: list[float]) -> Array:
        found: Array = np.interp(grid, logs, np.log(one) - np.log(other)) - edge
        return found

    sure = gaps([b.low for b in baseline], [d.high for d in device])
    likely = gaps([b.middle for b in baseline], [d.middle for d in device])
    hoped = gaps([b.high for b in baseline], [d.low for d in device])
    at, low, high = (_from(grid, gap) for gap in (likely, hoped, sure))
    if high == sizes[0]:
        return Answer("always")
    if low is None:
        return Answer("never")
    open_below = None if low == sizes[0] else low
    if at is None or at == sizes[0]:
        return Answer("undecided", None, open_below, high)
    return Answer("found", at, open_below, high)


def _from(grid: Array, gap: Array) -> float | None:
    """Return the size from which a gap stays positive, None if it does not."""
    behind = np.flatnonzero(gap <= 0)
    if not len(behind):
        return float(round(math.exp(grid[0])))
    last = int(behind[-1])
    if last == len(grid) - 1:
        return None
    share = gap[last] / (gap[last] - gap[last + 1])
    return float(math.exp(grid[last] + share * (grid[last + 1] - grid[last])))


@dataclass(frozen=True)
class Row:
    """One prediction: a sweep, a view, a measured baseline, a device."""

    axis: str
    line: Case
    """The case of every size, without a value on the axis."""
    view: str
    baseline: str
    device: str
    trainer: str
    found: Answer
    left_out: int
    """Sizes whose data do not fit into the device's memory."""


def predict(
    run: Run, sheets: list[Sheet], trainer: str, worker: AnyWorker
) -> Iterator[Row]:
    """Predict where each device would overtake each contender measured on the CPU.

    Raises:
        InputError: for a trainer whose work cannot be counted here.
    """
    spec, recorded = run.spec, Recorded(run.measurements)
    costs = cost_models(run, recorded)
    known = [e for e in estimates(run, recorded) if not e.contender.copy]
    timed = {e.case for e in known if e.contender.device == "cpu"}
    for sweep in spec.sweep:
        every_size = recorded.lines.along(sweep)
        cases = {size: case for size, case in every_size.items() if case in timed}
        if not cases:
            continue
        counts = counted(worker, run, trainer, cases)
        if spec.declared.is_users:
            counts = with_bounds(counts, cases, known, trainer)
        else:
            counts = with_costs(counts, cases, costs, recorded.work, trainer)
        for view in VIEWS:
            for baseline, times in measured(known, sweep, cases, view).items():
                for sheet in sheets:
                    found, left_out = compared(sheet, counts, times, view, spec.margin)
                    yield Row(
                        sweep.axis, sweep.line, view, baseline,
                        sheet.name, trainer, found, left_out,
                    )  # fmt: skip


def counted(
    worker: AnyWorker, run: Run, trainer: str, cases: dict[int, Case]
) -> dict[int, Counts]:
    """Have a trainer's work counted for the cases of a sweep.

    Args:
        worker: who counts.
        run: whose cases they are.
        trainer: its name.
        cases: by size.

    Raises:
        InputError: where it cannot be.
    """
    workload, file = run.spec.declared, run.user_file
    request = Count(
        workload=workload.name,
        trainer=trainer,
        cases=tuple(dict(case.values) for case in cases.values()),
        declared=Declared(workload=workload, file=file) if file else None,
    )
    reply = worker.ask(request, COUNT_TIMEOUT_S)
    if isinstance(reply, Ended):
        raise InputError(reply.refused or f"{workload.name}: {reply.notes}")
    return {
        size: Counts(**vars(work), repeats=case.repeats, may_wait=workload.is_users)
        for (size, case), work in zip(cases.items(), reply.counts, strict=True)
    }


def with_costs(
    counts: dict[int, Counts],
    cases: dict[int, Case],
    costs: list[Costs],
    work: dict[Case, dict[str, float]],
    trainer: str,
) -> dict[int, Counts]:
    """Return the counts with what the trainer's steps cost the host.

    Args:
        counts: by size.
        cases: by size.
        costs: of the run.
        work: by case, what one training pays of each cost.
        trainer: its name.
    """
    found = {}
    for size, case in cases.items():
        steps = work.get(case, {}).get(STEP, 0.0) / case.repeats
        low, high = step_s(costs, trainer, case)
        found[size] = replace(counts[size], host_s=(steps * low, steps * high))
    return found


def with_bounds(
    counts: dict[int, Counts],
    cases: dict[int, Case],
    known: Sequence[Estimate],
    trainer: str,
) -> dict[int, Counts]:
    """Return the counts of a user's steps with bounds of what they cost the host.

    For a launch it needs, at most, what the CPU took for one with all its arithmetic;
    the size at which that is least tells most.

    Args:
        counts: by size.
        cases: by size.
        known: the times of the run.
        trainer: the name of the user's function.
    """
    launches = {case: counts[size].launches for size, case in cases.items()}
    own = [
        e.high_s / e.case.repeats / launches[e.case]
        for e in known
        if (e.view, e.contender.device) == ("train", "cpu")
        and e.contender.trainer == trainer
        and e.case in launches
    ]
    launch_s = min(own, default=0.0)
    return {
        size: replace(one, host_s=(0.0, one.launches * launch_s))
        for size, one in counts.items()
    }


def step_s(costs: list[Costs], trainer: str, case: Case) -> tuple[float, float]:
    """Return the least and most seconds of a trainer's step on the CPU, rows apart.

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
    margin: float = 0.0,
) -> tuple[Answer, int]:
    """Predict one crossover; also return how many sizes the device has no room for."""
    fits = [s for s in times if ROOM * counts[s].moved_bytes <= sheet.memory_bytes]
    left_out = len(times) - len(fits)
    if len(fits) < 2:
        return Answer("does not fit"), left_out
    device = [predicted_s(sheet, counts[s], view) for s in fits]
    found = predicted_crossover(fits, [times[s] for s in fits], device, margin)
    return found, left_out

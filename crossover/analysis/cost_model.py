"""Fit what a contender's time is made of: steps, rows, epochs, set-up, transfer.

In: a run. Out: `Costs` for each contender and shape of data, from which the time of any
case of that shape follows. docs/cost_model.md has the formula and its limits.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from crossover.analysis.pair import SETUP_SPREAD
from crossover.analysis.rounds import Recorded, round_s
from crossover.contender import Contender
from crossover.crossing.cost_fit import Fit, Ranged, fit
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.findings import Estimate
from crossover.nouns import Case, Measurement, Run
from crossover.spec.spec import Spec
from crossover.workloads.workload import MOVED, Workload

Work = dict[str, float]
LARGEST_ERROR = 0.2
"""Largest relative residual with which the model counts as fitting."""
STEP = "step"
"""Name of the cost whose launches are counted."""
Shape = tuple[tuple[str, object], ...]
"""The sizes that change the price of a step: features, classes, dtype, momentum."""


@dataclass(frozen=True)
class Costs:
    """What one contender pays for data of one shape."""

    contender: Contender
    shape: Shape
    parts: dict[str, Ranged]
    """Seconds by name, in the order of the tables: `per_step`, `per_row`, `per_epoch`.

    Each cost of the workload has a part, and so has one repeat beside its costs.
    """
    per_launch: Ranged
    setup: Ranged
    transfer: Ranged
    """Seconds of one move of the data without its bytes; `per_byte` comes on top."""
    per_byte: Ranged
    launches_per_step: float | None
    fit_error: float | None
    """Largest |measured - fitted| / measured of a cell's median seconds per epoch; None
    if there are no more cells than costs to fit."""
    cells: int
    confidence: float
    flags: tuple[str, ...]
    workload: Workload = field(repr=False)
    epoch_fit: Fit = field(repr=False, compare=False)
    move_fit: Fit | None = field(repr=False, compare=False)

    @property
    def per_step(self) -> Ranged:
        """The cost of a step; its seconds are None for a workload without steps."""
        return self.parts.get(f"per_{STEP}", Ranged())

    def rows(self) -> dict[str, Ranged]:
        """Return every cost by name, in the order of the tables."""
        rest = "per_launch", "setup", "transfer", "per_byte"
        return self.parts | {name: getattr(self, name) for name in rest}


def cost_models(run: Run, recorded: Recorded | None = None) -> list[Costs]:
    """Fit the costs of every contender of a run, one for each shape of its data.

    A/A copies, cells with fewer than `FEWEST_ROUNDS` rounds and workloads that count no
    costs are left out.
    """
    workload, recorded = run.spec.declared, recorded or Recorded(run.measurements)
    groups: dict[tuple[Contender, Shape], dict[Case, list[Measurement]]]
    groups = defaultdict(dict)
    for cell, rows in recorded.ok.items():
        is_counted = all(name in rows[0].work for name in workload.costs or ("",))
        if is_counted and not cell.contender.copy and len(rows) >= FEWEST_ROUNDS:
            shape = workload.shape_of(cell.case)
            groups[cell.contender, shape][cell.case] = rows
    return [_costs(who, what, rows, run.spec) for (who, what), rows in groups.items()]


def epoch_work(case: Case, work: Work, costs: Sequence[str]) -> Array:
    """Return the fit's row of an epoch: 1, and how often it pays each cost."""
    return np.array([1.0, *(work[name] / case.repeats for name in costs)])


def data_work(work: Work) -> Array:
    """Return the fit's row of one move of the data: 1, and its bytes."""
    return np.array([1.0, work.get(MOVED, 0.0)])


def _costs(
    contender: Contender,
    what: Shape,
    cells: dict[Case, list[Measurement]],
    spec: Spec,
) -> Costs:
    workload, cases = spec.declared, list(cells)
    work = {case: rows[0].work for case, rows in cells.items()}
    launches = next(iter(cells.values()))[0].launches_per_step
    epochs = fit(
        np.array([epoch_work(case, work[case], workload.costs) for case in cases]),
        [np.array([_epoch_s(m) for m in rows]) for rows in cells.values()],
        spec.confidence,
        spec.seed,
    )
    moves = _moves(cells, spec)
    parts = {
        f"per_{name}": epochs.cost(i) for i, name in enumerate(workload.costs, start=1)
    }
    parts[f"per_{workload.repeat}"] = epochs.cost(0)
    error, flags = None, tuple[str, ...]()
    if epochs.spare:
        worst = int(np.argmax(np.abs(epochs.residuals)))
        error = float(abs(epochs.residuals[worst]))
        flags = _misfit(error, cases[worst], workload)
    return Costs(
        contender,
        what,
        parts,
        per_launch=parts.get(f"per_{STEP}", Ranged()).over(launches),
        setup=_setup(cells),
        transfer=moves.cost(0) if moves else Ranged(),
        per_byte=moves.cost(1) if moves else Ranged(),
        launches_per_step=launches,
        fit_error=error,
        cells=len(cases),
        confidence=spec.confidence,
        flags=flags,
        workload=workload,
        epoch_fit=epochs,
        move_fit=moves,
    )


def _epoch_s(m: Measurement) -> float:
    return (round_s(m, "train") or 0.0) / m.case.repeats


def _misfit(error: float, case: Case, workload: Workload) -> tuple[str, ...]:
    if error <= LARGEST_ERROR:
        return ()
    where = workload.said(case, (*workload.shape, workload.repeating))
    return (f"misfit: {100 * error:.3g} % at {where}",)


def _moves(cells: dict[Case, list[Measurement]], spec: Spec) -> Fit | None:
    """Fit what moving the data costs; None if that was not timed."""
    timed = {
        case: np.array([m.transfer_s for m in rows if m.transfer_s])
        for case, rows in cells.items()
    }
    timed = {case: s for case, s in timed.items() if len(s) >= FEWEST_ROUNDS}
    if not timed:
        return None
    work = np.array([data_work(cells[case][0].work) for case in timed])
    return fit(work, list(timed.values()), spec.confidence, spec.seed)


def _setup(cells: dict[Case, list[Measurement]]) -> Ranged:
    """Return the median of the cells' set-ups.

    Each is one reading, and the cells of a process share a part of it. So the interval
    spans all readings, and at least the factor `SETUP_SPREAD` in both directions.
    """
    found = [m.setup_s for rows in cells.values() for m in rows if m.setup_s]
    if not found:
        return Ranged()
    middle = float(np.median(found))
    low, high = min(found), max(found)
    return Ranged(
        middle, min(low, middle / SETUP_SPREAD), max(high, middle * SETUP_SPREAD)
    )


def predicted_s(costs: Costs, case: Case, work: Work, view: str = "train") -> Ranged:
    """Return the seconds of all of a case's repeats in a view.

    They are unknown for another shape of data, if the measured sizes do not determine
    them (the batch size never varied, for example), or if a part of the view was not
    measured. The ends of the parts' intervals are added up.

    Args:
        costs: what the contender pays.
        case: the job.
        work: how often one training of the case pays each cost.
        view: one of `VIEWS`.
    """
    if any(case[name] != value for name, value in costs.shape):
        return Ranged()
    parts = [
        costs.epoch_fit.at(case.repeats * epoch_work(case, work, costs.workload.costs))
    ]
    if view != "train":
        known = costs.move_fit
        parts.append(known.at(data_work(work)) if known else Ranged())
    if view == "from_scratch":
        parts.append(costs.setup)
    return _sum(parts)


def _sum(parts: list[Ranged]) -> Ranged:
    total = low = high = 0.0
    for part in parts:
        if part.seconds is None or part.low is None or part.high is None:
            return Ranged()
        total, low, high = total + part.seconds, low + part.low, high + part.high
    return Ranged(total, low, high)


def model_times(
    recorded: Recorded, costs: Iterable[Costs], known: Iterable[Estimate]
) -> list[Ranged]:
    """Return, for each estimate of a run, the model's time in the same view."""
    by_shape = {(c.contender, c.shape): c for c in costs}
    said = []
    for e in known:
        mine = by_shape.get((e.contender, e.case.workload.shape_of(e.case)))
        work = recorded.work.get(e.case, {})
        said.append(predicted_s(mine, e.case, work, e.view) if mine else Ranged())
    return said

"""What a contender's time is made of: steps, rows, epochs, set-up, moving the data.

In: a run. Out: `Costs` of each contender and shape of data, from which the time of any
case of that shape follows. docs/cost_model.md has the formula and its limits.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from bench.analysis.cost_fit import Fit, Ranged, fit
from bench.analysis.decide import FEWEST_ROUNDS, Array
from bench.analysis.seen import SETUP_SPREAD
from bench.analysis.series import Recorded, round_s
from bench.nouns import Contender, Estimate, Measurement, Run
from bench.spec import Spec
from softmax_core.case import Case

LARGEST_ERROR = 0.2
"""Largest relative residual up to which the model is said to fit."""
PARTS = (
    "per_step", "per_row", "per_epoch", "per_launch", "setup", "transfer",
    "per_byte",
)  # fmt: skip
"""The costs, in the order of the tables; seconds each."""
Shape = tuple[int, int, str, float]
"""What a row's cost depends on: features, classes, dtype, momentum."""


@dataclass(frozen=True)
class Costs:
    """What one contender pays for data of one shape."""

    contender: Contender
    features: int
    classes: int
    dtype: str
    momentum: float
    per_step: Ranged
    per_row: Ranged
    per_epoch: Ranged
    per_launch: Ranged
    setup: Ranged
    transfer: Ranged
    """Of one move of the data, however small; `per_byte` comes on top."""
    per_byte: Ranged
    launches_per_step: float | None
    fit_error: float | None
    """Largest |measured - fitted| / measured of a cell's median seconds per epoch; None
    where there are no more cells than costs to fit."""
    cells: int
    confidence: float
    flags: tuple[str, ...]
    epoch_fit: Fit = field(repr=False, compare=False)
    move_fit: Fit | None = field(repr=False, compare=False)

    @property
    def shape(self) -> Shape:
        """The shape of the data; see `shape`."""
        return self.features, self.classes, self.dtype, self.momentum


def cost_models(run: Run) -> list[Costs]:
    """Fit the costs of every contender of a run, one for each shape of its data.

    A/A copies have none, nor has a cell with fewer than `FEWEST_ROUNDS` rounds.
    """
    spec, recorded = Spec.model_validate(run.spec), Recorded.of(run)
    groups: dict[tuple[Contender, Shape], dict[Case, list[Measurement]]]
    groups = defaultdict(dict)
    for cell, rows in recorded.ok.items():
        if not cell.contender.copy and len(rows) >= FEWEST_ROUNDS:
            groups[cell.contender, shape(cell.case)][cell.case] = rows
    return [_costs(who, what, rows, spec) for (who, what), rows in groups.items()]


def shape(case: Case) -> Shape:
    """Return what the cost of a case's row depends on."""
    return case.features, case.classes, case.dtype, case.momentum


def epoch_work(case: Case) -> Array:
    """Return how often an epoch pays for itself, a step and a row."""
    return np.array([1.0, case.steps_per_epoch, case.samples])


def data_work(case: Case) -> Array:
    """Return how often one move of the data pays for itself and a byte."""
    return np.array([1.0, case.data_bytes])


def _costs(
    contender: Contender,
    what: Shape,
    cells: dict[Case, list[Measurement]],
    spec: Spec,
) -> Costs:
    cases = list(cells)
    launches = next(iter(cells.values()))[0].launches_per_step
    epochs = fit(
        np.array([epoch_work(case) for case in cases]),
        [np.array([_epoch_s(m) for m in rows]) for rows in cells.values()],
        spec.confidence,
        spec.seed,
    )
    moves = _moves(cells, spec)
    per_step = epochs.cost(1)
    error, flags = None, tuple[str, ...]()
    if epochs.spare:
        worst = int(np.argmax(np.abs(epochs.residuals)))
        error = float(abs(epochs.residuals[worst]))
        flags = _misfit(error, cases[worst])
    return Costs(
        contender,
        *what,
        per_step=per_step,
        per_row=epochs.cost(2),
        per_epoch=epochs.cost(0),
        per_launch=per_step.over(launches),
        setup=_setup(cells),
        transfer=moves.cost(0) if moves else Ranged(),
        per_byte=moves.cost(1) if moves else Ranged(),
        launches_per_step=launches,
        fit_error=error,
        cells=len(cases),
        confidence=spec.confidence,
        flags=flags,
        epoch_fit=epochs,
        move_fit=moves,
    )


def _epoch_s(m: Measurement) -> float:
    return (round_s(m, "train") or 0.0) / m.case.epochs


def _misfit(error: float, case: Case) -> tuple[str, ...]:
    if error <= LARGEST_ERROR:
        return ()
    where = f"{case.samples:,} samples, batch size {case.batch_size:,}"
    return (f"misfit: {100 * error:.3g} % at {where}",)


def _moves(cells: dict[Case, list[Measurement]], spec: Spec) -> Fit | None:
    """Fit what moving the data costs; None where that was not timed."""
    timed = {
        case: np.array([m.transfer_s for m in rows if m.transfer_s])
        for case, rows in cells.items()
    }
    timed = {case: s for case, s in timed.items() if len(s) >= FEWEST_ROUNDS}
    if not timed:
        return None
    work = np.array([data_work(case) for case in timed])
    return fit(work, list(timed.values()), spec.confidence, spec.seed)


def _setup(cells: dict[Case, list[Measurement]]) -> Ranged:
    """Return the median of the cells' set-ups.

    Each is one reading, and all of a process share a part of it: the interval is that
    of all readings, and at least what a set-up is allowed for elsewhere.
    """
    found = [m.setup_s for rows in cells.values() for m in rows if m.setup_s]
    if not found:
        return Ranged()
    middle = float(np.median(found))
    low, high = min(found), max(found)
    return Ranged(
        middle, min(low, middle / SETUP_SPREAD), max(high, middle * SETUP_SPREAD)
    )


def predicted_s(costs: Costs, case: Case, view: str = "train") -> Ranged:
    """Return the seconds of a case, all its epochs, in a view.

    Unknown for another shape of data, where the sizes measured do not tell (the
    batch never varied, say), and where a part of the view was not measured. The ends of
    parts add up.
    """
    if shape(case) != costs.shape:
        return Ranged()
    parts = [costs.epoch_fit.at(case.epochs * epoch_work(case))]
    if view != "train":
        known = costs.move_fit
        parts.append(known.at(data_work(case)) if known else Ranged())
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


def model_times(costs: Iterable[Costs], known: Iterable[Estimate]) -> list[Ranged]:
    """Return what the model says of each estimate, in its view."""
    by_shape = {(c.contender, c.shape): c for c in costs}
    said = []
    for e in known:
        mine = by_shape.get((e.contender, shape(e.case)))
        said.append(predicted_s(mine, e.case, e.view) if mine else Ranged())
    return said

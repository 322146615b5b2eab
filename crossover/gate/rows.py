"""The numbers that two runs have in common, each with the interval of its shift.

In: two runs. Out: a `Row` for each time, contender and crossover, in logs. `changes`
judges them.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossover.analysis.pair import SETUP_SCALES
from crossover.contender import Contender
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.interval import Ratios
from crossover.crossing.locate import ahead_replicates
from crossover.crossing.shifts import (
    Interval,
    drawn_interval,
    pooled_interval,
)
from crossover.gate.sides import Measured
from crossover.nouns import VIEWS, Case, Cell
from crossover.report.words.sentences import (
    VIEW_WORDS,
    fixed_axis,
    joined,
    values_of,
)

Key = tuple[str, Case, tuple[Contender, Contender], str]
"""Axis, what is fixed along it, pair and view."""


@dataclass(frozen=True)
class Row:
    """A number of two runs: in logs, before it is judged."""

    known: dict[str, Any]
    """The fields of the `Change` that no verdict changes."""
    drawn: Interval | None
    """What its rounds say; None: nothing tells it from the machine."""
    beside: tuple[Array, Array] | None = None
    """A time's logs against the others' in the same rounds, of both runs."""
    seconds: float | None = None
    """The shift of the time itself; None of a crossover."""
    own: float | None = None
    """The shift of the time itself without what is the machine's."""
    is_mirror: bool = False
    """Whether another row says the same: of two contenders, one is slower against the
    other where this one is faster against it."""
    middle: float = np.nan
    """The shift of a crossover; nan where it is unknown, and of times."""
    slack: float = 0.0
    """How much further its interval reaches, for what no round knows of."""
    is_withheld: bool = False
    """Whether nothing is decided, as the runs were disturbed."""

    @property
    def is_judged(self) -> bool:
        """Whether it has an interval that counts."""
        return self.drawn is not None and not self.is_withheld

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return both ends of its interval, infinite where they are open."""
        if self.drawn is None:
            return -np.inf, np.inf
        low, high = self.drawn(confidence)
        return low - self.slack, high + self.slack


def machine_shift(shifts: Sequence[float]) -> float:
    """Return what several contenders' shifts have in common: their median.

    Between two in the middle, the least shift of the machine counts that explains them.
    """
    ordered = sorted(shifts)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return min(max(low, 0.0), high)


def times_of(first: Measured, other: Measured, cells: Sequence[Cell]) -> Iterator[Row]:
    """Yield the times that both runs have, each against the others of its case."""
    by_case: dict[Case, list[Cell]] = {}
    for cell in cells:
        by_case.setdefault(cell.case, []).append(cell)
    shown = _telling(list(by_case))
    for case, members in by_case.items():
        logs = {
            c: [float(np.median(s.logs(c))) for s in (first, other)] for c in members
        }
        machine = machine_shift([after - before for before, after in logs.values()])
        for cell, (before, after) in logs.items():
            rivals = [one for one in members if one != cell]
            beside = _beside(first, cell, rivals), _beside(other, cell, rivals)
            is_alone = min(map(len, beside)) < FEWEST_ROUNDS
            where = joined(values_of(shown[case]))
            yield Row(
                _known(other, "time", cell.contender, f" at {where}" if where else "")
                | {"before": factor(before), "after": factor(after)}
                | {"sizes": _sizes(case)},
                None if is_alone else pooled_interval([beside]),
                None if is_alone else beside,
                seconds=after - before,
                own=after - before - machine,
                is_mirror=len(members) == 2 and cell == members[1],
                slack=max(first.slack, other.slack),
                is_withheld=first.is_withheld(cell) or other.is_withheld(cell),
            )


def _known(other: Measured, kind: str, who: object, where: str) -> dict[str, Any]:
    """Return the fields of a change that no verdict changes, most as of a time."""
    return {
        "run": other.name, "kind": kind, "what": f"{who}{where}",
        "contender": str(who), "baseline": None, "sizes": {}, "view": "train",
        "before": None, "after": None,
    }  # fmt: skip


def _beside(side: Measured, cell: Cell, rivals: Sequence[Cell]) -> Array:
    """Return log(seconds / the others' median) of the rounds that all have."""
    recorded, cells = side.recorded, [cell, *rivals]
    rounds = [recorded.rounds(c, "train") for c in cells]
    shared = sorted(set(rounds[0]).intersection(*rounds[1:]))
    kept = [r for r in shared if recorded.is_on_one_machine(cells, r)]
    if not rivals or not kept:
        return np.array([])
    own, *others = np.log([[series[r] for r in kept] for series in rounds])
    difference: Array = own - np.median(others, axis=0)
    return difference


def contenders_of(times: Sequence[Row], other: Measured) -> Iterator[Row]:
    """Yield each contender over all of its cases, where these are several."""
    judged = [row for row in times if row.is_judged]
    names = list(dict.fromkeys(row.known["contender"] for row in judged))
    rows = {who: [r for r in judged if r.known["contender"] == who] for who in names}
    seconds = {
        who: float(np.mean([row.seconds for row in mine])) for who, mine in rows.items()
    }
    machine = machine_shift([*seconds.values()]) if seconds else 0.0
    for who, mine in rows.items():
        if len(mine) < 2:
            continue
        pairs = [row.beside for row in mine if row.beside]
        yield Row(
            _known(other, "contender", who, f" over {len(mine)} cases"),
            pooled_interval(pairs),
            seconds=seconds[who],
            own=seconds[who] - machine,
            is_mirror=all(row.is_mirror for row in mine),
            slack=mine[0].slack,
        )


def crossings_of(first: Measured, other: Measured, margin: float) -> Iterator[Row]:
    """Yield the crossovers of the pairs that both runs have."""
    curves = _curves(first), _curves(other)
    slack = max(first.slack, other.slack)
    for key in curves[0]:
        if key not in curves[1]:
            continue
        axis, line, pair, view = key
        (one, drawn), (two, redrawn) = (
            _located(curve[key], margin, [first.run.spec.seed, i], slack)
            for i, curve in enumerate(curves)
        )
        seen = "" if view == "train" else f", {VIEW_WORDS[view]}"
        ahead = f" ahead of {pair[0]} along {fixed_axis(axis, line)}{seen}"
        yield Row(
            _known(other, "crossover", pair[1], ahead)
            | {"before": factor(one), "after": factor(two)}
            | {"baseline": str(pair[0]), "sizes": _sizes(line), "view": view},
            drawn_interval(drawn, redrawn),
            middle=two - one if np.isfinite([one, two]).all() else np.nan,
            is_withheld=any(curve[key].is_withheld for curve in curves),
        )


@dataclass(frozen=True)
class _Curve:
    """The ratios of a pair by size, once for each way the set-ups may count."""

    sizes: Array
    ratios: list[Ratios]
    is_withheld: bool
    """Whether other programs, or a control that fired, leave nothing decided."""


def _located(
    curve: _Curve, margin: float, seed: Sequence[int], slack: float
) -> tuple[float, Array]:
    """Return log(size) of a crossing, and of its resamples in no order."""
    found = [
        ahead_replicates(curve.sizes, ratios, margin, sum(seed), slack)
        for ratios in curve.ratios
    ]
    drawn = np.concatenate([replicates for _, replicates in found])
    return found[0][0], np.random.default_rng(seed).permutation(drawn)


def _curves(side: Measured) -> dict[Key, _Curve]:
    """Return the curve of each sweep, pair and view with enough rounds."""
    spec, recorded = side.run.spec, side.recorded
    found: dict[Key, _Curve] = {}
    for sweep in spec.sweep:
        cases = recorded.lines.along(sweep)
        for pair, view in itertools.product(spec.pairs_of(sweep), VIEWS):
            seconds = {n: recorded.paired(c, pair, view) for n, c in cases.items()}
            kept = [n for n, (one, _) in seconds.items() if len(one) >= FEWEST_ROUNDS]
            if len(kept) < 2:
                continue
            members = [
                cell
                for size in kept
                for who in pair
                for cell in recorded.members(Cell(cases[size], who))
            ]
            scales = SETUP_SCALES if view == "from_scratch" else SETUP_SCALES[:1]
            ratios = [
                [_log_ratios(*recorded.paired(cases[n], pair, view, s)) for n in kept]
                for s in scales
            ]
            found[sweep.axis, sweep.line, pair, view] = _Curve(
                np.array(kept, float),
                ratios,
                side.control_fired or any(map(side.is_withheld, members)),
            )
    return found


def _log_ratios(baseline_s: Array, challenger_s: Array) -> Array:
    ratios: Array = np.log(baseline_s / challenger_s)
    return ratios


def factor(log: float) -> float | None:
    """Return what a log is of; None where it is infinite or unknown."""
    return float(np.exp(log)) if np.isfinite(log) else None


def _sizes(case: Case) -> dict[str, Any]:
    return {n: v for n, v in case.values if isinstance(v, int | float | str)}


def _telling(cases: Sequence[Case]) -> dict[Case, Case]:
    """Return each case without the values that all of them share."""
    values = [dict(case.values) for case in cases]
    names = values[0] if values else ()
    shared = [name for name in names if len({v[name] for v in values}) == 1]
    return {case: case.without(*shared) for case in cases}

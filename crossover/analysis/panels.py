"""Gather what other figures than the curves show: speedup over two axes, controls.

In: sweeps' results, or what a run recorded. Out: points with increasing sizes.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossover.analysis.breakeven import BreakEven
from crossover.analysis.crossover import control_pairs
from crossover.analysis.rounds import Recorded, paired_log_ratios
from crossover.analysis.sweeps import Speedup, SweepResult, is_along
from crossover.contender import Contender
from crossover.crossing.decide import median
from crossover.findings import Answer, Crossover
from crossover.nouns import Case, Run
from crossover.spec.spec import Spec
from crossover.spec.sweep import Sweep

MOST_POINTS = 100
"""Most points of a control at one size; with more rounds, medians of neighbours."""


@dataclass(frozen=True)
class GridLine:
    """One line of a grid: a pair's speedups at one value of the second axis."""

    value: int
    """The value on the second axis."""
    sizes: tuple[int, ...]
    """All sizes that were asked for or measured."""
    speedups: tuple[Speedup, ...]
    answer: Answer | None


@dataclass(frozen=True)
class Grid:
    """One pair's speedup over two axes, from sweeps that differ in one fixed size."""

    axis: str
    second_axis: str
    case: Case | None
    """The case of all cells, without values on the two axes; None for a table."""
    view: str
    baseline: str
    challenger: str
    lines: tuple[GridLine, ...]
    """The lines, by increasing value on the second axis."""

    @property
    def missing(self) -> int:
        """The number of cells without a measurement."""
        return sum(len(line.sizes) - len(line.speedups) for line in self.lines)


def speedup_grids(results: Sequence[SweepResult]) -> list[Grid]:
    """Return a grid for each pair that several sweeps share.

    These sweeps have the same axis and differ in exactly one other size.
    """
    groups: dict[tuple[str, str, Case], dict[int, SweepResult]] = defaultdict(dict)
    for result in results:
        along, line = result.sweep.axis, result.sweep.line
        for other in result.sweep.workload.axes:
            if other != along:
                rest = line.without(other)
                groups[along, other, rest].setdefault(line[other], result)
    grids = []
    for (axis, second, case), members in groups.items():
        by_value = dict(sorted(members.items()))
        pairs = dict.fromkeys(
            (p.baseline, p.challenger) for r in by_value.values() for p in r.speedups
        )
        for pair in pairs:
            lines = tuple(_line(value, r, pair) for value, r in by_value.items())
            if sum(bool(line.speedups) for line in lines) > 1:
                view = next(iter(by_value.values())).view
                grids.append(Grid(axis, second, case, view, *pair, lines))
    return grids


def _line(value: int, result: SweepResult, pair: tuple[str, str]) -> GridLine:
    mine = tuple(
        p
        for p in result.speedups
        if (p.baseline, p.challenger) == pair and math.isfinite(p.speedup)
    )
    sizes = {*result.sweep.cases(), *(p.size for p in mine)}
    rows = [c for c in result.timed() if (c.baseline, c.challenger) == pair]
    answer = rows[0].answer if rows else None
    return GridLine(value, tuple(sorted(sizes)), mine, answer)


@dataclass(frozen=True)
class ControlPoint:
    """A contender's seconds / its copy's, in one round or in some neighbouring ones."""

    size: int
    round: float
    """The round's number, or the middle of the neighbours' numbers."""
    ratio: float


@dataclass(frozen=True)
class Control:
    """A contender against itself along one sweep, in the view `train`."""

    sweep: Sweep
    contender: str
    points: tuple[ControlPoint, ...]
    """The points, by size and then by round."""
    medians: dict[int, float]
    """The median ratio of all rounds, by size."""
    rounds: dict[int, int]
    rounds_a_point: int
    margin: float
    """A contender is ahead when it is faster by more than this share."""
    crossover: Crossover | None

    @property
    def fired(self) -> bool:
        """Whether the contender seemed to differ from itself."""
        return self.crossover is not None and self.crossover.answer.differs


def control_series(
    run: Run, found: Sequence[Crossover], recorded: Recorded
) -> list[Control]:
    """Return every A/A control of a run, in the order of its sweeps.

    Args:
        run: the run.
        found: the run's crossovers, which hold the controls' verdicts.
        recorded: the run's measurements by cell.
    """
    spec = run.spec
    rows = [c for c in found if c.is_control]
    controls = []
    for sweep in spec.sweep:
        cases = recorded.lines.along(sweep)
        for pair in control_pairs(cases.values(), recorded):
            own = (c for c in rows if is_along(c, sweep))
            names = str(pair[0]), str(pair[1])
            row = next((c for c in own if (c.baseline, c.challenger) == names), None)
            controls.append(_control(spec, sweep, cases, recorded, pair, row))
    return [c for c in controls if c.points]


def _control(
    spec: Spec,
    sweep: Sweep,
    cases: dict[int, Case],
    recorded: Recorded,
    pair: tuple[Contender, Contender],
    row: Crossover | None,
) -> Control:
    ratios = {
        size: np.exp(values)
        for size, case in cases.items()
        if len(values := paired_log_ratios(recorded, case, pair, "train"))
    }
    longest = max(map(len, ratios.values()), default=0)
    together = max(1, -(-longest // MOST_POINTS))
    points = [
        ControlPoint(
            size,
            first + (len(values[first : first + together]) - 1) / 2,
            median(values[first : first + together]),
        )
        for size, values in ratios.items()
        for first in range(0, len(values), together)
    ]
    return Control(
        sweep,
        str(pair[0]),
        tuple(points),
        {size: median(values) for size, values in ratios.items()},
        {size: len(values) for size, values in ratios.items()},
        together,
        spec.margin,
        row,
    )


def break_evens_of(result: SweepResult, rows: Sequence[BreakEven]) -> list[BreakEven]:
    """Return a sweep's break-evens by increasing size; none if epochs vary along it."""
    repeating = result.sweep.workload.repeating
    if result.sweep.axis == repeating:
        return []
    pairs = {(c.baseline, c.challenger) for c in result.crossovers}
    mine = [
        b
        for b in rows
        if (b.baseline, b.challenger) in pairs
        and b.case == result.sweep.case_at(result.size(b.case)).without(repeating)
    ]
    return sorted(mine, key=lambda b: result.size(b.case))

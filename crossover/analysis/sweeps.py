"""Gather what was measured along each sweep in one view, for figures and tables.

In: a run and its crossovers. Out: a `SweepResult` for each sweep.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from crossover.analysis.estimate import estimates, middle
from crossover.analysis.rounds import Recorded, paired_log_ratios
from crossover.findings import Crossover, Estimate
from crossover.nouns import Case, Run
from crossover.spec.spec import Spec
from crossover.spec.sweep import Sweep
from crossover.workloads.values import Size


@dataclass(frozen=True)
class Speedup:
    """Baseline seconds / challenger seconds at one size: median of the pairs."""

    size: int
    baseline: str
    challenger: str
    speedup: float
    low: float
    high: float
    confidence: float
    rounds: int


@dataclass(frozen=True)
class SweepResult:
    """One sweep in one view: sizes increase, contenders and pairs keep spec order."""

    sweep: Sweep
    view: str
    estimates: tuple[Estimate, ...]
    speedups: tuple[Speedup, ...]
    crossovers: tuple[Crossover, ...]

    @property
    def along(self) -> Size:
        """The size that varies."""
        return self.sweep.workload.size(self.sweep.axis)

    @property
    def per_repeat(self) -> bool:
        """Tell whether the time is best given per epoch, or other unit that repeats.

        It is not if the number of epochs varies along the sweep, or if the time holds
        fixed costs, which belong to no epoch.
        """
        repeating = self.sweep.workload.repeating
        return self.sweep.axis != repeating and self.view == "train"

    def size(self, case: Case) -> int:
        """Return a case's size along the sweep's axis."""
        size: int = case[self.sweep.axis]
        return size

    def timed(self) -> tuple[Crossover, ...]:
        """Return the crossovers in time, one for each pair of the sweep."""
        return tuple(
            c for c in self.crossovers if c.metric == "time_s" and not c.is_control
        )

    def not_measured(self) -> tuple[str, ...]:
        """Return the reasons why pairs of the sweep could not be compared."""
        missing = (c for c in self.timed() if c.answer.outcome == "not_measured")
        return tuple(
            dict.fromkeys(reason for c in missing for reason in c.answer.flags)
        )


def sweep_results(
    run: Run,
    crossovers: Sequence[Crossover],
    view: str = "train",
    known: Iterable[Estimate] | None = None,
    recorded: Recorded | None = None,
) -> list[SweepResult]:
    """Gather estimates, speedups and crossovers by sweep.

    Args:
        run: the run.
        crossovers: the run's crossovers in any view.
        view: the view to gather.
        known: the run's estimates in any view; computed if not given.
        recorded: the run's measurements by cell; gathered if not given.
    """
    spec = run.spec
    recorded = recorded or Recorded(run.measurements)
    found = [c for c in crossovers if c.view == view]
    known = estimates(run, recorded) if known is None else known
    by_cell = {(e.contender, e.case): e for e in known if e.view == view}
    results = []
    for sweep in spec.sweep:
        cases = recorded.lines.along(sweep)
        cells = itertools.product(spec.contenders_of(sweep), cases.values())
        asked = {(str(one), str(other)) for one, other in spec.pairs_of(sweep)}
        along = [c for c in found if is_along(c, sweep)]
        result = SweepResult(
            sweep,
            view,
            tuple(by_cell[cell] for cell in cells if cell in by_cell),
            _speedups(spec, sweep, cases, recorded, view),
            tuple(
                c for c in along if c.is_control or (c.baseline, c.challenger) in asked
            ),
        )
        results.append(result)
    return results


def is_along(c: Crossover, sweep: Sweep) -> bool:
    """Tell whether a crossover, of any pair and view, lies along a sweep."""
    return c.axis == sweep.axis and c.line.without(c.axis) == sweep.line


def _speedups(
    spec: Spec, sweep: Sweep, cases: dict[int, Case], recorded: Recorded, view: str
) -> tuple[Speedup, ...]:
    return tuple(
        Speedup(size, str(a), str(b), *middle(values, spec.confidence), len(values))
        for a, b in spec.pairs_of(sweep)
        for size, case in cases.items()
        if len(
            values := np.sort(np.exp(paired_log_ratios(recorded, case, (a, b), view)))
        )
    )

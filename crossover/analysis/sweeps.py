"""Gather what was measured along each sweep: for figures and tables, and by itself.

In: a run and its crossovers. Out: a `SweepResult` for each sweep in one view, and an
`Enough` for each contender of a sweep.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crossover.analysis.estimate import estimates, middle
from crossover.analysis.flags import is_withheld, worst_each
from crossover.analysis.rounds import Recorded, paired_log_ratios
from crossover.contender import Contender
from crossover.findings import Crossover, Enough, Estimate, Latency
from crossover.latency.enough import Bracket, Taken, bracket
from crossover.nouns import Case, Cell, Run
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


def fast_enough(
    run: Run,
    recorded: Recorded,
    times: Iterable[Estimate],
    latencies: Iterable[Latency],
) -> list[Enough]:
    """Tell up to which size each contender is fast enough; nothing without a limit.

    By the 99th percentile of its single calls if they were timed, else by the median
    time of one.
    """
    spec, found = run.spec, list[Enough]()
    if spec.good_enough_s is None:
        return found
    slow = {Cell(one.case, one.contender): one for one in latencies
            if one.quantile == SLOW_CALLS}  # fmt: skip
    usual = {Cell(e.case, e.contender): e for e in times if e.view == "train"}
    for sweep in spec.sweep:
        cases = recorded.lines.along(sweep)
        for contender in spec.contenders_of(sweep):
            cells = {n: Cell(case, contender) for n, case in cases.items()}
            own = {n: slow[cell] for n, cell in cells.items() if cell in slow}
            if any(one.calls for one in own.values()):
                taken = [Taken(n, one.latency_s, one.low_s, one.high_s)
                         for n, one in own.items()]  # fmt: skip
                said = _enough(sweep, contender, SLOW_CALLS, spec, taken, own)
            else:
                known = {n: usual[cell] for n, cell in cells.items() if cell in usual}
                taken = [_usual_call(n, e) for n, e in known.items()]
                said = _enough(sweep, contender, USUAL_CALL, spec, taken, known)
            if said.outcome == "not_measured":
                why = next(map(recorded.reason, cells.values()))
                said = replace(said, flags=(why,))
            found.append(said)
    return found


SLOW_CALLS, USUAL_CALL = "p99", "median"
"""By what a contender is fast enough."""


def _usual_call(size: int, e: Estimate) -> Taken:
    """Return the median time of a single call: a user's step, or a whole training."""
    each = e.case.repeats if e.case.workload.is_users else 1
    return Taken(size, e.median_s / each, e.low_s / each, e.high_s / each)


def _enough(
    sweep: Sweep,
    contender: Contender,
    by: str,
    spec: Spec,
    taken: Sequence[Taken],
    known: Mapping[int, Estimate | Latency],
) -> Enough:
    """Return up to which of some sizes a contender is fast enough.

    Args:
        sweep: what the sizes are of.
        contender: who it is.
        by: what is compared with the limit.
        spec: with the limit.
        taken: how long each size takes.
        known: the same as it is reported.
    """
    limit_s = spec.good_enough_s or 0.0
    who = sweep.axis, sweep.line, contender, by, limit_s
    if not taken:
        return Enough(*who, "not_measured")
    raised = tuple(worst_each(f for one in known.values() for f in one.flags))
    zones = tuple(f"{one.size} {one.zone(limit_s)}" for one in taken)
    found = bracket(taken, limit_s)
    if is_withheld(raised):  # what it took is of other programs
        raised, zones = (f"withheld: was {found.outcome}", *raised), ()
        found = Bracket("inconclusive")
    return Enough(
        *who,
        **vars(found),
        confidence=min(one.confidence for one in known.values()),
        smallest=taken[0].size,
        largest=taken[-1].size,
        zones=zones,
        flags=raised,
    )

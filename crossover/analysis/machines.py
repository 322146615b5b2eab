"""Compare several machines: which one should a job go to?

In: a run of each machine. Out: what each of them found, and a `Placement` for each
case. Rounds are paired only within a run; across machines the intervals are unpaired.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossover.analysis.rounds import Recorded
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.shifts import welch_interval
from crossover.findings import Crossover
from crossover.nouns import Case, Machine, Run
from crossover.spec.spec import Spec


@dataclass(frozen=True)
class Fastest:
    """The fastest contender of one case on one machine, in the view `train`."""

    contender: str
    logs: Array
    """The logarithm of each round's seconds, (rounds,)."""

    @property
    def middle(self) -> float:
        """The median of the log seconds."""
        return float(np.median(self.logs))


@dataclass(frozen=True)
class Found:
    """What one machine's run found."""

    node: str
    """The machine's name in the tables."""
    run_id: str
    machine: Machine
    crossovers: tuple[Crossover, ...]
    fastest: dict[Case, Fastest]
    spec: Spec


@dataclass(frozen=True)
class Placement:
    """The node type that trains a case fastest, and how sure that is."""

    case: Case
    node: str
    contender: str
    median_s: float
    second: str | None = None
    """The second fastest node type; None if no other measured the case."""
    second_contender: str | None = None
    ratio: float | None = None
    """The second's time over the fastest's, with an unpaired interval."""
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    also: tuple[str, ...] = ()
    """Node types that were not shown to be slower."""

    @property
    def shown(self) -> bool:
        """Whether the fastest is shown to be faster than every other."""
        return self.second is not None and not self.also


def found_on(node: str, run: Run, crossovers: Sequence[Crossover]) -> Found:
    """Extract from a run what comparing machines needs."""
    recorded = Recorded(run.measurements)
    fastest: dict[Case, Fastest] = {}
    for cell in recorded.ok:
        seconds = list(recorded.rounds(cell, "train").values())
        if cell.contender.copy or not seconds:
            continue
        this = Fastest(str(cell.contender), np.log(seconds))
        known = fastest.get(cell.case)
        if known is None or this.middle < known.middle:
            fastest[cell.case] = this
    spec = run.spec
    return Found(node, run.run_id, run.machine, tuple(crossovers), fastest, spec)


def placements(found: Sequence[Found]) -> list[Placement]:
    """Return for each case, smallest first, the node type that trains it fastest.

    The fastest is compared with every other node type, and the comparisons share the
    error. The interval is widened by the spec's resolution, the error of each process
    that more rounds cannot average out.
    """
    cases = sorted({case for f in found for case in f.fastest}, key=_sizes)
    placed = []
    for case in cases:
        having = [f for f in found if case in f.fastest]
        by_node = {f.node: f.fastest[case] for f in having}
        placed.append(_place(case, by_node, having[0].spec))
    return placed


def _sizes(case: Case) -> tuple[float | str, ...]:
    """Return the key that orders cases: their numbers, in the workload's order."""
    numbers = (v for _, v in case.values if isinstance(v, int | float))
    return *numbers, str(case)


def _place(case: Case, by_node: dict[str, Fastest], spec: Spec) -> Placement:
    node, *others = sorted(by_node, key=lambda n: by_node[n].middle)
    best = by_node[node]
    placed = case, node, best.contender, float(np.exp(best.middle))
    if not others:
        return Placement(*placed)
    confidence = 1 - (1 - spec.confidence) / len(others)
    ends = {n: _ends(best, by_node[n], confidence, spec.resolution) for n in others}
    edge = np.log1p(spec.margin)
    also = tuple(n for n, end in ends.items() if end is None or end[0] <= edge)
    second, end = others[0], ends[others[0]]
    low, high = (None, None) if end is None else map(float, np.exp(end))
    ratio = float(np.exp(by_node[second].middle - best.middle))
    return Placement(
        *placed, second, by_node[second].contender, ratio, low, high, confidence, also
    )


def _ends(
    best: Fastest, other: Fastest, confidence: float, resolution: float
) -> tuple[float, float] | None:
    """Return the interval of log(other / best); None with too few rounds."""
    if min(len(best.logs), len(other.logs)) < FEWEST_ROUNDS:
        return None
    low, high = welch_interval(best.logs, other.logs)(confidence)
    lucky = float(np.sqrt(2) * np.log1p(resolution))
    return low - lucky, high + lucky

"""One `Crossover` for each sweep, pair and view of a run."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, nnls

from bench.analysis.locate import locate
from bench.analysis.series import Recorded, paired_log_ratios
from bench.nouns import VIEWS, Cell, Contender, Crossover, Run
from bench.plan import pairs_of
from bench.spec import Spec, Sweep
from softmax_core.case import Case

FEWEST_ROUNDS = 5
Pair = tuple[Contender, Contender]


def crossovers(run: Run) -> list[Crossover]:
    """Find every crossover a run's spec asks for, measured or not."""
    spec = Spec.model_validate(run.spec)
    recorded = Recorded(run.measurements)
    return [
        _crossover(spec, sweep, pair, view, recorded)
        for sweep in spec.sweep
        for pair in pairs_of(spec, sweep)
        for view in VIEWS
    ]


def _crossover(
    spec: Spec, sweep: Sweep, pair: Pair, view: str, recorded: Recorded
) -> Crossover:
    cases = sweep.cases()
    ratios = {n: paired_log_ratios(recorded, c, pair, view) for n, c in cases.items()}
    usable = {n: r for n, r in ratios.items() if len(r) >= FEWEST_ROUNDS}
    case = next(iter(cases.values()))
    base = (sweep.axis, case, view, "time_s", str(pair[0]), str(pair[1]))
    if not usable:
        return Crossover(*base, "not_measured", flags=(_why(recorded, cases, pair),))
    sizes = np.array(list(usable), float)
    values = list(usable.values())
    found = locate(sizes, values, spec.confidence, spec.margin, spec.seed)
    medians = np.array([np.median(r) for r in values])
    times = [
        [
            float(np.median([*recorded.rounds(Cell(cases[int(n)], c), view).values()]))
            for n in sizes
        ]
        for c in pair
    ]
    wins = np.flatnonzero(medians > 0)
    flags = (
        [f"crossings {', '.join(f'{c:.4g}' for c in found.crossings)}"]
        if found.crossings
        else []
    )
    flags += (
        [f"{len(ratios) - len(usable)} sizes not measured"]
        if len(usable) < len(ratios)
        else []
    )
    return Crossover(
        *base,
        found.outcome,
        found.at,
        found.low,
        found.high,
        spec.confidence,
        first_win=float(sizes[wins[0]]) if len(wins) else None,
        least_regret=least_regret(sizes, *map(np.array, times)),
        fitted=fitted(sizes, [cases[int(n)] for n in sizes], *map(np.array, times)),
        speedup_smallest=float(np.exp(medians[0])),
        speedup_largest=float(np.exp(medians[-1])),
        slope=found.slope,
        flags=tuple(flags),
    )


def _why(recorded: Recorded, cases: dict[int, Case], pair: Pair) -> str:
    """Say why a pair has no shared rounds."""
    case = next(iter(cases.values()))
    if pair[0] == pair[1]:
        return "this machine has one core: both contenders are the same"
    for contender in pair:
        cell = Cell(case, contender)
        if not recorded.rounds(cell, "train"):
            return recorded.reason(cell)
    return f"fewer than {FEWEST_ROUNDS} rounds"


def least_regret(
    sizes: NDArray[np.float64],
    baseline_s: NDArray[np.float64],
    challenger_s: NDArray[np.float64],
) -> float | None:
    """Return the size from which using the challenger loses least total time.

    Losses are shares of the faster time, summed over the sizes. None: never use it.
    Source: GMP's tune/tuneup.c.
    """
    best = np.minimum(baseline_s, challenger_s)
    lost_base, lost_challenger = baseline_s / best - 1, challenger_s / best - 1
    regret = [
        lost_base[:i].sum() + lost_challenger[i:].sum() for i in range(len(sizes) + 1)
    ]
    i = int(np.argmin(regret))
    return float(sizes[i]) if i < len(sizes) else None


def fitted(
    sizes: NDArray[np.float64],
    cases: list[Case],
    baseline_s: NDArray[np.float64],
    challenger_s: NDArray[np.float64],
) -> float | None:
    """Return the largest size where the fitted cost curves cross, None if nowhere.

    Each time is fitted as fixed + per step + per row, none negative, by least squares
    of the relative error.
    """
    if len(sizes) < 4:
        return None
    work = np.array(
        [[1, c.epochs * c.steps_per_epoch, c.epochs * c.samples] for c in cases], float
    )
    used = [j for j in range(3) if j == 0 or np.ptp(work[:, j]) > 0]
    costs = [
        nnls(work[:, used] / t[:, None], np.ones(len(t)))[0]
        for t in (baseline_s, challenger_s)
    ]
    gap = costs[0] - costs[1]

    def difference(log_size: float) -> float:
        row = [
            np.interp(log_size, np.log(sizes), np.log(np.maximum(work[:, j], 1)))
            for j in used
        ]
        return float(np.exp(row) @ gap)

    grid = np.linspace(np.log(sizes[0]), np.log(sizes[-1]), 400)
    signs = np.sign([difference(x) for x in grid])
    turns = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    if not len(turns):
        return None
    return float(np.exp(brentq(difference, grid[turns[-1]], grid[turns[-1] + 1])))

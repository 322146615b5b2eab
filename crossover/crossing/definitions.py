"""What else may be called the crossover, beside the headline `sustained`.

In: sizes and times. Out: a size, or None where a definition has none.
"""

import numpy as np
from scipy.optimize import brentq

from crossover.crossing.cost_fit import best_fit, fit
from crossover.crossing.decide import Array

FEWEST_FITTED = 4


def first_win(sizes: Array, centres: Array) -> float | None:
    """Return the smallest size where the challenger is ahead, however barely."""
    wins = np.flatnonzero(centres > 0)
    return float(sizes[wins[0]]) if len(wins) else None


def least_regret(sizes: Array, baseline_s: Array, challenger_s: Array) -> float | None:
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
    sizes: Array, work: Array, baseline_s: Array, challenger_s: Array
) -> float | None:
    """Return the largest size where the fitted cost curves cross, None if nowhere.

    Args:
        sizes: increasing.
        work: shape (sizes, costs): how often each cost is paid; see `cost_fit`.
        baseline_s: per size.
        challenger_s: per size.
    """
    if len(sizes) < FEWEST_FITTED:
        return None
    gap = best_fit(work, baseline_s) - best_fit(work, challenger_s)
    return _last_root(sizes, work, gap)


def fitted_interval(
    sizes: Array,
    work: Array,
    baseline_s: list[Array],
    challenger_s: list[Array],
    confidence: float,
    seed: int,
) -> tuple[float | None, float | None]:
    """Return the interval of `fitted`; an end that is None is open.

    Args:
        sizes: increasing.
        work: as of `fitted`.
        baseline_s: per size, seconds of each shared round, in order.
        challenger_s: the same rounds of the challenger.
        confidence: of the interval.
        seed: of the bootstrap, in which rounds stay pairs.
    """
    one, other = (
        fit(work, rounds, confidence, seed, paired=True)
        for rounds in (baseline_s, challenger_s)
    )
    gaps = one.draws - other.draws
    at = _last_root(sizes, work, gaps[0])
    if at is None:
        return None, None
    grid, rows = _between(sizes, work)
    signs = np.sign(rows @ gaps[1:].T)
    turns = signs[:-1] * signs[1:] < 0
    last = len(turns) - 1 - np.argmax(turns[::-1], axis=0)
    # ahead or behind at every size, the crossing lies outside
    outside = np.where(signs[-1] * np.sign(rows[-1] @ gaps[0]) > 0, -np.inf, np.inf)
    roots = np.sort(np.where(turns.any(axis=0), grid[last], outside))
    cut = int(len(roots) * (1 - confidence) / 2)
    scale, middle = max(one.scale, other.scale), np.log(at)
    low, high = np.exp(middle + scale * (roots[[cut, -1 - cut]] - middle))
    return float(low) or None, float(high) if np.isfinite(high) else None


def _between(sizes: Array, work: Array) -> tuple[Array, Array]:
    """Return log(size) on a fine grid, and the work there."""
    first, last = np.log(sizes[[0, -1]])
    grid = np.linspace(first, last, 400)
    return grid, _work_at(grid, sizes, work)


def _work_at(log_sizes: Array, sizes: Array, work: Array) -> Array:
    """Return the work at some sizes, log-log interpolated between those given."""
    columns = np.log(np.maximum(work, 1e-300)).T
    logs = np.log(sizes)
    rows = [np.interp(log_sizes, logs, column) for column in columns]
    known: Array = np.exp(np.column_stack(rows))
    return known


def _last_root(sizes: Array, work: Array, gap: Array) -> float | None:
    """Return the largest size between which and the next the gap changes sign."""

    def difference(log_size: float) -> float:
        return float(_work_at(np.array([log_size]), sizes, work)[0] @ gap)

    grid, rows = _between(sizes, work)
    signs = np.sign(rows @ gap)
    turns = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    if not len(turns):
        return None
    return float(np.exp(brentq(difference, grid[turns[-1]], grid[turns[-1] + 1])))


def steps_apart(sizes: Array, one: float, other: float) -> float:
    """Return how many grid steps lie between two sizes; outside counts as the end."""
    logs, index = np.log(sizes), np.arange(len(sizes))
    with np.errstate(divide="ignore"):
        places = np.interp(np.log([one, other]), logs, index)
    return float(abs(places[1] - places[0]))


def steps_from_bracket(sizes: Array, at: float, from_size: float) -> float:
    """Return how many grid steps a crossing lies outside a grid definition's bracket.

    "Ahead from this size on" says that the crossing is between the size before and
    this one; anywhere between, the two agree.
    """
    i = int(np.searchsorted(sizes, from_size))
    low = float(sizes[max(0, min(i, len(sizes)) - 1)])
    if low <= at <= from_size:
        return 0.0
    return steps_apart(sizes, at, low if at < low else from_size)

"""What else may be called the crossover, beside the headline `sustained`.

In: sizes and times. Out: a size, or None where a definition has none.
"""

import numpy as np
from scipy.optimize import brentq, nnls

from bench.analysis.decide import Array

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

    Each time is fitted as a sum of costs, none negative, by least squares of the
    relative error.

    Args:
        sizes: increasing.
        work: shape (sizes, costs): how often each cost is paid, the first once.
        baseline_s: per size.
        challenger_s: per size.
    """
    if len(sizes) < FEWEST_FITTED:
        return None
    used = [j for j in range(work.shape[1]) if j == 0 or np.ptp(work[:, j]) > 0]
    costs = [
        nnls(work[:, used] / t[:, None], np.ones(len(t)))[0]
        for t in (baseline_s, challenger_s)
    ]
    gap = costs[0] - costs[1]
    logs, log_work = np.log(sizes), np.log(np.maximum(work[:, used], 1e-300))

    def difference(log_size: float) -> float:
        row = [np.interp(log_size, logs, column) for column in log_work.T]
        return float(np.exp(row) @ gap)

    grid = np.linspace(logs[0], logs[-1], 400)
    rows = np.column_stack([np.interp(grid, logs, column) for column in log_work.T])
    signs = np.sign(np.exp(rows) @ gap)
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

"""Wilcoxon's signed-rank test of the claim that a log-ratio lies above an edge.

In: the paired log-ratios of one size. Out: a p-value, or the limit that the test spans.
`zones` calls it.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]

LOOKS = (8, 16, 32)
"""Rounds after which a plan may look at the results and stop."""
FEWEST_ROUNDS = 5
"""With fewer rounds at a size, nothing is said about it."""
EXACT_UP_TO = 50
"""Rounds up to which the signed-rank distribution is exact, as in scipy."""


def looks_up_to(rounds: int) -> int:
    """Count the looks of a plan that goes up to `rounds` rounds a size."""
    return 1 + sum(look < rounds for look in LOOKS)


@lru_cache(maxsize=64)
def _upper_triangle(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    i, j = np.triu_indices(n)
    return i, j


def walsh_averages(values: Array) -> Array:
    """Return the sorted means of all pairs of rounds, each round with itself too.

    The number of them above an edge is Wilcoxon's signed-rank statistic (Hollander,
    Wolfe & Chicken, section 3.2).
    """
    i, j = _upper_triangle(len(values))
    averages: Array = np.sort(0.5 * (values[i] + values[j]))
    return averages


@lru_cache(maxsize=64)
def _signed_rank_tail(n: int) -> Array:
    """Return P(T >= t) for t = 0 .. n(n+1)/2 + 1 over all 2^n signs, exactly."""
    mass = np.ones(1)
    for rank in range(1, n + 1):
        grown = np.zeros(len(mass) + rank)
        grown[: len(mass)] += mass / 2
        grown[rank:] += mass / 2
        mass = grown
    return np.append(np.cumsum(mass[::-1])[::-1], 0.0)


def p_ahead(values: Array, averages: Array, edge: float) -> float:
    """Return the p-value of the claim that the log-ratio is above `edge`.

    Wilcoxon's signed-rank test. With n rounds its p-value cannot fall below 2^-n.
    Where all rounds agree, so that it is at that floor, the paired t-test's p-value
    is taken if that is smaller: at levels above the floor the test stays exact, and
    below it a claim needs both all rounds and the t-test.
    """
    n = len(values)
    above = len(averages) - int(np.searchsorted(averages, edge, "right"))
    if n > EXACT_UP_TO:
        mean, sd = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return float(special.ndtr(-(above - 0.5 - mean) / sd))
    p = float(_signed_rank_tail(n)[above])
    if above < len(averages):
        return p
    spread = float(np.std(values, ddof=1)) / np.sqrt(n)
    if spread == 0:
        return 0.0
    t = (float(np.mean(values)) - edge) / spread
    return min(p, float(special.stdtr(n - 1, -t)))


def median(values: ArrayLike) -> float:
    """Return the median of numbers; numpy's own takes ten times as long for a few."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[half])
    return float((ordered[half - 1] + ordered[half]) / 2)


def lower_limit(values: Array, averages: Array, level: float) -> float:
    """Return the edge below which `p_ahead` of every edge is at most `level`.

    The lower end of the one-sided confidence interval of the log-ratio that the test
    spans; -inf where no edge is rejected.
    """
    n, every = len(values), len(averages)
    if n > EXACT_UP_TO:
        mean, sd = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        needed = int(np.ceil(mean + 0.5 - sd * special.ndtri(level)))
        return float(averages[every - needed]) if needed <= every else -np.inf
    # the tail falls: the first count that is rare enough
    needed = int(np.searchsorted(-_signed_rank_tail(n), -level))
    if needed <= every:
        return float(averages[every - needed])
    reach = float(special.stdtrit(n - 1, level)) * float(np.std(values, ddof=1))
    return min(float(averages[0]), float(np.mean(values)) + reach / float(np.sqrt(n)))

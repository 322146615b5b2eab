"""Who is ahead at each size, with the error of a whole sweep kept.

In: paired log-ratios per size. Out: +1, -1 or 0 per size. `locate` calls it.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
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


def _two_sided(values: Array, edge: float) -> tuple[float, int]:
    """Return (two-sided p-value, the direction that it speaks for)."""
    averages = walsh_averages(values)
    ahead = p_ahead(values, averages, edge)
    behind = p_ahead(-values, -averages[::-1], edge)
    return 2 * min(ahead, behind), 1 if ahead < behind else -1


def decide(
    ratios: list[Array],
    confidence: float,
    margin: float,
    looks: int = 1,
    pairs: int = 1,
) -> list[int]:
    """Return per size +1 ahead, -1 behind, 0 undecided.

    The error 1 - confidence is shared evenly among the looks and the pairs. What is
    left is spent in a fixed sequence: the largest size is tested first, at all of it,
    because every outcome but `inconclusive` is a claim about the largest size. Only
    when it is decided are the others tested, by Holm's procedure. The probability of
    any false decision in the sweep is at most 1 - confidence (Maurer, Hothorn &
    Lehmacher 1995 for the sequence, Holm 1979 for the rest).

    Args:
        ratios: per size, at least two rounds.
        confidence: of all decisions of the sweep together.
        margin: share by which a contender must be faster to be ahead.
        looks: how often the plan may look.
        pairs: that the sweep compares.
    """
    alpha = (1 - confidence) / (looks * pairs)
    edge = float(np.log1p(margin))
    tested = [_two_sided(values, edge) for values in ratios]
    p_values, directions = [p for p, _ in tested], [sign for _, sign in tested]
    signs = [0] * len(ratios)
    if not ratios or p_values[-1] > alpha:
        return signs
    signs[-1] = directions[-1]
    order = np.argsort(p_values[:-1])
    for step, i in enumerate(order):
        if p_values[i] > alpha / (len(order) - step):
            break
        signs[i] = directions[i]
    return signs

"""The quantiles of single calls, with intervals that allow for rounds that differ.

In: the seconds of single calls, round by round. Out: a quantile with its interval.
Arrays only. docs/latency.md says why, and how often such intervals hold the truth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
"""The quantiles that are reported, by name."""


@dataclass(frozen=True)
class Quantile:
    """A quantile of single calls; an open end is None, and so is then the quantile."""

    at: float | None = None
    low: float | None = None
    high: float | None = None


def least_calls(share: float, confidence: float) -> int:
    """Return how many independent calls an interval with two ends needs.

    With fewer, no call may lie beyond the quantile, and nothing bounds it.
    """
    side = max(share, 1 - share)
    return math.ceil(math.log((1 - confidence) / 2) / math.log(side))


def least_of_round(share: float) -> int:
    """Return how many calls a round needs to have a quantile of its own."""
    return max(1, math.ceil((1 + share) / (3 * (1 - share))))


def of_round(calls_s: Array, share: float) -> float:
    """Return a round's own quantile, which is too high as often as too low.

    (Hyndman and Fan 1996, definition 8.)
    """
    return float(np.quantile(calls_s, share, method="median_unbiased"))


def quantile(rounds: Sequence[Array], share: float, confidence: float) -> Quantile:
    """Return a quantile of all calls, with an interval of order statistics.

    Calls of one round are alike, so that they tell less than as many independent ones.
    The share of calls below the quantile has the variance that the rounds show, or that
    of independent calls if it is larger; in the first case Student's t allows for how
    few rounds there are. The interval is that of as many independent calls as have this
    variance: their binomial distribution, smoothed to a beta distribution, says which
    order statistics are its ends. (Woodruff 1952; Korn and Graubard 1998.)

    Args:
        rounds: seconds of single calls, round by round.
        share: of calls that are at most as long as the quantile.
        confidence: of the interval.
    """
    calls_s = np.sort(np.concatenate(rounds)) if rounds else np.array([])
    n = len(calls_s)
    if len(rounds) < 2:
        return Quantile()
    at = float(calls_s[max(0, math.ceil(n * share) - 1)])
    alike = effective_calls(rounds, at, share, confidence)
    low, high = ends(calls_s, alike, share, confidence)
    return Quantile(None if low is None or high is None else at, low, high)


def ends(
    calls_s: Array, alike: float, share: float, confidence: float
) -> tuple[float | None, float | None]:
    """Return the ends of a quantile's interval; an end that no call bounds is None.

    Args:
        calls_s: seconds of all single calls, increasing.
        alike: how many independent calls tell as much as they do.
        share: of calls that are at most as long as the quantile.
        confidence: of the interval.
    """
    n, sides = len(calls_s), ((1 - confidence) / 2, (1 + confidence) / 2)
    first, last = special.betaincinv(alike * share, alike * (1 - share), sides)
    below, above = math.floor(n * first), math.ceil(n * last)
    low = float(calls_s[below - 1]) if below > 0 else None
    return low, float(calls_s[above]) if above < n else None


def effective_calls(
    rounds: Sequence[Array], at: float, share: float, confidence: float
) -> float:
    """Return how many independent calls tell as much of a quantile as all calls.

    Args:
        rounds: seconds of single calls, round by round.
        at: the quantile of all of them.
        share: of calls that are at most as long.
        confidence: of the interval that is asked for.
    """
    counts = np.array([len(one) for one in rounds], float)
    below = np.array([np.count_nonzero(one <= at) for one in rounds], float)
    n, k = counts.sum(), len(rounds)
    off = below - counts * below.sum() / n
    between = k / (k - 1) * float(off @ off) / n**2
    alone = share * (1 - share) / n
    if between <= alone:
        return float(n)
    side = (1 + confidence) / 2
    wider = float(special.stdtrit(k - 1, side) / special.ndtri(side))
    return float(n * alone / (between * wider**2))

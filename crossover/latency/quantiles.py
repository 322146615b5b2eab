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
LEAST_EFFECT = 0.25
"""The least that chance may make of a design effect."""


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

    Calls of one round are alike, so that they tell less than as many independent ones:
    their number is divided by the design effect. The interval is that of so many
    independent calls. (Woodruff 1952; Korn and Graubard 1998.)

    Args:
        rounds: seconds of single calls, round by round.
        share: of calls that are at most as long as the quantile.
        confidence: of the interval.
    """
    if len(rounds) < 2:
        return Quantile()
    calls_s = np.sort(np.concatenate(rounds))
    at = float(calls_s[max(0, math.ceil(len(calls_s) * share) - 1)])
    effect = design_effect(rounds, at)

    def end(is_high: bool) -> float | None:
        found = independent_end(calls_s, effect * few, share, confidence, is_high)
        if found is None:
            return None
        # The rounds may differ more there, where the truth may be.
        more = (effect + design_effect(rounds, found)) / 2
        if more <= effect:
            return found
        return independent_end(calls_s, more * few, share, confidence, is_high)

    few = _of_few_rounds(len(rounds), confidence)
    low, high = end(is_high=False), end(is_high=True)
    return Quantile(None if low is None or high is None else at, low, high)


def _of_few_rounds(rounds: int, confidence: float) -> float:
    """Return the square of Student's t over the normal: few rounds show little."""
    side = (1 + confidence) / 2
    return float(special.stdtrit(rounds - 1, side) / special.ndtri(side)) ** 2


def design_effect(rounds: Sequence[Array], seconds: float) -> float:
    """Return the variance of a share of calls over that of as many independent calls.

    Args:
        rounds: seconds of single calls, round by round.
        seconds: the share is that of the calls that take at most so long.
    """
    counts = np.array([len(one) for one in rounds], float)
    below = np.array([np.count_nonzero(one <= seconds) for one in rounds], float)
    n, k = counts.sum(), len(rounds)
    share = below.sum() / n
    off = below - counts * share
    between = k / (k - 1) * float(off @ off) / n
    alone = float(share * (1 - share))
    return max(between / alone, LEAST_EFFECT) if alone else 1.0


def independent_end(
    calls_s: Array, effect: float, share: float, confidence: float, is_high: bool
) -> float | None:
    """Return an end of a quantile's interval; None if no call bounds it.

    The binomial distribution says which order statistic it is; between two of them a
    straight line is taken (Hutson 1999).

    Args:
        calls_s: seconds of single calls, increasing.
        effect: how many calls tell as much as an independent one.
        share: of calls that are at most as long as the quantile.
        confidence: of the interval.
        is_high: whether it is the upper end, or the lower one.
    """
    n = len(calls_s)
    fewer = share if is_high else 1 - share
    k = float(special.bdtrik((1 + confidence) / 2, n / effect, fewer))
    place = (k + 0.5) * effect - 0.5
    if not place <= n - 1:
        return None
    return float(np.interp(place if is_high else n - 1 - place, range(n), calls_s))

"""Is a series of rounds fit to be believed: spread, autocorrelation, changepoint.

In: round values. Out: yes or no. Every test is against what chance alone gives at the
number of rounds there is, so that short clean series stay silent.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from crossover.crossing.decide import FEWEST_ROUNDS, Array, median

UNSTABLE_CV = 0.10
AUTOCORRELATED = 0.3
DRIFT = 0.05
"""A changepoint smaller than this share of the time is not worth a word."""
LEVEL = 0.01
"""Chance of a false alarm, for each test over all sizes of a sweep."""
CELL_LEVEL = 2e-4
"""Chance of a false alarm in one cell; a sweep's pair has about twenty."""
COLD = 5.0
"""Standard deviations by which a cold round is slower than the middle one."""
COLD_SIZES = 3
"""Fewest sizes at which a round must be the slow one to count as cold."""
MAD_TO_SD = 1.4826
MAD_EFFICIENCY = 0.37
"""Efficiency of the median absolute deviation under normal noise (Rousseeuw & Croux
1993)."""


def is_unstable(ratios: list[Array]) -> bool:
    """Tell whether the paired log-ratios spread by more than `UNSTABLE_CV`.

    The spread is 1.4826 x the median absolute deviation, so that a few spikes do not
    count as noise. It must exceed the limit significantly at one size, or over all.
    """
    kept = [r for r in ratios if len(r) >= FEWEST_ROUNDS]
    if not kept:
        return False
    rounds = np.array([len(r) for r in kept])
    deviations = [median(np.abs(r - median(r))) for r in kept]
    # with few rounds the deviation is too small by about this (Croux & Rousseeuw 1992)
    spreads = MAD_TO_SD * np.array(deviations) * rounds / (rounds - 0.8)
    freedom = MAD_EFFICIENCY * (rounds - 1)
    excess = freedom * (spreads / UNSTABLE_CV) ** 2
    alone = np.asarray(special.chdtrc(freedom, excess)) < LEVEL / len(kept)
    return bool(alone.any() or special.chdtrc(freedom.sum(), excess.sum()) < LEVEL)


def is_autocorrelated(ratios: list[Array]) -> bool:
    """Tell whether neighbouring rounds are alike: lag-1 above `AUTOCORRELATED`.

    Correlation of the ranks. White noise of n rounds has mean -1/n and variance about
    1/n, so the estimate must also be significant, at one size or over all.
    """
    kept = [r for r in ratios if len(r) >= FEWEST_ROUNDS]
    if not kept:
        return False
    rounds = np.array([len(r) for r in kept])
    lags = np.array([lag_1(r) for r in kept])
    scores = (lags + 1 / rounds) * np.sqrt(rounds)
    alone = np.asarray(special.ndtr(-scores)) < LEVEL / len(kept)
    together = special.ndtr(-scores.sum() / np.sqrt(len(kept))) < LEVEL
    mean = float(np.average(lags + 1 / rounds, weights=rounds))
    return bool(
        (alone & (lags > AUTOCORRELATED)).any() or (together and mean > AUTOCORRELATED)
    )


def lag_1(values: Array) -> float:
    """Return the lag-1 autocorrelation of the ranks; 0 for a constant series."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    ranks = means[place] - (len(values) + 1) / 2
    square = float(ranks @ ranks)
    return float(ranks[:-1] @ ranks[1:]) / square if square else 0.0


def has_changepoint(seconds: Array) -> bool:
    """Tell whether a cell's rounds, in order, shift or trend by more than `DRIFT`.

    The largest two-sample t over all splits of the log times, or the t of a straight
    line; Bonferroni over all of them. Times are clipped at three deviations so that
    spikes do not hide or feign a shift.
    """
    n = len(seconds)
    if n < 2 * FEWEST_ROUNDS - 2:
        return False
    logs = np.log(seconds)
    middle = median(logs)
    reach = 3 * MAD_TO_SD * median(np.abs(logs - middle))
    logs = np.clip(logs, middle - reach, middle + reach) - middle
    before = np.arange(3, n - 2)
    sums, squares = np.cumsum(logs), np.cumsum(logs**2)
    left, right = sums[before - 1], sums[-1] - sums[before - 1]
    after = n - before
    gap = right / after - left / before
    within = squares[-1] - left**2 / before - right**2 / after
    error = np.sqrt(np.maximum(within, 0) / (n - 2) * (1 / before + 1 / after))
    place = np.arange(n) - (n - 1) / 2
    spread = place @ place
    slope = float(place @ logs) / spread
    residue = squares[-1] - sums[-1] ** 2 / n - slope**2 * spread
    gap = np.append(gap, slope * (n - 1))
    trend_error = np.sqrt(max(residue, 0.0) / (n - 2) / spread) * (n - 1)
    error = np.maximum(np.append(error, trend_error), 1e-12)
    p = 2 * special.stdtr(n - 2, -np.abs(gap) / error)
    best = int(np.argmin(p))
    return bool(p[best] * len(p) < CELL_LEVEL and abs(gap[best]) > DRIFT)


def are_cold(seconds: Array) -> NDArray[np.bool_]:
    """Tell which rounds were far slower than the others at every size.

    At one size that is a spike. At all of them it is what a start costs, such as the
    first use of a device: clean rounds of lognormal noise with spikes of 3 % show it
    once in thousands of tables.

    Args:
        seconds: (sizes, rounds) of one contender, NaN where a round was not taken.
    """
    logs = np.log(seconds)
    away = logs - np.nanmedian(logs, axis=1, keepdims=True)
    spread = MAD_TO_SD * np.nanmedian(np.abs(away), axis=1, keepdims=True)
    is_taken = np.isfinite(logs)
    is_far = away > np.maximum(COLD * spread, DRIFT)
    sizes = is_taken.sum(axis=0)
    cold: NDArray[np.bool_] = (is_far.sum(axis=0) == sizes) & (sizes >= COLD_SIZES)
    return cold

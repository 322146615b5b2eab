"""Where the curves cross: pure functions of paired log-ratios per size.

Estimator: median per size, isotonic fit over the sizes, zero by interpolation in
log(size), interval by bootstrap over rounds. Rounds are the unit of replication.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import isotonic_regression

Ratios = list[NDArray[np.float64]]
"""Per size, log(baseline / challenger) of each round: positive = challenger ahead."""

REPLICATES = 1000


@dataclass(frozen=True)
class Located:
    """An outcome with its crossing; open interval ends are None."""

    outcome: str
    at: float | None = None
    low: float | None = None
    high: float | None = None
    slope: float | None = None
    crossings: tuple[float, ...] = ()


def locate(
    sizes: NDArray[np.float64],
    ratios: Ratios,
    confidence: float,
    margin: float,
    seed: int,
) -> Located:
    """Classify a pair's curve and locate its crossing.

    Args:
        sizes: increasing.
        ratios: per size, one log-ratio a round.
        confidence: of the interval; also of all decisions of the sweep together.
        margin: share by which a contender must be faster to be ahead.
        seed: of the bootstrap.
    """
    signs = decide(ratios, confidence, margin)
    decided = [s for s in signs if s]
    changes = sum(a != b for a, b in zip(decided, decided[1:], strict=False))
    medians = np.array([np.median(r) for r in ratios])
    if changes > 1 or (changes == 1 and decided[0] > 0):
        return Located("not_monotone", crossings=_crossings(sizes, medians, signs))
    if not decided or signs[-1] == 0:
        return Located("inconclusive")
    if signs[-1] < 0:
        return Located("never")
    if signs[0] > 0:
        return Located("always")
    if len(sizes) == 1:
        return Located("inconclusive")
    at = isotonic_zero(np.log(sizes), medians)
    low, high = _interval(sizes, ratios, confidence, seed)
    if not np.isfinite(at):
        return Located("inconclusive", low=low, high=high)
    return Located(
        "found", float(np.exp(at)), low, high, local_slope(np.log(sizes), medians, at)
    )


def decide(ratios: Ratios, confidence: float, margin: float) -> list[int]:
    """Return per size +1 ahead, -1 behind, 0 undecided.

    Wilcoxon's signed-rank test of the paired log-ratios against the margin, both
    directions, Bonferroni over the sizes: the whole sweep errs with probability at
    most 1 - confidence.
    """
    alpha = (1 - confidence) / (2 * len(ratios))
    edge = np.log1p(margin)
    signs = []
    for values in ratios:
        ahead = stats.wilcoxon(values - edge, alternative="greater").pvalue
        behind = stats.wilcoxon(values + edge, alternative="less").pvalue
        signs.append(int(ahead <= alpha) - int(behind <= alpha))
    return signs


def isotonic_zero(
    log_sizes: NDArray[np.float64], medians: NDArray[np.float64]
) -> float:
    """Return log(size) where the isotonic fit turns positive; +-inf if outside."""
    fit = isotonic_regression(medians).x
    above = np.flatnonzero(fit > 0)
    if not len(above):
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float("-inf")
    share = -fit[i - 1] / (fit[i] - fit[i - 1])
    return float(log_sizes[i - 1] + share * (log_sizes[i] - log_sizes[i - 1]))


def local_slope(
    log_sizes: NDArray[np.float64], medians: NDArray[np.float64], at: float
) -> float:
    """Return d log-ratio / d log(size) at the crossing: its error grows as 1/slope."""
    fit = isotonic_regression(medians).x
    i = int(np.clip(np.searchsorted(log_sizes, at), 1, len(log_sizes) - 1))
    return float((fit[i] - fit[i - 1]) / (log_sizes[i] - log_sizes[i - 1]))


def _interval(
    sizes: NDArray[np.float64], ratios: Ratios, confidence: float, seed: int
) -> tuple[float | None, float | None]:
    """Percentile bootstrap over rounds, each size resampled on its own."""
    rng = np.random.default_rng(seed)
    medians = np.stack(
        [
            np.median(r[rng.integers(len(r), size=(REPLICATES, len(r)))], axis=1)
            for r in ratios
        ],
        axis=1,
    )
    zeros = np.sort([isotonic_zero(np.log(sizes), m) for m in medians])
    cut = int(REPLICATES * (1 - confidence) / 2)
    ends = [float(np.exp(zeros[cut])), float(np.exp(zeros[-1 - cut]))]
    low, high = (e if 0 < e < np.inf else None for e in ends)
    return low, high


def _crossings(
    sizes: NDArray[np.float64], medians: NDArray[np.float64], signs: list[int]
) -> tuple[float, ...]:
    """List every decided change of sign, each interpolated between its two sizes."""
    found = []
    last: int | None = None
    for i, sign in enumerate(signs):
        if not sign:
            continue
        if last is not None and signs[last] != sign:
            share = medians[last] / (medians[last] - medians[i])
            step = np.log(sizes[i] / sizes[last])
            found.append(float(sizes[last] * np.exp(share * step)))
        last = i
    return tuple(found)

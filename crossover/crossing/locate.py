"""Where one curve passes a level: of one log-ratio a size, and of its resamples.

In: log-ratios per size. Out: where the isotonic fit of them turns positive, in
log(size) or in sizes. `boundaries`, `answer` and comparisons call it.
"""

import numpy as np
from numpy.typing import NDArray

from crossover.crossing.decide import Array
from crossover.crossing.interval import (
    Interval,
    Ratios,
    agreeing,
    replicate_medians,
)
from crossover.crossing.isotonic import isotonic_fits, zeros


def crossing(sizes: Array, centres: Array) -> float:
    """Return the size where the isotonic fit of the centres turns positive.

    0 when it is positive from the smallest size on, infinity when nowhere.

    Args:
        sizes: increasing.
        centres: log-ratio per size.
    """
    at = point_zero(sizes, centres, [0] * len(sizes), 0.0, 0.0).at
    return as_size(at, np.asarray(sizes, float))


def point_zero(
    sizes: Array, centres: Array, signs: list[int], margin: float, level: float
) -> Interval:
    """Return where the isotonic fit of the centres exceeds a level, both ends open.

    Args:
        sizes: increasing.
        centres: log-ratio per size.
        signs: per size +1 above the level, -1 below it, 0 undecided; see `agreeing`.
        margin: share by which a decided size is above or below, at least.
        level: the log-ratio to exceed.
    """
    weights = np.ones(len(sizes))
    rows = isotonic_fits(np.asarray(centres, float)[None], weights) - level
    fits = agreeing(rows[0], signs, margin)[None]
    zero, slope = zeros(np.log(np.asarray(sizes, float)), fits, weights)
    above = int(np.searchsorted(fits[0], 0.0, "right"))
    return Interval(float(zero[0]), -np.inf, np.inf, float(slope[0]), above)


def as_size(log_size: float, sizes: Array) -> float:
    """Return exp(log_size), and a measured size as it is, which exp may just miss."""
    size = float(np.exp(log_size))
    nearest = float(sizes[np.argmin(np.abs(sizes - size))])
    return nearest if abs(nearest - size) <= 1e-9 * nearest else size


def ahead_replicates(
    sizes: Array, ratios: Ratios, margin: float, seed: int, slack: float = 0.0
) -> tuple[float, NDArray[np.float64]]:
    """Return log(size) from which a lead reaches the margin, and of its resamples.

    Both are +-inf outside the sizes. With slack, a third of the resamples cross that
    much lower, and a third that much higher.

    Args:
        sizes: increasing.
        ratios: per size, at least `FEWEST_ROUNDS` rounds.
        margin: share by which a contender must be faster to be ahead.
        seed: of the bootstrap.
        slack: log-ratio by which all rounds of a run may be off together.
    """
    rows, weights = replicate_medians(ratios, seed)
    fits = isotonic_fits(rows, weights) - np.log1p(margin)
    levels = (0.0, -slack, slack) if slack else (0.0,)
    moved = np.concatenate([fits[:1], *(fits[1:] + level for level in levels)])
    zero, _ = zeros(np.log(np.asarray(sizes, float)), moved, weights)
    return float(zero[0]), zero[1:]

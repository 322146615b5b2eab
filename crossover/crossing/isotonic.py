"""Many isotonic fits at once, and where each turns positive.

In: medians per size, one row a replicate. Out: log(size) of each row's zero.
"""

from functools import lru_cache

import numpy as np

from crossover.crossing.decide import Array

NEAR = np.log(4.0)
"""Sizes within this factor of a bracket's middle, the nearest six at most, help to
place the zero in it."""
FAR = np.log(6.0)
"""The four nearest sizes do, too, unless one is farther than this factor."""
PARABOLA = 3


def isotonic_fits(rows: Array, weights: Array) -> Array:
    """Return the weighted isotonic fit of each row, shape (rows, sizes).

    Max-min formula: fit_i = max over a <= i of min over b >= i of mean(a..b)
    (Robertson, Wright & Dykstra 1988, theorem 1.4.4). The same as scipy's
    `isotonic_regression`, for all rows in one pass.
    """
    columns = rows.T  # whole rows of replicates at once are the fastest to go through
    sizes, n = columns.shape
    sums = np.zeros((sizes + 1, n))
    np.cumsum(columns * weights[:, None], axis=0, out=sums[1:])
    totals = np.concatenate([[0.0], np.cumsum(weights)])
    fits = np.full((sizes, n), -np.inf)
    for a in range(sizes):
        means = sums[a + 1 :] - sums[a]
        means /= (totals[a + 1 :] - totals[a])[:, None]
        least = np.minimum.accumulate(means[::-1], axis=0)[::-1]
        np.maximum(fits[a:], least, out=fits[a:])
    return np.ascontiguousarray(fits.T)


def zeros(log_sizes: Array, fits: Array, weights: Array) -> tuple[Array, Array]:
    """Return log(size) where each fit turns positive, and the slope there.

    The zero is -inf where a fit is positive at the smallest size, +inf where it is
    nowhere positive. Between the two sizes around it, it is placed by a parabola in
    log(size), fitted by least squares to the sizes near by: it uses more sizes than a
    straight line between two, and follows the curve's bend. Where there are not four
    sizes near enough to fit one, or it has no rising zero between the two sizes, as
    where a plateau ends in a step, the straight line decides.
    """
    n, sizes = fits.shape
    positive = fits > 0
    first = np.where(positive.any(axis=1), positive.argmax(axis=1), sizes)
    zero = np.where(first == 0, -np.inf, np.inf)
    slope = np.full(n, np.nan)
    for i in range(1, sizes):
        inside = first == i
        if inside.any():
            zero[inside], slope[inside] = _bracket(log_sizes, fits[inside], weights, i)
    return zero, slope


def _bracket(
    log_sizes: Array, fits: Array, weights: Array, i: int
) -> tuple[Array, Array]:
    """Place the zeros of fits that turn positive between sizes i - 1 and i."""
    low, high = fits[:, i - 1], fits[:, i]
    slope = (high - low) / (log_sizes[i] - log_sizes[i - 1])
    zero = log_sizes[i - 1] - low / slope
    middle = 0.5 * (log_sizes[i - 1] + log_sizes[i])
    x = log_sizes - middle
    nearest = np.argsort(np.abs(x), kind="stable")[: 2 * PARABOLA]
    reach = np.full(len(nearest), NEAR)
    reach[: PARABOLA + 1] = FAR
    near = np.sort(nearest[np.abs(x[nearest]) <= reach])
    if len(near) <= PARABOLA:
        return zero, slope
    solve = _parabola(tuple(x[near]), tuple(weights[near]))
    c, b, a = (fits[:, near] @ solve.T).T
    under = b * b - 4 * a * c
    bottom = b + np.sqrt(np.maximum(under, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        at = -2 * c / bottom
        half = log_sizes[i] - middle
        good = (under > 0) & (bottom > 0) & (np.abs(at) < half)
        rising = b + 2 * a * at
    return np.where(good, middle + at, zero), np.where(good, rising, slope)


@lru_cache(maxsize=256)
def _parabola(places: tuple[float, ...], weights: tuple[float, ...]) -> Array:
    """Return the matrix that turns values at the places into a parabola through them.

    Least squares; the rows are its coefficients, the constant first.
    """
    root = np.sqrt(np.array(weights))
    design = np.vander(np.array(places), PARABOLA, increasing=True)
    matrix: Array = np.linalg.pinv(design * root[:, None]) * root
    return matrix

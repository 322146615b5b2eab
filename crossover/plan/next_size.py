"""Where the next rounds of a pair go: to its crossover's interval (docs/search.md)."""

import math

from crossover.crossing.locate import Located

NEAR = 1.2
"""A size within this factor of one already measured is not worth a new one, and one
within this factor of it may stand for it."""
GAP = 1.7
"""Sizes further apart than this are not interpolated between: for a curve f of
x = log(size) the error is about f'' / f' * log(GAP)^2 / 8, here 3.5 % * f'' / f'."""


def next_size(
    found: Located, rounds: dict[int, int], most: int, width: float
) -> int | None:
    """Return the size to measure next for one pair, or None when it is settled.

    Args:
        found: what the rounds so far say.
        rounds: rounds by size, smallest size first.
        most: rounds that a size may have.
        width: the high / low asked for.

    Where a crossing is found, its neighbours must be close enough to interpolate;
    then rounds go to the middle of its interval and towards its ends: to a size
    measured nearby if there is one that may have more rounds, else to a new one.
    Where nothing is decided, they go to both ends of the range.
    """
    sizes = list(rounds)
    if found.outcome in ("always", "never", "not_monotone"):
        return None
    low, high = found.low or float(sizes[0]), found.high or float(sizes[-1])
    if found.outcome == "found" and found.at is not None:
        at = found.at
        gap = wide_gap(at, sizes)
        if gap is not None:
            return gap
        if high / low <= width:
            return None
        targets = [at, math.sqrt(at * low), math.sqrt(at * high), low, high]
    else:
        targets = [sizes[-1], sizes[0]]
    for target in targets:
        size = roundest(target)
        nearest = _nearest(target, sizes)
        if size not in rounds and _factor(nearest, size) > NEAR:
            return size
        if rounds[nearest] < most:
            return nearest
    return None


def wide_gap(at: float, sizes: list[int]) -> int | None:
    """Return the size to add where a crossing's neighbours are too far apart.

    None when they are close enough, or when no whole number lies between them. The
    new size is near the crossing itself, or, where that is next to a neighbour already,
    near the middle of the gap.
    """
    below = [size for size in sizes if size <= at]
    above = [size for size in sizes if size > at]
    if not below or not above or above[0] / below[-1] <= GAP:
        return None
    target = at
    if _factor(_nearest(at, sizes), at) <= math.sqrt(GAP):
        target = math.sqrt(below[-1] * above[0])
    size = roundest(target)
    return size if below[-1] < size < above[0] else None


def roundest(target: float) -> int:
    """Return the whole number near a size that is divisible by 2 most often.

    Matrix kernels like such sizes and people choose them; among odd ones, times jump
    by several per cent from one to the next, and a curve through them has no meaning.
    The nearest to the target wins among equals.
    """
    nearest = max(1, round(target))
    low = min(nearest, math.ceil(target / NEAR))
    high = max(nearest, math.floor(target * NEAR))
    sizes = range(max(1, low), high + 1)
    return min(sizes, key=lambda n: (-(n & -n), _factor(n, target)))


def _nearest(target: float, sizes: list[int]) -> int:
    return min(sizes, key=lambda size: _factor(size, target))


def _factor(a: float, b: float) -> float:
    return max(a / b, b / a)

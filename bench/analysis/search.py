"""Where the next rounds of a pair go: to its crossover's interval (docs/search.md)."""

import math

from bench.analysis.locate import Located

NEAR = 1.12
"""A size within this factor of one already measured is not worth a new one."""
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
    low, high = found.low or sizes[0], found.high or sizes[-1]
    if found.outcome == "found" and found.at is not None:
        at = found.at
        gap = wide_gap(at, sizes)
        if gap is not None:
            return gap
        if high / low <= width:
            return None
        targets = [at, (at * low) ** 0.5, (at * high) ** 0.5, low, high]
    else:
        targets = [sizes[-1], sizes[0]]
    for target in targets:
        size = max(1, round(target))
        nearest = _nearest(target, sizes)
        if size not in rounds and _factor(nearest, target) > NEAR:
            return size
        if rounds[nearest] < most:
            return nearest
    return None


def wide_gap(at: float, sizes: list[int]) -> int | None:
    """Return the size to add where a crossing's neighbours are too far apart.

    None when they are close enough, or when no whole number lies between them. The
    new size is the crossing itself, or, where that is next to a neighbour already,
    the middle of the gap.
    """
    below = [size for size in sizes if size <= at]
    above = [size for size in sizes if size > at]
    if not below or not above or above[0] / below[-1] <= GAP:
        return None
    size = round(at)
    if _factor(_nearest(at, sizes), at) <= math.sqrt(GAP):
        size = round(math.sqrt(below[-1] * above[0]))
    return size if below[-1] < size < above[0] else None


def _nearest(target: float, sizes: list[int]) -> int:
    return min(sizes, key=lambda size: _factor(size, target))


def _factor(a: float, b: float) -> float:
    return max(a / b, b / a)

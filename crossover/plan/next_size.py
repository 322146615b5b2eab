"""Choose the size for a pair's next rounds: near its crossover (docs/search.md).

`plan` calls `next_size` after each look at a pair; all functions are pure.
"""

import math

from crossover.crossing.boundaries import Answered

NEAR = 1.2
"""Sizes within this factor of each other count as the same: no new one is added."""
GAP = 1.7
"""Largest ratio of neighbouring sizes between which a crossing is interpolated: for a
curve f of x = log(size) the error is about f'' / f' * log(GAP)^2 / 8, which is
3.5 % * f'' / f'."""


def next_size(
    found: Answered, rounds: dict[int, int], most: int, width: float
) -> int | None:
    """Return the size to measure next for one pair, or None when it is settled.

    If a crossing is found, its neighbours must be close enough to interpolate; then
    rounds go to the middle of its interval and towards its ends: to a measured size
    nearby that may have more rounds, else to a new one. If nothing is decided, they go
    to both ends of the range.

    Args:
        found: the pair's zones and boundaries as the rounds so far show them.
        rounds: number of rounds by size, smallest size first.
        most: most rounds of a size.
        width: the high / low that the spec asks for.
    """
    sizes = list(rounds)
    if found.outcome in ("always", "never", "not_monotone"):
        return None
    ahead = found.ahead_from
    low, high = ahead.low or float(sizes[0]), ahead.high or float(sizes[-1])
    if found.outcome == "found" and ahead.at is not None:
        at = ahead.at
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
    """Return the size to add if a crossing's neighbours are too far apart, or None.

    The new size is near the crossing, or near the middle of the gap if the crossing is
    next to a neighbour already. It is None, too, if no whole number lies between them.
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

    Matrix kernels are fast at round sizes, and people choose them; among odd sizes,
    times jump by several per cent from one to the next, so that a curve through them
    has no meaning. Among equally round numbers, the nearest to the target is taken.
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

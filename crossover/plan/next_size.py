"""Choose the size for a pair's next rounds: near its crossover (docs/search.md).

`plan` calls `next_size` after each look at a pair; all functions are pure.
"""

import itertools
import math
from dataclasses import dataclass

from crossover.crossing.boundaries import Answered, Boundary
from crossover.crossing.decide import LOOKS
from crossover.crossing.zones import Zone
from crossover.findings import AHEAD

NEAR = 1.2
"""Sizes within this factor of each other count as the same: no new one is added."""
CLOSE = 1.1
"""No size is added within this factor of another, even if all have their rounds."""
SURE = LOOKS[1]
"""Rounds beside a boundary without which an interval is not believed: of intervals of
fewer rounds, those that are narrow by chance would be taken."""
GAP = 1.7
"""Largest ratio of neighbouring sizes between which a crossing is interpolated: for a
curve f of x = log(size) the error is about f'' / f' * log(GAP)^2 / 8, which is
3.5 % * f'' / f'."""


@dataclass(frozen=True)
class Reach:
    """The next sizes below and above those measured; None if there may be none."""

    down: int | None = None
    up: int | None = None


NOWHERE = Reach()


@dataclass(frozen=True)
class Aim:
    """What the search is to find out, and with how many rounds."""

    most: int
    """Most rounds of a size."""
    width: float
    """The high / low of an interval that is narrow enough."""
    margin: float
    """Share by which a contender must be faster to be ahead."""
    both_ends: bool = False
    """Narrow down, too, up to which size the challenger is behind."""


def next_size(
    found: Answered, rounds: dict[int, int], aim: Aim, reach: Reach = NOWHERE
) -> int | None:
    """Return the size to measure next for one pair, or None when it is settled.

    Where the lead begins is narrowed down, then, if that is wanted, where the lag ends;
    no rounds are spent to prove equality. If the lead may begin beyond the sizes
    measured, the next size there is measured.

    Args:
        found: the pair's zones and boundaries as the rounds so far show them.
        rounds: number of rounds by size, smallest size first.
        aim: how sure the answer must be.
        reach: the sizes by which the range may be extended.
    """
    if found.outcome == "not_monotone":
        return None
    proposed = _for_the_lead(found, rounds, aim, reach)
    if proposed is None and aim.both_ends and found.behind_until.at is not None:
        return narrowed(found.behind_until, rounds, aim)
    return proposed


def _for_the_lead(
    found: Answered, rounds: dict[int, int], aim: Aim, reach: Reach
) -> int | None:
    sizes = list(rounds)
    smallest, largest = found.zones[0], found.zones[-1]
    if largest.name != AHEAD:
        if reach.up is not None and rises(sizes, found.zones):
            return reach.up
        is_open = not largest.is_not_ahead and leans(largest, aim.margin)
        return sizes[-1] if is_open and rounds[sizes[-1]] < aim.most else None
    ahead = found.ahead_from
    if reach.down is not None and ahead.low is None and not smallest.is_not_ahead:
        return reach.down
    if ahead.at is not None and found.outcome == "found":
        return narrowed(ahead, rounds, aim)
    # the lead may begin below the smallest size, or at it
    is_open = smallest.name != AHEAD and rounds[sizes[0]] < aim.most
    return sizes[0] if is_open else None


def rises(sizes: list[int], zones: tuple[Zone, ...]) -> bool:
    """Tell whether the challenger is shown to gain towards the largest size."""
    below = [z for size, z in zip(sizes, zones, strict=True) if size <= sizes[-1] / 2]
    return bool(below) and zones[-1].low > below[-1].high


def leans(zone: Zone, margin: float) -> bool:
    """Tell whether more rounds may show who is ahead, not only that both are equal."""
    if not math.isfinite(zone.high - zone.low):
        return True
    return abs(zone.low + zone.high) / 2 > math.log1p(margin) / 2


def narrowed(boundary: Boundary, rounds: dict[int, int], aim: Aim) -> int | None:
    """Return the size that narrows a boundary's interval down; None if it is narrow.

    Its neighbours must be close enough to interpolate; then rounds go to the middle of
    its interval and towards its ends: to a measured size nearby that may have more
    rounds, else to a new one.
    """
    sizes, at = list(rounds), boundary.at
    assert at is not None
    if (gap := wide_gap(at, sizes)) is not None:
        return gap
    low = boundary.low or float(sizes[0])
    high = boundary.high or float(sizes[-1])
    below, above = neighbours(at, sizes)
    if high / low <= aim.width:
        few = [size for size in (below, above) if rounds[size] < min(SURE, aim.most)]
        return few[0] if few else None
    if low <= below and above <= high and (middle := between(below, above)):
        return middle
    beyond = max(low / GAP, sizes[0]), min(high * GAP, sizes[-1])
    inside = at, math.sqrt(at * low), math.sqrt(at * high), low, high
    for target in (*inside, *beyond):
        size = roundest(target)
        nearest = _nearest(target, sizes)
        if size not in rounds and _factor(nearest, size) > NEAR:
            return size
        if rounds[nearest] < aim.most:
            return nearest
    within = [size for size in sizes if low / NEAR <= size <= high * NEAR]
    gaps = sorted(itertools.pairwise(within), key=lambda gap: gap[0] / gap[1])
    return next(filter(None, itertools.starmap(between, gaps)), None)


def neighbours(at: float, sizes: list[int]) -> tuple[int, int]:
    """Return the two sizes between which a boundary lies."""
    above = next((i for i, size in enumerate(sizes) if size > at), len(sizes) - 1)
    return sizes[max(0, above - 1)], sizes[above]


def between(below: int, above: int) -> int | None:
    """Return a size in the middle of two; None if they are near each other."""
    factor = above / below
    size = roundest(math.sqrt(below * above), factor ** (1 / 4))
    return size if below < size < above and factor > CLOSE**2 else None


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


def roundest(target: float, near: float = NEAR) -> int:
    """Return the whole number near a size that is divisible by 2 most often.

    Matrix kernels are fast at round sizes, and people choose them; among odd sizes,
    times jump by several per cent from one to the next, so that a curve through them
    has no meaning. There is one such number: of two neighbours that are divisible by
    2 equally often, the number midway is so once more.
    """
    nearest = max(1, round(target))
    low = max(1, min(nearest, math.ceil(target / near)))
    high = max(nearest, math.floor(target * near))
    powers = (1 << bit for bit in range(high.bit_length(), -1, -1))
    return next(size for power in powers if (size := -(-low // power) * power) <= high)


def _nearest(target: float, sizes: list[int]) -> int:
    return min(sizes, key=lambda size: _factor(size, target))


def _factor(a: float, b: float) -> float:
    return max(a / b, b / a)

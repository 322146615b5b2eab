"""What the rounding of times hides: by the steps of a clock, or by a file's digits.

In: one pair's seconds per size, in any unit. Out: how much higher or lower the
log-ratio of each size may be. `answer` calls it, docs/statistics.md explains it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossover.crossing.decide import Array, median

NEGLIGIBLE = 1e-3
"""Half a step that is a smaller share of the time than this is left out."""
CHANCE = 1e-4
"""A step is believed if at most this share of sets of times lie on one by chance."""
DIVISORS = np.arange(1.0, 11.0)
"""Neighbouring times are taken to lie at most this many steps apart."""
DECIMALS = 20
"""Times with more decimals than this are not rounded, as far as anybody can see."""
DIGITS = 3
"""Times with more significant digits than this are rounded too finely to matter."""


@dataclass(frozen=True)
class Hidden:
    """What rounding hides of a pair's log-ratios."""

    higher: Array
    """Per size, how much higher the log-ratio may be, >= 0."""
    lower: Array
    """Per size, how much lower the log-ratio may be, >= 0."""
    values: int = 0
    """How many different times there are."""

    @classmethod
    def nothing(cls, sizes: int) -> "Hidden":
        """Return what no rounding hides."""
        return cls(np.zeros(sizes), np.zeros(sizes))

    def __bool__(self) -> bool:
        """Whether anything is hidden at any size."""
        return bool(self.higher.any() or self.lower.any())

    def at(self, sizes: list[int]) -> "Hidden":
        """Return what is hidden at some of the sizes."""
        return Hidden(self.higher[sizes], self.lower[sizes], self.values)

    def blurs(
        self,
        sizes: Array,
        ratios: list[Array],
        signs: Sequence[int],
        at: float | None,
        margin: float,
    ) -> bool:
        """Tell whether rounding may hide who is ahead, or where the curves cross.

        It may where it is coarser than the margin, or all rounds read alike, at a size
        that is undecided or next to the crossing.
        """
        matters = np.array(signs) == 0
        if at is not None:
            matters[np.flatnonzero(sizes <= at)[-1:]] = True
            matters[np.flatnonzero(sizes > at)[:1]] = True
        alike = np.array([len(r) > 1 and np.ptp(r) == 0 for r in ratios])
        coarse = np.maximum(self.higher, self.lower) > np.log1p(margin)
        return bool((matters & (alike | coarse)).any())


def hidden(baseline_s: list[Array], challenger_s: list[Array]) -> Hidden:
    """Return what the rounding of a pair's times hides.

    A time is taken to be rounded to the nearest step, so that the truth may be half a
    step away on each side. The step is the largest that is believed of: the last
    decimal that any time has; as many significant digits as the longest time has; the
    greatest common step of all times, of a contender's, of those of one size.

    Args:
        baseline_s: per size, at least one time.
        challenger_s: per size, at least one time.
    """
    sides = (baseline_s, challenger_s)
    every = _different([np.concatenate(side) for side in sides])
    quantum = _last_decimal(every)
    longest = _longest(every, quantum)
    common = max(quantum, _repeated_step([*baseline_s, *challenger_s], quantum))
    halves = []
    for side in sides:
        own = max(common, _repeated_step(side, common))
        halves.append([_half_step(seconds, own, longest) for seconds in side])
    less, more = (np.array(half) for half in halves)
    return Hidden(
        higher=np.log1p(less) - np.log1p(-more),
        lower=np.log1p(more) - np.log1p(-less),
        values=len(every),
    )


def _half_step(seconds: Array, common: float, longest: int | None) -> float:
    """Return half a step as a share of the typical time, 0 where it is negligible."""
    typical = median(seconds)
    step = max(common, _repeated_step([seconds], common))
    if longest is not None:
        step = max(step, float(_place(np.array([typical]), longest)[0]))
    share = step / 2 / typical
    return share if share >= NEGLIGIBLE else 0.0


def _repeated_step(times: list[Array], known: float) -> float:
    """Return the common step of times that a clock's steps make repeat, else 0.

    Times that are all different may be multiples of one by their law: 1, 4, 16 ms.
    """
    every = _different(times)
    if 2 * len(every) > sum(map(len, times)):
        return 0.0
    return _common_step(every, known)


def _different(times: list[Array]) -> Array:
    """Return the different times, increasing, without what computing in floats adds."""
    every = np.unique(np.concatenate(times))
    place = _place(every, 12)
    return np.unique(np.round(every / place) * place)


def _place(times: Array, digits: int) -> Array:
    """Return the place value of each time's last significant digit."""
    return 10.0 ** (np.floor(np.log10(times)) + 1 - digits)


def _last_decimal(times: Array) -> float:
    """Return the last decimal place that any of the times needs, at most 1."""
    for decimals in range(DECIMALS):
        if (np.abs(np.round(times, decimals) - times) <= 1e-9 * times).all():
            return float(10.0**-decimals)
    return 0.0


def _longest(times: Array, quantum: float) -> int | None:
    """Return how many significant digits times are rounded to; None: none can be seen.

    They are if the larger ones end in more zeros than chance gives them.
    """
    for digits in range(1, DIGITS + 1):
        place = _place(times, digits)
        if (np.abs(np.round(times / place) * place - times) <= 1e-9 * times).all():
            chance = float(np.prod(np.minimum(1.0, quantum / place)))
            return digits if chance <= CHANCE else None
    return None


def _common_step(times: Array, finest: float) -> float:
    """Return the greatest step that all times are multiples of, 0 if none is seen.

    It divides the least difference of two times, and the least time. A time tells only
    as far as its own digits do: those of a clock's step, printed with few of them, are
    no exact multiples. One time alone tells nothing.

    Args:
        times: different times, increasing.
        finest: a step that they are known to be multiples of, 0 if none is.
    """
    if len(times) < 2:
        return 0.0
    least = np.array([np.diff(times).min(), times[0]])
    steps = np.sort((least[:, None] / DIVISORS).ravel())[::-1]
    steps = steps[steps > 2 * NEGLIGIBLE * times[0]]
    for step in steps:
        off = np.abs(times - np.round(times / step) * step)
        known = finest * (0.5 + times / step) + 1e-6 * times
        if (off <= known).all():
            chances = np.sort(np.minimum(1.0, 2 * known / step))[1:]
            if len(steps) * np.prod(chances) <= CHANCE:
                return float(step)
    return 0.0

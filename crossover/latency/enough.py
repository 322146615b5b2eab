"""Up to which size a contender is fast enough: time limits in, brackets out.

In: per size, how long a contender takes, with an interval. Out: the sizes up to which
that is within a limit. Texts such as `20ms` are read here, too.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from crossover.files.untrusted import refused

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
LIMIT = re.compile(r"\s*([\d.]+(?:e[-+]?\d+)?)\s*(s|ms|us|\u00b5s|\u03bcs)\s*", re.I)
MOST_S = 1e9

ENOUGH, TOO_SLOW, UNDECIDED = "enough", "too slow", "undecided"


def parse_limit(text: str | None) -> float | None:
    """Read a time such as `20ms`, `1.5s` or `800us`, in seconds; None where none is.

    Raises:
        InputError: for anything else, and for a time that is not positive.
    """
    if text is None:
        return None
    match = LIMIT.fullmatch(text)
    must = "be a time with its unit, s, ms or us, such as 20ms"
    if match is None:
        raise refused("good_enough", text, must)
    number, unit = match.groups()
    try:
        limit_s = float(number) * UNITS[re.sub("[\u00b5\u03bc]", "u", unit.lower())]
    except ValueError:
        raise refused("good_enough", text, must) from None
    if not 0 < limit_s < MOST_S:
        raise refused("good_enough", text, must)
    return limit_s


@dataclass(frozen=True)
class Taken:
    """How long one size takes; what is not known is None."""

    size: int
    at: float | None
    low: float | None
    high: float | None

    def zone(self, limit_s: float) -> str:
        """Return what is shown of the size: `enough`, `too slow`, or neither."""
        if self.high is not None and self.high <= limit_s:
            return ENOUGH
        is_slow = self.low is not None and self.low > limit_s
        return TOO_SLOW if is_slow else UNDECIDED


@dataclass(frozen=True)
class Bracket:
    """Up to which of the sizes measured a contender is fast enough."""

    outcome: str
    """`found`, `every`, `none`, `not_monotone` or `inconclusive`."""
    up_to: int | None = None
    """By the estimates: the last size that is fast enough, as all smaller ones are;
    None if one of them is unknown."""
    next_size: int | None = None
    """The size measured after that."""
    low: int | None = None
    """Shown fast enough up to here; None if not even the smallest size is."""
    high: int | None = None
    """Shown too slow from here on; None if not even the largest size is."""


def bracket(taken: Sequence[Taken], limit_s: float) -> Bracket:
    """Find up to which size a contender takes no longer than a limit.

    Sizes are claimed in turn: fast enough from the smallest on upwards, too slow from
    the largest on downwards, each until the first one of which it is not shown. So the
    claims of all sizes together are as sure as the interval of one: each direction
    errs with half of its error, however many sizes there are. (Maurer, Hothorn and
    Lehmacher 1995.)

    Args:
        taken: per size, increasing.
        limit_s: the longest time that is fast enough.
    """
    zones = [one.zone(limit_s) for one in taken]
    first = _run(zones, ENOUGH)
    last = len(zones) - _run(zones[::-1], TOO_SLOW)
    low = taken[first - 1].size if first else None
    high = taken[last].size if last < len(zones) else None
    if _returns(zones):
        return Bracket("not_monotone", low=low, high=high)
    if first == len(zones):
        return Bracket("every", up_to=low, low=low)
    if last == 0:
        return Bracket("none", next_size=high, high=high)
    if low is None or high is None:
        return Bracket("inconclusive", low=low, high=high)
    known = [one.at for one in taken if one.at is not None]
    if len(known) < len(taken):
        return Bracket("found", low=low, high=high)
    reach = _run([str(at <= limit_s) for at in known], "True")
    return Bracket("found", taken[reach - 1].size, taken[reach].size, low, high)


def _run(zones: Sequence[str], name: str) -> int:
    """Return how many zones have a name, up to the first one that has not."""
    others = (i for i, zone in enumerate(zones) if zone != name)
    return next(others, len(zones))


def _returns(zones: Sequence[str]) -> bool:
    """Tell whether a size shown too slow is followed by one shown fast enough."""
    slow = zones.index(TOO_SLOW) if TOO_SLOW in zones else math.inf
    return any(zone == ENOUGH and i > slow for i, zone in enumerate(zones))

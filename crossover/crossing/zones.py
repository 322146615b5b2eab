"""Which zone each size lies in, and the outcome: ahead, behind, equal, or undecided.

In: paired log-ratios per size. Out: a `Zone` per size, and what they say of the sweep.
`boundaries` calls it.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from crossover.crossing.decide import Array, lower_limit, walsh_averages
from crossover.crossing.rounding import Hidden
from crossover.findings import AHEAD, BEHIND, EQUAL

NOT_AHEAD, NOT_BEHIND, UNDECIDED = "not_ahead", "not_behind", "undecided"
RESOLVED = (AHEAD, BEHIND, EQUAL)
RANGES = {
    AHEAD: (1, 1),
    BEHIND: (-1, -1),
    EQUAL: (0, 0),
    NOT_AHEAD: (-1, 0),
    NOT_BEHIND: (0, 1),
    UNDECIDED: (-1, 1),
}
"""Per zone, the lowest and the highest of behind (-1), equal (0) and ahead (+1)."""


@dataclass(frozen=True)
class Margins:
    """How large a lead counts, as log-ratios."""

    lead: float
    """From here on a contender is ahead."""
    tie: float
    """Up to here two contenders are equal: a lead, less what the resolution hides."""

    @classmethod
    def of(cls, margin: float, resolution: float) -> "Margins":
        """Return the margins of a share that counts and of one that cannot be seen."""
        lead = float(np.log1p(margin))
        return cls(lead, lead - float(np.log1p(resolution)))


@dataclass(frozen=True)
class Zone:
    """What is shown of one size, with the limits of its log-ratio at its level."""

    name: str = UNDECIDED
    low: float = -np.inf
    high: float = np.inf

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest of behind (-1), equal (0) and ahead (+1)."""
        return RANGES[self.name]

    @property
    def is_not_ahead(self) -> bool:
        """Whether it is shown that the challenger is not ahead."""
        return self.range[1] < 1

    @property
    def is_not_behind(self) -> bool:
        """Whether it is shown that the challenger is not behind."""
        return self.range[0] > -1


@dataclass(frozen=True)
class Rounds:
    """The rounds of one size, prepared for its tests."""

    values: Array
    averages: Array
    lower: float
    """How much lower the log-ratio may be than it reads."""
    higher: float

    def limits(self, level: float) -> tuple[float, float]:
        """Return the limits of the log-ratio, each missed with half the level."""
        low = lower_limit(self.values, self.averages, level / 2)
        high = -lower_limit(-self.values, -self.averages[::-1], level / 2)
        return low - self.lower, high + self.higher


def zone_between(low: float, high: float, margins: Margins) -> Zone:
    """Return the zone of a size whose log-ratio lies between two limits."""
    not_ahead, not_behind = high < margins.tie, low > -margins.tie
    shown = {
        AHEAD: low > margins.lead,
        BEHIND: high < -margins.lead,
        EQUAL: not_ahead and not_behind,
        NOT_AHEAD: not_ahead,
        NOT_BEHIND: not_behind,
    }
    name = next((name for name, is_shown in shown.items() if is_shown), UNDECIDED)
    return Zone(name, float(low), float(high))


def prepared(ratios: list[Array], hidden: Hidden) -> list[Rounds]:
    """Return the rounds of each size with what rounding hides of them."""
    return [
        Rounds(values, walsh_averages(values), float(lower), float(higher))
        for values, lower, higher in zip(
            ratios, hidden.lower, hidden.higher, strict=True
        )
    ]


def size_weights(sizes: int) -> Array:
    """Return each size's share of the error: half for the largest, half for the rest.

    What happens at the largest size decides the outcome; zones are shown also where
    the largest size is undecided.
    """
    if sizes == 1:
        return np.ones(1)
    return np.append(np.full(sizes - 1, 0.5 / (sizes - 1)), 0.5)


def zones(rounds: list[Rounds], margins: Margins, alpha: float) -> list[Zone]:
    """Return the zone of each size; any false claim of them has probability alpha.

    Four one-sided tests a size: ahead, behind, not ahead, not behind. At most one claim
    in each direction can be false, so that each is tested at half of the size's level.
    Holm's procedure, weighted (Holm 1979): a size that is ahead, behind or equal has no
    more to claim, and hands its weight on to the others. (Directions: Shaffer 1980.)

    Args:
        rounds: per size, smallest size first.
        margins: how large a lead counts.
        alpha: the error of all claims together.
    """
    weights = size_weights(len(rounds)) if rounds else np.ones(0)
    found, left = [Zone()] * len(rounds), list(range(len(rounds)))
    while left:
        whole = weights[left].sum()
        for i in left:
            limits = rounds[i].limits(alpha * weights[i] / whole)
            found[i] = zone_between(*limits, margins)
        still = [i for i in left if found[i].name not in RESOLVED]
        if len(still) == len(left):
            break
        left = still
    return found


def classify(found: list[Zone], is_inside: bool) -> str:
    """Return the outcome that the zones of the sizes, smallest first, allow.

    Args:
        found: of the sizes that are measured.
        is_inside: whether the challenger's lead is estimated to begin between them.
    """
    if not found:
        return "inconclusive"
    if not is_monotone(found):
        return "not_monotone"
    if found[-1].name == AHEAD:
        if found[0].name == AHEAD:
            return "always"
        return "found" if is_inside else "inconclusive"
    if found[-1].is_not_ahead and all(zone.name != AHEAD for zone in found):
        return "never"
    return "inconclusive"


def is_monotone(found: list[Zone]) -> bool:
    """Tell whether the zones allow one change from not ahead to ahead.

    A lead that is lost again does not. Nor does a challenger that falls behind only to
    get ahead at the largest size.
    """
    lead_lost = any(
        one.name == AHEAD and other.is_not_ahead
        for one, other in itertools.combinations(found, 2)
    )
    return not lead_lost and not (found[-1].name == AHEAD and falls_behind(found))


def falls_behind(found: list[Zone]) -> bool:
    """Tell whether a size shown not behind is followed by one shown behind."""
    return any(
        one.is_not_behind and other.name == BEHIND
        for one, other in itertools.combinations(found, 2)
    )


def changes(found: list[Zone]) -> list[tuple[int, int, int, int]]:
    """List every change of zone as (size before, size after, range before, after).

    As few as the zones allow. The sizes are the nearest ones that show the change; the
    ranges are -1 behind, 0 equal, +1 ahead.
    """
    listed = []
    low, high, at_low, at_high = -1, 1, 0, 0
    for i, zone in enumerate(found):
        least, most = zone.range
        if least > high:
            listed.append((at_high, i, high, least))
            low, high, at_low, at_high = least, most, i, i
        elif most < low:
            listed.append((at_low, i, low, most))
            low, high, at_low, at_high = least, most, i, i
        else:
            low, at_low = (least, i) if least >= low else (low, at_low)
            high, at_high = (most, i) if most <= high else (high, at_high)
    return listed

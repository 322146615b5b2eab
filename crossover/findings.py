"""The nouns for what is found in a run: estimates, answers and crossovers.

The analysis makes them, and tables, pages and comparisons show them.
"""

import math
from dataclasses import dataclass

from crossover.contender import Contender
from crossover.nouns import Case

AHEAD, BEHIND, EQUAL = "ahead", "behind", "equal"


@dataclass(frozen=True)
class Estimate:
    """The time of one cell in one view: seconds for all of the case's epochs."""

    cell_id: str
    view: str
    case: Case
    contender: Contender
    median_s: float
    low_s: float
    high_s: float
    min_s: float
    confidence: float
    rounds: int
    flags: tuple[str, ...]
    items_per_s: float | None = None
    """Throughput: how many things a second works on; None if nobody counted them."""


@dataclass(frozen=True)
class Latency:
    """A quantile of one cell's single calls; what is not known is None."""

    cell_id: str
    case: Case
    contender: Contender
    quantile: str
    """Its name: `p50`, `p95`, `p99`."""
    latency_s: float | None
    low_s: float | None
    high_s: float | None
    confidence: float
    calls: int
    rounds: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Enough:
    """Up to which size one contender is fast enough along an axis."""

    axis: str
    line: Case
    """The case at every size, without a value on the axis."""
    contender: Contender
    by: str
    """What is compared with the limit: `p99` of single calls, or the `median` time."""
    limit_s: float
    outcome: str
    """`found`, `every`, `none`, `not_monotone`, `inconclusive` or `not_measured`."""
    up_to: int | None = None
    """By the estimates, the last size measured that is fast enough."""
    next_size: int | None = None
    """The size measured after it."""
    low: int | None = None
    """Shown fast enough from the smallest size measured up to here."""
    high: int | None = None
    """Shown too slow from here up to the largest size measured."""
    confidence: float | None = None
    """Of all that is shown together."""
    smallest: int | None = None
    largest: int | None = None
    """The smallest and the largest size measured."""
    zones: tuple[str, ...] = ()
    """What is shown of each size measured: `64 enough`, `128 too slow`."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class SizeZone:
    """What is shown of one size, and how many times as fast the challenger is there."""

    size: float
    name: str
    """Who is shown to be what: `ahead`, `behind`, `equal`; others are no verdict."""
    speedup: float | None = None
    """None where one of them ran into the time limit: then only a bound is known."""
    low: float = 0.0
    """The limits of all sizes of a sweep hold together."""
    high: float = math.inf

    @property
    def has_verdict(self) -> bool:
        """Whether it is shown who is ahead, or that both are equal."""
        return self.name in (AHEAD, BEHIND, EQUAL)

    @property
    def within(self) -> float:
        """The smallest share within which the contenders are shown to be."""
        return max(self.high, 1 / self.low if self.low else math.inf) - 1

    def __str__(self) -> str:
        """`16 behind`, or `64 within 7 %` where no difference is shown."""
        shown = self.name if self.has_verdict else bounded(self.within)
        return f"{size_text(self.size)} {shown}"


def bounded(share: float) -> str:
    """Write within which share two contenders are, rounded up: `within 7 %`."""
    return f"within {math.ceil(100 * share):,} %" if share < 10 else "undecided"


def size_text(value: float) -> str:
    """Write a size, measured or estimated, the same way everywhere: `20.6`, `1,841`."""
    return f"{float(f'{value:.3g}' if value < 100 else f'{value:.0f}'):,.15g}"


@dataclass(frozen=True)
class Answer:
    """Whether, and from which size on, one contender is ahead of another by the margin.

    `low` or `high` is None if the crossing may lie beyond the measured sizes; so is an
    end of the other two boundaries.
    """

    outcome: str
    at: float | None = None
    """From here on the challenger is ahead by the margin."""
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    first_win: float | None = None
    least_regret: float | None = None
    fitted: float | None = None
    speedup_smallest: float | None = None
    speedup_largest: float | None = None
    slope: float | None = None
    behind_until: float | None = None
    """Up to here the challenger is behind by the margin."""
    behind_until_low: float | None = None
    behind_until_high: float | None = None
    parity: float | None = None
    """Where both take the same time."""
    parity_low: float | None = None
    parity_high: float | None = None
    equal_from: float | None = None
    """The smallest measured size shown equal."""
    equal_to: float | None = None
    """The largest measured size shown equal."""
    worst_regret: float | None = None
    """Share that the wrong choice costs at most between the two boundaries."""
    next_ahead: float | None = None
    """The smallest measured size shown ahead."""
    next_ahead_speedup: float | None = None
    speedup_smallest_low: float | None = None
    speedup_smallest_high: float | None = None
    speedup_largest_low: float | None = None
    speedup_largest_high: float | None = None
    most_behind: float | None = None
    """The least speedup at a size shown behind."""
    most_behind_low: float | None = None
    most_behind_high: float | None = None
    zones: tuple[SizeZone, ...] = ()
    """What is shown of each size, the smallest first."""
    flags: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the challenger is shown to be ahead or behind at any size."""
        return any(zone.name in (AHEAD, BEHIND) for zone in self.zones)


@dataclass(frozen=True)
class Crossover:
    """The answer for one pair of contenders along an axis, in one view and metric."""

    axis: str
    line: Case
    """The case at every size, without a value on the axis."""
    view: str
    metric: str
    baseline: str
    challenger: str
    answer: Answer
    is_control: bool = False
    """Whether the challenger is a copy of the baseline, which must not differ."""
    next_step: str = ""
    """The command that may decide an answer that is undecided."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags for tables: `control` for a control, then those of the answer."""
        return (*["control"] * self.is_control, *self.answer.flags)

"""The nouns for what is found in a run: estimates, answers and crossovers.

The analysis makes them, and tables, pages and comparisons show them.
"""

from dataclasses import dataclass

from crossover.contender import Contender
from crossover.nouns import Case


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


@dataclass(frozen=True)
class Answer:
    """Whether, and from which size on, one contender is ahead of another.

    `low` or `high` is None if the crossing may lie beyond the measured sizes.
    """

    outcome: str
    at: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    first_win: float | None = None
    least_regret: float | None = None
    fitted: float | None = None
    speedup_smallest: float | None = None
    speedup_largest: float | None = None
    slope: float | None = None
    flags: tuple[str, ...] = ()


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

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags for tables: `control` for a control, then those of the answer."""
        return (*["control"] * self.is_control, *self.answer.flags)

"""What is found in a run: the time of a cell, an answer, the crossover it is about."""

from dataclasses import dataclass

from crossover.nouns import Case, Contender


@dataclass(frozen=True)
class Estimate:
    """The time of one cell in one view, in seconds for all of the case's epochs."""

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
    """Whether and where one contender gets ahead of another along an axis.

    `low` or `high` is None where the crossing may lie beyond the sizes measured.
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
    """From which size on the challenger beats the baseline, or why we can't say."""

    axis: str
    line: Case
    """The case of every size, without a value on the axis."""
    view: str
    metric: str
    baseline: str
    challenger: str
    answer: Answer
    is_control: bool = False
    """A contender against a copy of itself, which must not differ."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of its row in a table: its role, then those of its answer."""
        return (*["control"] * self.is_control, *self.answer.flags)

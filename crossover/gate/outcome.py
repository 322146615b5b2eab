"""What a comparison of runs says, as models; the JSON Schema is made from them.

In: nothing. Out: `Comparison`, which `--json` prints and all words quote.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["slower", "faster", "later", "earlier", "same", "unclear", "alone"]
"""A crossover moved `later`, to larger sizes, or `earlier`. `same`: within the margin,
`unclear` may be either, `alone` has nothing to tell it from the machine."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(_Said):
    """One of the runs, and how fit its machine was."""

    name: str = Field(description="What the user calls the run.")
    run_id: str
    commit: str | None
    started_utc: str = Field(description="When its first round began.")
    cpu: str
    fingerprint: str = Field(description="The same for runs of one machine.")
    cores: int | None
    load_1min: float | None = Field(
        description="The machine's load before it began: others' programs."
    )
    waited_share: float | None = Field(
        description="The largest share of its cores that others had in any cell, by "
        "the median round."
    )
    drift: float = Field(
        description="Median over cells of time in the second half / in the first half."
    )
    between_processes: float = Field(
        description="Factor by which a contender differed from its copy, or what is "
        "usual; every interval of a time is wider by it."
    )
    control_fired: bool
    lacks: tuple[str, ...] = Field(
        description="What it did not measure although it was asked for."
    )


class Change(_Said):
    """One number in the first run and in a later one; ratios are later / first."""

    run: str = Field(description="The later run's name.")
    kind: Literal["contender", "time", "crossover"] = Field(
        description="A contender over all of its cases, one of its cases, or from "
        "which size on one is ahead of another."
    )
    what: str = Field(description="What changed, in words.")
    contender: str = Field(description="Of a crossover, the challenger.")
    baseline: str | None = Field(description="None unless it is a crossover.")
    sizes: dict[str, int | float | str | bool] = Field(
        description="The case's values; of a crossover those along its axis."
    )
    view: str
    before: float | None = Field(description="Seconds, or a size; None: nowhere.")
    after: float | None
    ratio: float | None = Field(
        description="Of times: against the other contenders of the same rounds."
    )
    low: float | None = Field(description="Lower end; None: open.")
    high: float | None
    seconds_ratio: float | None = Field(
        description="Of times alone: what a clock on the wall says, machine included."
    )
    verdict: Verdict
    failed: bool = Field(description="Whether a limit that was asked for is broken.")


class Shift(_Said):
    """What all times of a later run have in common: the machine's."""

    run: str
    ratio: float = Field(description="Median over all cells of later / first.")
    low: float = Field(description="The least of any contender.")
    high: float = Field(description="The most of any contender.")
    is_common: bool = Field(
        description="Whether every contender moved the same way, beyond the margin."
    )


class Comparison(_Said):
    """All changes from the first run to each later one, those that count first."""

    schema_version: Literal[1]
    sides: tuple[Side, ...]
    shifts: tuple[Shift, ...]
    changes: tuple[Change, ...]
    confidence: float = Field(description="That of all intervals together.")
    margin: float = Field(description="Share by which something must have changed.")
    fail_slower: float | None = Field(description="A share; None: not asked for.")
    fail_moved: float | None = Field(description="A factor; None: not asked for.")
    only: str | None
    undecided: tuple[str, ...] = Field(
        description="How many rows a disturbed run left undecided, and why."
    )
    failed: bool

    @property
    def changed(self) -> bool:
        """Whether anything got slower or faster, or moved, beyond the margin."""
        return any(change.verdict in CHANGED for change in self.changes)

    @property
    def incomplete(self) -> bool:
        """Whether a run lacks something, or what has a limit could not be judged."""
        has_limit = self.fail_slower is not None or self.fail_moved is not None
        return any(side.lacks for side in self.sides) or bool(
            has_limit and self.undecided
        )


CHANGED = ("slower", "faster", "later", "earlier")

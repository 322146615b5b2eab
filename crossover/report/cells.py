"""The tables of the page: their columns, and how each writes its numbers for people."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from crossover.findings import Crossover
from crossover.report.tables import article
from crossover.report.words.numbers import count, number, percent, seconds, times
from crossover.workloads.workload import Size, Workload

WRITE = {
    "size": number, "end": number, "count": count, "factor": times,
    "share": percent, "seconds": seconds,
}  # fmt: skip
"""How a number is written, by its column's rule; other rules are for texts."""


@dataclass(frozen=True)
class Column:
    """A column of a table on the page."""

    field: str
    head: str
    rule: str = "text"

    @property
    def is_number(self) -> bool:
        """Tell whether its cells are numbers."""
        return self.rule in WRITE

    def written(self, value: float) -> str:
        """Write one of its numbers."""
        return WRITE[self.rule](value)


Columns = tuple[Column, ...]


@dataclass(frozen=True)
class Row:
    """A row of a table on the page."""

    key: str
    """`estimates:12`: the file and the row in it, from 1, its head not counted."""
    values: Mapping[str, object]
    noun: Crossover | None = None

    @property
    def has_interval(self) -> bool:
        """Tell whether a missing end is one of an interval, and lies open."""
        known = self.values["low"] is not None or self.values["high"] is not None
        return known or self.values["outcome"] == "found"


PAIR = (Column("challenger", "Challenger"), Column("baseline", "Baseline"))
CROSSOVERS = (
    Column("axis", "Over", "over"), Column("view", "What counts", "view"), *PAIR,
    Column("outcome", "Outcome", "outcome"), Column("at", "From", "size"),
    Column("low", "Low", "end"), Column("high", "High", "end"),
    Column("speedup_smallest", "At smallest", "factor"),
    Column("speedup_largest", "At largest", "factor"),
    Column("first_win", "First win", "size"),
    Column("least_regret", "Least regret", "size"), Column("fitted", "Fitted", "size"),
    Column("slope", "Slope", "size"), Column("confidence", "Confidence", "share"),
    Column("metric", "Metric"), Column("flags", "Flags", "flags"),
)  # fmt: skip
SECONDS = (
    Column("median_s", "Median", "seconds"), Column("low_s", "Low", "seconds"),
    Column("high_s", "High", "seconds"), Column("min_s", "Fastest", "seconds"),
    Column("confidence", "Confidence", "share"), Column("rounds", "Rounds", "count"),
    Column("flags", "Flags", "flags"),
)  # fmt: skip
SPEEDUPS = (
    *PAIR, Column("speedup", "Speedup", "factor"), Column("low", "Low", "factor"),
    Column("high", "High", "factor"), Column("confidence", "Confidence", "share"),
    Column("rounds", "Rounds", "count"),
)  # fmt: skip


def case_columns(workload: Workload, left_out: Container[str] = ()) -> Columns:
    """Return a column for each size of a case."""
    return tuple(
        Column(size.name, size.column_head, "count")
        for size in workload.sizes
        if size.name not in left_out
    )


def estimates(workload: Workload) -> Columns:
    """Return the columns of the times of cells."""
    who, what = Column("contender", "Contender"), Column("view", "What counts", "view")
    return (who, *case_columns(workload), what, *SECONDS)


def break_evens(workload: Workload) -> Columns:
    """Return the columns of the break-evens; what repeats is the answer, no size."""
    repeat, repeats = workload.repeat, workload.repeats
    return (
        *PAIR, *case_columns(workload, (workload.repeating,)),
        Column("outcome", "Outcome", "outcome"),
        Column(workload.repeating or repeats, repeats.capitalize(), "size"),
        Column("low", "Low", "end"), Column("high", "High", "end"),
        Column("interval", "Interval", "words"),
        Column("trained", "Samples trained", "size"),
        Column("trained_low", "Trained, low", "size"),
        Column("trained_high", "Trained, high", "size"),
        Column("confidence", "Confidence", "share"),
        Column("rounds", "Rounds", "count"),
        Column("challenger_fixed_s", "Fixed, challenger", "seconds"),
        Column("baseline_fixed_s", "Fixed, baseline", "seconds"),
        Column(
            f"challenger_{repeat}_s", f"{repeat.capitalize()}, challenger", "seconds"
        ),
        Column(f"baseline_{repeat}_s", f"{repeat.capitalize()}, baseline", "seconds"),
        Column("flags", "Flags", "flags"),
    )  # fmt: skip


def costs(workload: Workload) -> Columns:
    """Return the columns of what times are made of."""
    shape = [size.name for size in workload.sizes if size.name not in workload.shape]
    return (
        Column("contender", "Contender"), *case_columns(workload, shape),
        *(
            Column(f"per_{name}_s", f"{article(name)} {name}".capitalize(), "seconds")
            for name in (*workload.costs, workload.repeat, "launch")
        ),
        Column("setup_s", "Set-up", "seconds"),
        Column("transfer_s", "A move", "seconds"),
        Column("per_byte_s", "A byte moved", "seconds"),
        Column("fit_error", "Fit error", "share"), Column("cells", "Cells", "count"),
        Column("flags", "Flags", "flags"),
    )  # fmt: skip


def modelled(workload: Workload) -> Columns:
    """Return the columns of cells whose time was scaled up, beside the model's."""
    return (
        Column("contender", "Contender"), *case_columns(workload), *SECONDS[:3],
        Column("model_s", "Model", "seconds"),
        Column("model_low_s", "Low", "seconds"),
        Column("model_high_s", "High", "seconds"),
        Column("model_off", "Off by", "share"),
    )  # fmt: skip


def sized(along: Size, columns: Columns) -> Columns:
    """Return the columns of one sweep's numbers, its size first."""
    return (Column(along.name, along.axis_words.capitalize(), "count"), *columns)

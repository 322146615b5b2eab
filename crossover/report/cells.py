"""The tables of the page: their columns, and how each writes its numbers for people."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from crossover.findings import Crossover, size_text
from crossover.nouns import Case
from crossover.report.tables import article
from crossover.report.words.numbers import count, number, percent, seconds, times
from crossover.workloads.values import Size
from crossover.workloads.workload import Workload

WRITE = {
    "size": size_text, "end": size_text, "count": count, "factor": times,
    "share": percent, "seconds": seconds, "number": number,
}  # fmt: skip
"""How a number is written, by its column's rule; other rules are for texts."""


ASIDE = {
    "behind_until_low", "behind_until_high", "parity_low", "parity_high",
    "speedup_smallest_low", "speedup_smallest_high", "speedup_largest_low",
    "speedup_largest_high", "first_win", "least_regret", "fitted", "slope",
    "zones",
}  # fmt: skip
"""Columns of crossovers that a printed page has no room for."""


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

    @property
    def is_aside(self) -> bool:
        """Tell whether it is left out in print."""
        return self.field in ASIDE

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
    along: tuple[str, Case] | None = None
    """The axis and the fixed values of a row that is of no crossover."""

    @property
    def has_interval(self) -> bool:
        """Tell whether a missing end is one of an interval, and lies open."""
        known = self.values["low"] is not None or self.values["high"] is not None
        return known or self.values["outcome"] == "found"


RULES = {
    "axis": "over", "view": "view", "outcome": "outcome", "interval": "words",
    "flags": "flags", "contender": "text", "challenger": "text", "baseline": "text",
    "metric": "text", "zones": "text", "low": "end", "high": "end",
    "confidence": "share", "worst_regret": "share", "next_ahead_speedup": "factor",
    "fit_error": "share", "model_off": "share", "rounds": "count", "cells": "count",
    "speedup": "factor", "speedup_smallest": "factor", "speedup_largest": "factor",
    "speedup_smallest_low": "factor", "speedup_smallest_high": "factor",
    "speedup_largest_low": "factor", "speedup_largest_high": "factor",
    "slope": "number", "items_per_s": "number", "quantile": "text", "calls": "count",
}  # fmt: skip
"""The rule of a field; of others it is `seconds`, where they end in `_s`, or `size`."""


def columns(listed: str, **rules: str) -> Columns:
    """Return the columns of fields such as `at: From; low; high`, heads after colons.

    A field without a head is its own; `rules` has what differs from `RULES`.
    """
    found = []
    for field, _, head in (one.partition(": ") for one in listed.split("; ")):
        usual = RULES.get(field, "seconds" if field.endswith("_s") else "size")
        named = head or field.removesuffix("_s").replace("_", " ").capitalize()
        found.append(Column(field, named, rules.get(field, usual)))
    return tuple(found)


PAIR = "challenger; baseline"
CROSSOVERS = columns(
    f"axis: Over; view: What counts; {PAIR}; outcome; at: Ahead from; low; high; "
    "behind_until; behind_until_low: Until, low; behind_until_high: Until, high; "
    "parity; parity_low: Parity, low; parity_high: Parity, high; equal_from; equal_to; "
    "worst_regret; next_ahead; next_ahead_speedup: Speedup there; "
    "speedup_smallest: At smallest; speedup_smallest_low: Smallest, low; "
    "speedup_smallest_high: Smallest, high; speedup_largest: At largest; "
    "speedup_largest_low: Largest, low; speedup_largest_high: Largest, high; "
    "first_win; least_regret; fitted; slope; confidence; metric; zones; flags"
)
WHO = columns("contender")
MEDIAN = columns("median_s; low_s; high_s")
SPEEDUPS = columns(
    f"{PAIR}; speedup; low; high; confidence; rounds", low="factor", high="factor"
)


REGRET = columns(
    "axis: Over; among; sizes: Sizes picked; refused: Outside; mean: Picking costs; "
    "worst: At worst; always: Best fixed rule; always_mean: It costs; "
    "always_worst: It costs at worst",
    among="text", always="text", sizes="count", refused="count", mean="share",
    worst="share", always_mean="share", always_worst="share",
)  # fmt: skip


def case_columns(workload: Workload, left_out: Container[str] = ()) -> Columns:
    """Return a column for each size of a case."""
    return tuple(
        Column(size.name, size.column_head, "count")
        for size in workload.sizes
        if size.name not in left_out
    )


def times_of(has_items: bool) -> Columns:
    """Return the columns of a cell's time, and of its throughput if it is known."""
    throughput = columns("items_per_s: Items a second") if has_items else ()
    rest = columns("min_s: Fastest; confidence; rounds; flags")
    return (*MEDIAN, *throughput, *rest)


def estimates(workload: Workload, has_items: bool) -> Columns:
    """Return the columns of the times of cells."""
    who = *WHO, *case_columns(workload), *columns("view: What counts")
    return (*who, *times_of(has_items))


def break_evens(workload: Workload) -> Columns:
    """Return the columns of the break-evens; what repeats is the answer, no size."""
    each, many = workload.repeat, workload.repeats
    return (
        *columns(PAIR),
        *case_columns(workload, (workload.repeating,)),
        *columns(
            f"outcome; {workload.repeating or many}: {many.capitalize()}; low; high; "
            "interval; trained: Samples trained; trained_low: Trained, low; "
            "trained_high: Trained, high; confidence; rounds; "
            "challenger_fixed_s: Fixed, challenger; baseline_fixed_s: Fixed, baseline; "
            f"challenger_{each}_s: {each.capitalize()}, challenger; "
            f"baseline_{each}_s: {each.capitalize()}, baseline; flags"
        ),
    )


def latency(workload: Workload) -> Columns:
    """Return the columns of the quantiles of single calls."""
    rest = columns(
        "quantile; latency_s: Takes; low_s: Low; high_s: High; confidence; calls; "
        "rounds; flags"
    )
    return (*WHO, *case_columns(workload), *rest)


def costs(workload: Workload) -> Columns:
    """Return the columns of what times are made of."""
    apart = [size.name for size in workload.sizes if size.name not in workload.shape]
    parts = "; ".join(
        f"per_{name}_s: {article(name).capitalize()} {name}"
        for name in (*workload.costs, workload.repeat, "launch")
    )
    fixed = "setup_s: Set-up; transfer_s: A move; per_byte_s: A byte moved"
    rest = columns(f"{parts}; {fixed}; fit_error; cells; flags")
    return (*WHO, *case_columns(workload, apart), *rest)


def modelled(workload: Workload) -> Columns:
    """Return the columns of cells whose time was scaled up, beside the model's."""
    model = "model_s; model_low_s: Low; model_high_s: High; model_off: Off by"
    return (*WHO, *case_columns(workload), *MEDIAN, *columns(model))


def sized(along: Size, columns: Columns) -> Columns:
    """Return the columns of one sweep's numbers, its size first."""
    return (Column(along.name, along.axis_words.capitalize(), "count"), *columns)

"""The words around each figure: (heading, what is seen, caption), nothing escaped."""

from collections.abc import Sequence

from crossover.analysis.breakeven import BreakEven
from crossover.analysis.panels import Control, Grid
from crossover.analysis.phases import Phases, WarmUp
from crossover.analysis.sweeps import SweepResult
from crossover.findings import size_text
from crossover.report.pictures.control import verdict
from crossover.report.pictures.labels import nothing
from crossover.report.words.names import name
from crossover.report.words.numbers import (
    between,
    number,
    percent,
    seconds,
    spanned,
    times,
)
from crossover.report.words.sentences import fixed_values, sentence
from crossover.workloads.workload import Workload

Words = tuple[str, str, str]
MOST_SAID = 3
"""Sentences in a picture's description; the page's tables hold them all."""


def sweep(result: SweepResult) -> Words:
    """Describe times and speedups along one sweep."""
    fixed = fixed_values(result.sweep)
    heading = f"Time and speedup by {fixed}"
    missing = result.not_measured()
    without = f" Not measured: {'; '.join(missing)}." if missing else ""
    if not result.estimates:
        return heading, f"Nothing is drawn: {nothing(result)}.", without.strip()
    told = [c for c in result.timed() if c.answer.outcome != "not_measured"]
    said = ". ".join(sentence(c) for c in told[:MOST_SAID])
    more = f". And {len(told) - MOST_SAID} more pairs" if len(told) > MOST_SAID else ""
    workload, line = result.sweep.workload, result.sweep.line
    repeats = line.repeats if result.per_repeat else 1
    scaled = (
        f" The CSV's times are of all {repeats:,} {workload.repeats}."
        if repeats > 1
        else ""
    )
    caption = (
        f"n = {spanned([e.rounds for e in result.estimates])} rounds a point, medians. "
        "Bands: intervals of the median. Shaded, or a bar on the 1x line: the interval "
        "of the size from which on the challenger is ahead by the margin. Times: "
        f"estimates.csv, view {result.view}; speedups: "
        f"speedups.csv; crossovers: crossovers.csv.{scaled}{without}"
    )
    return heading, f"Left time, right speedup. {said or 'No pair'}{more}.", caption


def grid(grid: Grid) -> Words:
    """Describe a pair's speedups over two axes."""
    a, b = name(grid.baseline), name(grid.challenger)
    names = grid.axis, grid.second_axis
    first, second = names
    if grid.case is not None:
        first, second = (grid.case.workload.size(n).axis_words for n in names)
    points = [p for line in grid.lines for p in line.speedups]
    low, high = (f(p.speedup for p in points) for f in (min, max))
    found = [
        f"from {size_text(line.answer.at)} at {line.value:,}"
        for line in grid.lines
        if line.answer is not None and line.answer.at is not None
    ]
    crossing = f"; ahead {', '.join(found)}" if found else "; no crossover found"
    alt = f"Speedups from {between(low, high, times)}{crossing}."
    hatched = f" Hatched: not measured ({grid.missing} cells)." if grid.missing else ""
    caption = (
        f"n = {spanned([p.rounds for p in points])} pairs a cell, medians; a row a "
        "sweep. Dot and bar: the size from which on the challenger is ahead, with its "
        f"interval, an arrow where it is open. Dotted: not asked for.{hatched} "
        "Speedups: speedups.csv; crossovers: crossovers.csv."
    )
    return f"{b} against {a} by {first} and {second}", alt, caption


def break_even(result: SweepResult, rows: Sequence[BreakEven]) -> Words:
    """Describe the break-evens along one sweep."""
    said = [_broken(result, b) for b in (rows[0], rows[-1])]
    caption = (
        f"n = {spanned([b.rounds for b in rows])} shared rounds. Bars: Fieller's "
        f"{percent(rows[0].confidence)} intervals, an arrow where an end is open. "
        f"Rows without numbers: under one {result.sweep.workload.repeat}, never, not "
        "decided. From breakeven.csv."
    )
    heading = f"Break-even by {fixed_values(result.sweep)}"
    return heading, f"{'; '.join(dict.fromkeys(said))}.", caption


def _broken(result: SweepResult, b: BreakEven) -> str:
    axis, workload = result.along.axis_words, result.sweep.workload
    pair = f"{name(b.challenger)} against {name(b.baseline)}"
    where = f"{pair} at {axis} {result.size(b.case):,}"
    match b.outcome:
        case "pays_from" if b.repeats is not None:
            return f"{where}: pays from {_repeats(b.repeats, workload)} on"
        case "loses_from" if b.repeats is not None:
            return f"{where}: ahead up to {_repeats(b.repeats, workload)}"
        case "at_once":
            return f"{where}: pays at once"
        case "never":
            return f"{where}: never pays"
    return f"{where}: not decided"


def _repeats(value: float, workload: Workload) -> str:
    if value < 1:
        return f"under 1 {workload.repeat}"
    return f"{number(value)} {workload.repeats}"


def phases(result: SweepResult, rows: Sequence[Phases]) -> Words:
    """Describe where the time goes."""
    axis = result.along.axis_words
    said = [
        f"{row.contender} at {axis} {row.size:,}: {seconds(row.total_s)}, "
        f"{percent(row.train_s / row.total_s)} of it training"
        for row in (rows[0], rows[-1])
    ]
    caption = (
        f"n = {spanned([row.rounds for row in rows])} rounds, medians. What a fresh "
        "process pays, in shares of its total. From estimates.csv: the view train, "
        "what with_transfer adds to it, and what from_scratch adds to that."
    )
    heading = f"Where the time goes by {fixed_values(result.sweep)}"
    return heading, f"{'; '.join(dict.fromkeys(said))}.", caption


def warm_up(result: SweepResult, rows: Sequence[WarmUp]) -> Words:
    """Describe the warm-ups."""
    slowest = max(rows, key=lambda row: row.repeat_s[0] / row.repeat_s[-1])
    longer = times(slowest.repeat_s[0] / slowest.repeat_s[-1])
    alt = (
        f"The first call of {slowest.contender} takes {longer} as long as its last, "
        "the largest factor of all."
    )
    caption = (
        f"n = {spanned([row.of_calls for row in rows])} calls of one process each, at "
        "the smallest and the largest size; none of them is in the times. The first "
        f"two train one {result.sweep.workload.repeat}. From measurements.csv, column "
        "warmup_s."
    )
    return f"Warm-up by {fixed_values(result.sweep)}", alt, caption


def control(controls: Sequence[Control]) -> Words:
    """Describe the A/A control."""
    said = [
        f"{c.contender} ({fixed_values(c.sweep)}): {verdict(c)}, medians "
        f"{between(min(c.medians.values()), max(c.medians.values()))}"
        for c in controls
    ]
    rounds = [n for c in controls for n in c.rounds.values()]
    caption = (
        f"n = {spanned(rounds)} rounds a size. Shaded: the margin within which nobody "
        "counts as ahead. From measurements.csv; the verdict: crossovers.csv, flag "
        "control."
    )
    return "A/A control: a contender against itself", f"{'; '.join(said)}.", caption

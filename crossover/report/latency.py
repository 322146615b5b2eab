"""Single calls in the report: what stands before the answers, and after them.

In: a `Run` and what follows from it. Out: lines for the terminal, sections for
Markdown.
"""

from collections.abc import Iterator, Sequence

from crossover.analysis.estimate import estimates, latencies, timed_calls
from crossover.analysis.frame import Derived
from crossover.analysis.rounds import Recorded
from crossover.analysis.sweeps import fast_enough
from crossover.contender import Contender
from crossover.findings import Enough, Latency
from crossover.latency.quantiles import QUANTILES
from crossover.nouns import Run
from crossover.report.words.document import Code, Section, Strong
from crossover.report.words.latency import (
    call_words,
    cell_words,
    enough_words,
    few_words,
    quantile_words,
)
from crossover.report.words.numbers import count, percent, seconds
from crossover.report.words.sentences import fixed_axis, fixed_values
from crossover.report.words.table import Table
from crossover.spec.sweep import Lines

MOST_LINES = 40
"""A terminal shows the single calls of at most this many cells."""
Along = tuple[str, int, Contender, list[Latency]]
"""A sweep in words, a size, who, and the quantiles of this cell."""


def said_around(run: Run) -> tuple[list[str], list[str]]:
    """Return the lines before a run's answers on the terminal, and those after them.

    Both are empty for a run that timed no single calls and has no limit.
    """
    has_limit = run.spec.good_enough_s is not None
    if not has_limit and not timed_calls(run.measurements):
        return [], []
    recorded = Recorded(run.measurements)
    calls = latencies(run, recorded)
    times = estimates(run, recorded) if has_limit else []
    enough = fast_enough(run, recorded, times, calls)
    return enough_lines(enough), calls_lines(run, calls)


def enough_lines(enough: Sequence[Enough]) -> list[str]:
    """Return a line for each sweep, and below it one for each contender."""
    lines, before = list[str](), ""
    for one in enough:
        if (head := _limit(one)) != before:
            lines.append(f"{head}:")
        before = head
        lines.append(f"  {one.contender}: {enough_words(one)}")
    return lines


def _limit(one: Enough) -> str:
    where = fixed_axis(one.axis, one.line)
    return f"Fast enough, {seconds(one.limit_s)} at most, over {where}"


def calls_lines(run: Run, calls: Sequence[Latency]) -> list[str]:
    """Return a line for each cell of a sweep whose single calls were timed."""
    lines, before = list[str](), ""
    along = [*_along(run, calls)]
    for where, size, who, quantiles in along[:MOST_LINES]:
        if where != before:
            lines.append(f"{_title(run)}, over {where}:")
        before = where
        lines.append(f"  {count(size)}, {who}: {cell_words(quantiles)}")
    if len(along) > MOST_LINES:
        lines.append(f"  and {len(along) - MOST_LINES:,} cells more, in latency.csv")
    return lines


def _title(run: Run) -> str:
    call, sure = call_words(run.spec.declared), percent(run.spec.confidence)
    return f"Single calls ({call}) with {sure} intervals"


def _along(run: Run, calls: Sequence[Latency]) -> Iterator[Along]:
    """Yield the cells with single calls, sweep by sweep and by increasing size."""
    by_cell: dict[object, list[Latency]] = {}
    for one in calls:
        by_cell.setdefault((one.case, one.contender), []).append(one)
    lines = Lines(one.case for one in calls)
    for sweep in run.spec.sweep if calls else ():
        where = fixed_values(sweep)
        for size, case in lines.along(sweep).items():
            for who in run.spec.contenders_of(sweep):
                if quantiles := by_cell.get((case, who)):
                    yield where, size, who, quantiles


def enough_section(enough: Sequence[Enough]) -> Section:
    """Return the answers to how large a job may be; nothing without a limit."""
    if not enough:
        return Section()
    items = tuple(
        (Code(str(one.contender)), ": ", Strong(enough_words(one)),
         f", over {fixed_axis(one.axis, one.line)}")
        for one in enough
    )  # fmt: skip
    limit = seconds(enough[0].limit_s)
    return Section(title=f"Fast enough: {limit} at most", items=items)


def calls_section(run: Run, derived: Derived) -> Section:
    """Return the table of single calls; nothing where none were timed."""
    rows = tuple(
        (f"{where}: {count(size)}", str(who), *map(quantile_words, quantiles),
         count(quantiles[0].calls), "; ".join(filter(None, map(few_words, quantiles))))
        for where, size, who, quantiles in _along(run, derived.latencies)
    )  # fmt: skip
    if not rows:
        return Section()
    heads = "over", "contender", *QUANTILES, "calls", "lacks"
    table = Table("", heads, rows, numbers=False)
    return Section(title=_title(run), tables=(table,))

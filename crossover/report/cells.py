"""The tables of the page: which columns, and how a CSV cell is written for people.

A number on the page is an element with `data-column` and `data-value`, the CSV's own
digits, in one with `data-row`, the file and its row from 1; its text is rounded.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from crossover.analysis.flags import advice
from crossover.findings import Crossover
from crossover.report.words.sentences import VIEW_WORDS, Number, Parts, number
from crossover.workloads.workload import Size, Workload

NUMBERS = ("size", "end", "count", "factor", "share", "seconds", "plain")
"""Rules by which numbers are written; see `written`."""
NUMERIC = Markup(' class="n"')
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True)
class Column:
    """A column of a table on the page."""

    field: str
    head: str
    rule: str = "text"

    @property
    def is_number(self) -> bool:
        """Tell whether its cells are numbers."""
        return self.rule in NUMBERS


Columns = tuple[Column, ...]


@dataclass(frozen=True)
class Row:
    """A row of a table on the page."""

    key: str
    """`estimates:12`: the file and the row in it, from 1, its head not counted."""
    values: Mapping[str, object]
    noun: Crossover | None = None


PAIR = (Column("challenger", "Challenger"), Column("baseline", "Baseline"))
CROSSOVERS = (
    Column("axis", "Over", "over"), Column("view", "What counts", "view"), *PAIR,
    Column("outcome", "Outcome", "outcome"), Column("at", "From", "size"),
    Column("low", "Low", "end"), Column("high", "High", "end"),
    Column("speedup_smallest", "At smallest", "factor"),
    Column("speedup_largest", "At largest", "factor"),
    Column("first_win", "First win", "size"),
    Column("least_regret", "Least regret", "size"), Column("fitted", "Fitted", "size"),
    Column("slope", "Slope", "plain"), Column("confidence", "Confidence", "share"),
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


def article(noun: str) -> str:
    """Return `a` or `an`, as it stands before a word."""
    return "an" if noun[0] in "aeio" else "a"


def sized(along: Size, columns: Columns) -> Columns:
    """Return the columns of one sweep's numbers, its size first."""
    return (Column(along.name, along.axis_words.capitalize(), "count"), *columns)


def written(value: float, rule: str) -> str:
    """Write a number for people: three digits, but counts in full."""
    match rule:
        case "count":
            return f"{value:,}"
        case "factor":
            return f"{number(value)}x"
        case "share":
            return f"{100 * value:.3g} %"
        case "seconds":
            # by the rounded value: 0.9999 ms is 1 ms, not 1,000 us
            rounded = abs(float(f"{value:.3g}"))
            size, unit = next((u for u in UNITS if rounded >= u[0]), UNITS[-1])
            return f"{number(value / size)} {unit}"
        case "plain":
            return f"{value:.3g}"
    return number(value)


def digits(value: object) -> str:
    """Return a value as the CSV holds it."""
    return "" if value is None else str(value)


def marked(key: str, values: Mapping[str, object], parts: Parts) -> Markup:
    """Return a sentence as HTML, its numbers marked with the row that they are from."""
    span = Markup(
        '<span class="n" data-row="{}" data-column="{}" data-value="{}">{}</span>'
    )
    return Markup("").join(
        span.format(key, part.column, digits(values[part.column]), part.text)
        if isinstance(part, Number)
        else escape(part)
        for part in parts
    )


def cells(row: Row, columns: Iterable[Column], over: Markup) -> Iterator[Markup]:
    """Yield the cells of a table's row as HTML; the first is the row's head.

    Args:
        row: its values.
        columns: of the table.
        over: what stands in a column of rule `over`.
    """
    for place, column in enumerate(columns):
        tag = Markup("td" if place else 'th scope="row"')
        end = Markup("td" if place else "th")
        yield _cell(row, column, over, tag) + Markup("</{}>").format(end)


def _cell(row: Row, column: Column, over: Markup, tag: Markup) -> Markup:
    value = row.values[column.field]
    if isinstance(value, (int, float)):
        # nothing in it needs escaping, which is what takes the time
        marks = f'class="n" data-column="{column.field}" data-value="{value}"'
        return Markup(f"<{tag} {marks}>{written(value, column.rule)}")
    inner = Markup('<{} class="{}">{}')
    match column.rule:
        case "over":
            return inner.format(tag, "over", over)
        case "text":
            return inner.format(tag, "name", digits(value))
        case "flags":
            return inner.format(tag, "flags", flags(digits(value)))
        case "outcome":
            mark = Markup('<b class="o-{}">{}</b>')
            word = digits(value).replace("_", " ")
            return inner.format(tag, "outcome", mark.format(value, word))
        case "words":
            value = digits(value).replace("_", " ")
        case "view":
            value = VIEW_WORDS.get(digits(value), value)
        case "end" if _is_open(row.values):
            value = "open"
    return Markup("<{}>{}").format(tag, digits(value))


def _is_open(values: Mapping[str, object]) -> bool:
    """Tell whether an interval with a missing end is one at all."""
    known = values["low"] is not None or values["high"] is not None
    return known or values["outcome"] == "found"


def flags(text: str) -> Markup:
    """Return flags as HTML, each with a link to its advice, if there is any."""
    link = Markup('<a href="#flag-{}">{}</a>{}')
    return Markup("; ").join(
        link.format(name, name.replace("_", " "), f"{colon}{detail}")
        if advice(name)
        else escape(flag)
        for flag in filter(None, text.split(";"))
        for name, colon, detail in [flag.partition(":")]
    )

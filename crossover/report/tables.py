"""report.md, and its tables of crossovers and costs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from crossover.analysis.cost_model import STEP, Costs
from crossover.analysis.crossover import incomplete
from crossover.analysis.flags import advice
from crossover.analysis.frame import Derived
from crossover.choose.regret import Regret
from crossover.crossing.cost_fit import Ranged
from crossover.findings import Crossover, Estimate, size_text
from crossover.nouns import Run
from crossover.report.latency import calls_section, enough_section
from crossover.report.words.document import (
    Code,
    Document,
    Picture,
    Section,
    Strong,
    Text,
)
from crossover.report.words.numbers import between, number, percent, seconds
from crossover.report.words.sentences import (
    VIEW_WORDS,
    factor,
    fixed_axis,
    headed,
    joined,
    sentence,
    whole,
)
from crossover.report.words.table import Table

HEADS = (
    "over", "pair", "what counts", "outcome", "ahead from", "interval",
    "behind until", "parity", "at the smallest", "at the largest", "flags",
)  # fmt: skip
REGRET_HEADS = (
    "over", "among", "sizes picked", "picking costs (at worst)",
    "the best fixed rule costs", "which is always",
)  # fmt: skip
REGRET = (
    "Every third size of a sweep was left out in turn, and who is fastest there was "
    "picked from the others. Beside what that costs stands the contender that is the "
    "best to take at all of these sizes. Sizes outside of the others are not picked."
)
NOT_MEASURED = "not_measured"
MOST_MODELLED = 20
"""Extrapolated cells that are listed."""


def document(
    run: Run,
    derived: Derived,
    pictures: Iterable[Picture],
    partial: bool,
    costs_of_picks: Sequence[Regret] = (),
) -> Document:
    """Return report.md in sections.

    Args:
        run: what was measured.
        derived: what follows from it.
        pictures: in the order in which they are shown.
        partial: the run was interrupted.
        costs_of_picks: what picking by the answers costs along each sweep.
    """
    found, costs = derived.crossovers, derived.costs
    answers = tuple(map(_answer, filter(is_answer, found)))
    sections = [
        enough_section(derived.enough),
        Section(title="Answers, training alone", items=answers),
        Section(
            title="Not measured",
            items=tuple(not_measured(found)) or ("nothing: every pair ran",),
        ),
        _all_crossovers(found),
        calls_section(run, derived),
    ]
    if costs_of_picks:
        table = regret_cells(costs_of_picks)
        sections.append(Section("", "Picking by these answers", (REGRET,), (table,)))
    if costs:
        modelled = zip(derived.estimates, derived.modelled, strict=True)
        scaled = tuple(scaled_lines(modelled))
        tables = (cost_table(costs),)
        sections.append(Section("", "Where the time goes", (), tables, (), scaled))
    for picture in pictures:
        uncaptioned = (replace(picture, caption=""),)
        sections.append(Section(title=picture.heading, pictures=uncaptioned))
    raised = (found, costs, derived.latencies, derived.enough)
    flags = flags_explained(row.flags for rows in raised for row in rows)
    if flags:
        said = tuple((Code(name), f": {what}") for name, what in flags.items())
        sections.append(Section(title="Flags", items=said))
    facts = Section(paragraphs=(*_notes(run, found, partial), _machine(run)))
    return Document(f"Crossover report {run.run_id}", sections=(facts, *sections))


def regret_cells(found: Sequence[Regret]) -> Table:
    """Return a table with one row per sweep that was picked from."""
    rows = tuple(
        (
            fixed_axis(one.axis, one.line),
            ", ".join(one.among),
            f"{one.sizes} of {one.sizes + one.refused}",
            f"{percent(one.mean)} ({percent(one.worst)})",
            f"{percent(one.always_mean)} ({percent(one.always_worst)})",
            one.always,
        )
        for one in found
    )
    return Table("", REGRET_HEADS, rows, numbers=False)


def _answer(c: Crossover) -> Text:
    where = fixed_axis(c.axis, c.line)
    said = Strong(headed(c)), f", over {where}: {joined(whole(c))}"
    return (*said, "; next: ", Code(c.next_step)) if c.next_step else said


def _notes(run: Run, found: Sequence[Crossover], partial: bool) -> Iterator[Strong]:
    """Yield what a reader must know before all else."""
    if partial:
        yield Strong("Interrupted: this report is partial.")
    if lacks := incomplete(run, found):
        yield Strong(f"Incomplete: {'; '.join(lacks)}.")
    if simulated := simulated_devices(run):
        yield Strong(simulated)


def _all_crossovers(found: Sequence[Crossover]) -> Section:
    table = crossover_table(found)
    said, tables = ((), (table,)) if table.rows else (("Nothing was measured.",), ())
    return Section("", "Every crossover", said, tables)


def simulated_devices(run: Run) -> str:
    """Warn of accelerators that are no hardware, by their names; empty without any."""
    names = [
        str(a["name"])
        for a in run.machine.accelerators
        if a.get("is_simulated") is True
    ]
    if not names:
        return ""
    are = "is" if len(names) == 1 else "are"
    return f"{', '.join(names)} {are} simulated: a test of the program, no measurement."


def _machine(run: Run) -> Text:
    """Return the machine, versions, commit and command of a run."""
    m = run.machine
    devices = ", ".join(str(a["description"]) for a in m.accelerators) or "none"
    facts = (
        f"{m.cpu}, {m.cores_text}, {m.memory_text}; accelerators: {devices}; "
        f"torch {m.versions.get('torch')}; commit {run.commit or 'unknown'}; "
    )
    return facts, Code(run.command)


def crossover_table(found: Iterable[Crossover]) -> Table:
    """Return a table with one row per crossover that was measured."""
    measured = (c for c in found if c.answer.outcome != NOT_MEASURED)
    return Table("", HEADS, tuple(map(_cells, measured)), numbers=False)


def _cells(c: Crossover) -> tuple[str, ...]:
    a = c.answer
    interval = _ends(a.low, a.high)
    if interval and a.confidence is not None:
        interval += f" ({percent(a.confidence)})"
    return (
        fixed_axis(c.axis, c.line),
        f"{c.challenger} against {c.baseline}",
        VIEW_WORDS[c.view] + ("" if c.metric == "time_s" else f", {c.metric}"),
        a.outcome.replace("_", " "),
        "" if a.at is None else size_text(a.at),
        interval,
        _placed(a.behind_until, a.behind_until_low, a.behind_until_high),
        _placed(a.parity, a.parity_low, a.parity_high),
        joined(factor(a, "speedup_smallest", c.metric)),
        joined(factor(a, "speedup_largest", c.metric)),
        "; ".join(c.flags),
    )


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is high is None else between(low, high, size_text)


def _placed(at: float | None, low: float | None, high: float | None) -> str:
    """Write a boundary with its interval in brackets; nothing where there is none."""
    ends = _ends(low, high)
    return f"{size_text(at)} ({ends})" if at is not None and ends else ""


def cost_table(costs: Sequence[Costs]) -> Table:
    """Return a table with one row per contender and shape of the data."""
    workload = costs[0].workload
    parts = [f"{article(name)} {name}" for name in (*workload.costs, workload.repeat)]
    heads = ("contender", "data", *parts, "set-up", "moving the data", "fit error")
    return Table("", heads, tuple(map(_cost_cells, costs)), numbers=False)


def article(noun: str) -> str:
    """Return `a` or `an`, as it stands before a word."""
    return "an" if noun[0] in "aeio" else "a"


def _cost_cells(c: Costs) -> tuple[str, ...]:
    error = "unknown" if c.fit_error is None else percent(c.fit_error)
    parts = {name: ranged(cost) for name, cost in c.parts.items()}
    launches = c.launches_per_step
    if launches:
        parts[f"per_{STEP}"] += (
            f"; {number(launches)} launches of {ranged(c.per_launch)}"
        )
    return (
        str(c.contender),
        ", ".join(_shape(c)),
        *parts.values(),
        ranged(c.setup),
        f"{ranged(c.transfer)}; a megabyte {ranged(c.per_byte.over(1e-6))}",
        "; ".join((error, *c.flags)),
    )


def _shape(c: Costs) -> Iterator[str]:
    """Yield what a unit of the costs depends on; of settings, what is not usual."""
    for name, value in c.shape:
        if isinstance(value, int) and name in c.workload.axes:
            yield c.workload.size(name).said(value)
        elif value != c.workload.default(name):
            yield str(value) if isinstance(value, str) else f"{name} {value:g}"


def ranged(cost: Ranged) -> str:
    """Write a cost with its interval, or how large it may be at most."""
    if cost.high is None:
        return "unknown"
    if cost.seconds is None or cost.low is None:
        return f"below {seconds(cost.high)}"
    ends = f"{seconds(cost.low)} to {seconds(cost.high)}"
    return f"{seconds(cost.seconds)} ({ends})"


def scaled_lines(modelled: Iterable[tuple[Estimate, Ranged]]) -> list[str]:
    """Return a line for each cell scaled up from fewer epochs, beside the model."""
    lines = []
    for e, model in modelled:
        if "extrapolated" not in e.flags or e.view != "train" or not model.seconds:
            continue
        off = model.seconds / e.median_s - 1
        workload = e.case.workload
        lines.append(
            f"{e.contender}, {workload.said(e.case, workload.shape)}: "
            f"{seconds(e.median_s)} scaled up from fewer {workload.repeats}, "
            f"{ranged(model)} by the model, {percent(abs(off))} "
            f"{'more' if off > 0 else 'less'}"
        )
    if len(lines) > MOST_MODELLED:
        more = len(lines) - MOST_MODELLED
        lines[MOST_MODELLED:] = [f"and {more:,} more, in estimates.csv"]
    return lines


def is_answer(c: Crossover) -> bool:
    """Tell whether a crossover was measured, training alone, and is no A/A control."""
    is_measured = c.answer.outcome != NOT_MEASURED
    return c.view == "train" and is_measured and not c.is_control


def not_measured(found: Iterable[Crossover]) -> list[str]:
    """Return a line for each pair that could not run, with the reason."""
    missing = (c for c in found if c.answer.outcome == NOT_MEASURED)
    return list(dict.fromkeys(f"{sentence(c)}: {'; '.join(c.flags)}" for c in missing))


def flags_explained(raised: Iterable[Iterable[str]]) -> dict[str, str]:
    """Return the advice on every flag that rows have raised, by the flag's name."""
    names = (flag.partition(":")[0] for flags in raised for flag in flags)
    return {n: said for n in dict.fromkeys(names) if (said := advice(n)) is not None}

"""Crossovers in Markdown: report.md, and a compact table for a pull request."""

from collections.abc import Iterable, Iterator, Sequence

from crossover.analysis.cost_model import STEP, Costs
from crossover.analysis.crossover import incomplete
from crossover.analysis.flags import advice
from crossover.crossing.cost_fit import Ranged
from crossover.files.escape import code, text
from crossover.findings import Crossover, Estimate
from crossover.nouns import Case, Run
from crossover.report.cells import article, written
from crossover.report.words.sentences import (
    VIEW_WORDS,
    factor,
    fixed_axis,
    headed,
    joined,
    number,
    sentence,
)

HEADS = (
    "over", "pair", "what counts", "outcome", "from", "interval",
    "at the smallest", "at the largest", "flags",
)  # fmt: skip
NOT_MEASURED = "not_measured"
MOST_MODELLED = 20
"""Extrapolated cells that are listed."""


def report_markdown(
    run: Run,
    found: Sequence[Crossover],
    pictures: Iterable[tuple[str, str, str]],
    partial: bool,
    costs: Sequence[Costs] = (),
    modelled: Sequence[tuple[Estimate, Ranged]] = (),
) -> str:
    """Return report.md.

    Args:
        run: what was measured.
        found: its crossovers.
        pictures: (file beside report.md, heading, alternative text).
        partial: the run was interrupted.
        costs: of its contenders.
        modelled: its estimates, each with what the cost model says.
    """
    lines = [f"# Crossover report {text(run.run_id)}", ""]
    if partial:
        lines += ["**Interrupted: this report is partial.**", ""]
    if lacks := incomplete(run, found):
        lines += [f"**Incomplete: {text('; '.join(lacks))}.**", ""]
    if said := simulated_devices(run):
        lines += [f"**{text(said)}**", ""]
    lines += [machine_line(run), "", "## Answers, training alone", ""]
    lines += [
        f"- **{text(headed(c))}**: {text(sentence(c))} "
        f"(over {fixed_axis(c.axis, c.line)})"
        for c in answered(found)
        if c.view == "train"
    ]
    lines += ["", "## Not measured", ""]
    missing = not_measured(found) or ["nothing: every pair ran"]
    lines += [f"- {text(line)}" for line in missing]
    lines += ["", "## Every crossover", "", *markdown_table(found)]
    if costs:
        lines += ["", "## Where the time goes", "", *cost_table(costs)]
        lines += ["", *scaled_lines(modelled)]
    for file, heading, alt in pictures:
        lines += ["", f"## {text(heading)}", "", f"![{text(alt)}]({file})"]
    explained = flags_explained([*(c.flags for c in found), *(c.flags for c in costs)])
    lines += ["", "## Flags", ""] if explained else []
    lines += [f"- `{name}`: {said}" for name, said in explained.items()]
    return "\n".join(lines) + "\n"


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


def machine_line(run: Run) -> str:
    """Return the machine, versions, commit and command of a run."""
    m = run.machine
    devices = ", ".join(str(a["description"]) for a in m.accelerators) or "none"
    return (
        f"{text(m.cpu)}, {m.cores_text}, {m.memory_text}; "
        f"accelerators: {text(devices)}; torch {text(str(m.versions.get('torch')))}; "
        f"commit {text(run.commit or 'unknown')}; {code(run.command)}"
    )


def markdown_table(found: Sequence[Crossover]) -> list[str]:
    """Return the lines of a table with one row per crossover that was measured."""
    rows = [f"| {' | '.join(HEADS)} |", "|" + " --- |" * len(HEADS)]
    for c in found:
        if c.answer.outcome != NOT_MEASURED:
            rows.append(f"| {' | '.join(map(text, _cells(c)))} |")
    return rows if len(rows) > 2 else ["Nothing was measured."]


def _cells(c: Crossover) -> tuple[str, ...]:
    ends = [
        *("" if end is None else number(end) for end in (c.answer.low, c.answer.high)),
    ]
    low, high = ends[0] or "below", ends[1] or "above"
    share = "" if c.answer.confidence is None else f" ({100 * c.answer.confidence:g} %)"
    return (
        fixed_axis(c.axis, c.line),
        f"{c.challenger} against {c.baseline}",
        VIEW_WORDS[c.view] + ("" if c.metric == "time_s" else f", {c.metric}"),
        c.answer.outcome.replace("_", " "),
        "" if c.answer.at is None else number(c.answer.at),
        f"{low} to {high}{share}" if any(ends) else "",
        joined(factor(c, "speedup_smallest")),
        joined(factor(c, "speedup_largest")),
        "; ".join(c.flags),
    )


def cost_table(costs: Sequence[Costs]) -> list[str]:
    """Return the lines of a table with one row per contender and shape of the data."""
    workload = costs[0].workload
    parts = [f"{article(name)} {name}" for name in (*workload.costs, workload.repeat)]
    heads = ("contender", "data", *parts, "set-up", "moving the data", "fit error")
    rows = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    return rows + [f"| {' | '.join(map(text, _cost_cells(c)))} |" for c in costs]


def _cost_cells(c: Costs) -> tuple[str, ...]:
    error = "unknown" if c.fit_error is None else written(c.fit_error, "share")
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
    high = written(cost.high, "seconds")
    if cost.seconds is None or cost.low is None:
        return f"below {high}"
    low = written(cost.low, "seconds")
    return f"{written(cost.seconds, 'seconds')} ({low} to {high})"


def scaled_lines(modelled: Iterable[tuple[Estimate, Ranged]]) -> list[str]:
    """Return a line for each cell scaled up from fewer epochs, beside the model."""
    lines = []
    for e, model in modelled:
        if "extrapolated" not in e.flags or e.view != "train" or not model.seconds:
            continue
        off = model.seconds / e.median_s - 1
        lines.append(
            f"- {text(str(e.contender))}, {_worked(e.case)}: "
            f"{written(e.median_s, 'seconds')} scaled up from fewer "
            f"{e.case.workload.repeats}, "
            f"{ranged(model)} by the model, {written(abs(off), 'share')} "
            f"{'more' if off > 0 else 'less'}"
        )
    if len(lines) > MOST_MODELLED:
        more = len(lines) - MOST_MODELLED
        lines[MOST_MODELLED:] = [f"- and {more:,} more, in estimates.csv"]
    return lines


def _worked(case: Case) -> str:
    return case.workload.said(case, case.workload.shape)


def answered(found: Iterable[Crossover]) -> list[Crossover]:
    """Return the crossovers that were asked about and measured: no A/A controls."""
    return [c for c in found if c.answer.outcome != NOT_MEASURED and not c.is_control]


def not_measured(found: Iterable[Crossover]) -> list[str]:
    """Return a line for each pair that could not run, with the reason."""
    missing = (c for c in found if c.answer.outcome == NOT_MEASURED)
    return list(dict.fromkeys(f"{sentence(c)}: {'; '.join(c.flags)}" for c in missing))


def flags_explained(raised: Iterable[Iterable[str]]) -> dict[str, str]:
    """Return the advice on every flag that rows have raised, by the flag's name."""
    names = (flag.partition(":")[0] for flags in raised for flag in flags)
    return {n: said for n in dict.fromkeys(names) if (said := advice(n)) is not None}

"""Crossovers in words and in Markdown."""

from collections.abc import Sequence

import pandas as pd

from bench.analysis.flags import advice
from bench.analysis.sweeps import SweepResult
from bench.nouns import BEST, Crossover, Run
from bench.spec import Sweep
from softmax_core.case import Case

AXIS_WORDS = {
    "samples": "number of samples",
    "batch_size": "batch size",
    "epochs": "number of epochs",
}
VIEW_WORDS = {
    "train": "training alone",
    "with_transfer": "and moving the data",
    "from_scratch": "from scratch",
}
FIXED = {
    "samples": ("sample", "samples"),
    "features": ("feature", "features"),
    "classes": ("class", "classes"),
    "batch_size": ("a batch", "a batch"),
    "epochs": ("epoch", "epochs"),
}


def number(value: float) -> str:
    """Write a size to three digits."""
    return f"{float(f'{value:.3g}'):,.10g}"


def name(contender: str) -> str:
    """Write a contender for people: `best` on a device is the fastest there."""
    return contender.replace(f"/{BEST}", "'s best")


def sentence(c: Crossover) -> str:
    """Return the answer of one crossover in a sentence."""
    axis = AXIS_WORDS[c.axis]
    a, b = name(c.baseline), name(c.challenger)
    smallest = factor(c.speedup_smallest)
    largest = factor(c.speedup_largest)
    match c.outcome:
        case "found":
            return (
                f"{b} overtakes {a} from {axis} {number(c.at or 0)} {interval(c)}; "
                f"{smallest} at the smallest size, {largest} at the largest"
            )
        case "always":
            return (
                f"{b} is ahead of {a} at every {axis} measured ({smallest} at the "
                f"smallest, {largest} at the largest): a crossover would lie below"
            )
        case "never":
            return (
                f"{b} does not overtake {a}: it is {largest} at the largest {axis} "
                "measured"
            )
        case "not_monotone":
            return f"{b} against {a}: the lead changes more than once or is lost"
        case "inconclusive":
            known = c.low is not None or c.high is not None
            return (
                f"{b} against {a}: inconclusive ({smallest} at the smallest {axis}, "
                f"{largest} at the largest)"
                + (f"; a crossover would lie {between(c)}" if known else "")
            )
    return f"{b} against {a}: not measured"


def factor(speedup: float | None) -> str:
    """Return `1.5x faster`, `1.5x slower` or `as fast`."""
    if speedup is None:
        return "not measured"
    if 0.995 < speedup < 1.005:
        return "as fast"
    if speedup > 1:
        return f"{speedup:.3g}x faster"
    return f"{1 / speedup:.3g}x slower"


def interval(c: Crossover) -> str:
    """Return a crossover's interval, open ends said as such."""
    low = "below the smallest size" if c.low is None else number(c.low)
    high = "above the largest size" if c.high is None else number(c.high)
    return f"({100 * (c.confidence or 0):g} % interval {low} to {high})"


def between(c: Crossover) -> str:
    """Return where a crossing may lie, for an interval with an end at least."""
    if c.low is None:
        return f"below {number(c.high or 0)}"
    if c.high is None:
        return f"above {number(c.low)}"
    return f"between {number(c.low)} and {number(c.high)}"


def fixed_values(sweep: Sweep) -> str:
    """Name a sweep by its axis and the values that it holds fixed."""
    return fixed_axis(sweep.axis, next(iter(sweep.cases().values())))


def fixed_axis(axis: str, case: Case) -> str:
    """Name an axis and the values of a case that are fixed along it."""
    full = axis == "samples" and case.batch_size > case.samples
    values = [
        "all samples in one batch"
        if field == "batch_size" and full
        else f"{getattr(case, field):,} {FIXED[field][getattr(case, field) != 1]}"
        for field in FIXED
        if field != axis
    ]
    return f"{AXIS_WORDS[axis]} at {', '.join(values)}"


def not_measured(found: Sequence[Crossover]) -> list[str]:
    """Return a line for each pair that could not run, with the reason."""
    return list(
        dict.fromkeys(
            f"{sentence(c)}: {'; '.join(c.flags)}"
            for c in found
            if c.outcome == "not_measured"
        )
    )


def report_markdown(
    run: Run, found: Sequence[Crossover], results: Sequence[SweepResult], partial: bool
) -> str:
    """Return report.md."""
    m = run.machine
    accelerators = ", ".join(str(a["description"]) for a in m.accelerators) or "none"
    lines = [f"# Crossover report {run.run_id}", ""]
    if partial:
        lines += ["**Interrupted: this report is partial.**", ""]
    lines += [
        f"{m.cpu}, {m.cores} cores, {m.memory_bytes / 2**30:.1f} GiB; accelerators: "
        f"{accelerators}; torch {m.versions.get('torch')}; commit "
        f"{run.commit or 'unknown'}; `{run.command}`",
        "",
        "## Not measured",
        "",
        *(f"- {line}" for line in not_measured(found) or ["nothing: every pair ran"]),
    ]
    for i, result in enumerate(results, start=1):
        picture = f"plots/{figure_name(i, result)}.png"
        lines += ["", f"## {fixed_values(result.sweep).capitalize()}", ""]
        lines += [f"![times and speedups]({picture})", ""]
        lines += [
            f"- {VIEW_WORDS[c.view]}: {sentence(c)}{_flags(c)}"
            for c in found
            if result.holds(c) and c.outcome != "not_measured"
        ]
    explained = flags_explained(found)
    lines += ["", "## Flags", ""] if explained else []
    lines += [f"- `{name}`: {text}" for name, text in explained.items()]
    return "\n".join(lines) + "\n"


def flags_explained(found: Sequence[Crossover]) -> dict[str, str]:
    """Return the advice on every flag that was raised, by the flag's name."""
    names = (flag.partition(":")[0] for c in found for flag in c.flags)
    return {n: text for n in dict.fromkeys(names) if (text := advice(n)) is not None}


def _flags(c: Crossover) -> str:
    return f" [{'; '.join(c.flags)}]" if c.flags else ""


def figure_name(index: int, result: SweepResult) -> str:
    """Return the name of a sweep's figure, without its ending."""
    return f"sweep{index}-{result.sweep.axis}"


def html_table(table: pd.DataFrame) -> str:
    """Return a table as escaped HTML."""
    html: str = table.to_html(
        index=False, na_rep="", border=0, escape=True, float_format=lambda x: f"{x:.4g}"
    )
    return html

"""Crossovers in words and in Markdown."""

import pandas as pd

from bench.nouns import Crossover, Run

AXIS_WORDS = {"samples": "samples", "batch_size": "batch size", "epochs": "epochs"}
VIEW_WORDS = {
    "train": "training alone",
    "with_transfer": "with moving the data",
    "from_scratch": "from scratch",
}


def sentence(c: Crossover) -> str:
    """Return the answer of one crossover in a sentence."""
    axis, pair = AXIS_WORDS[c.axis], f"{c.challenger} against {c.baseline}"
    match c.outcome:
        case "found":
            return f"{c.challenger} overtakes {c.baseline} from {axis} {c.at:.4g} {interval(c)}"
        case "always":
            return f"{c.challenger} is ahead of {c.baseline} at every {axis} measured: the crossover lies below the smallest"
        case "never":
            return f"{c.challenger} is still behind {c.baseline} at the largest {axis} measured"
        case "not_monotone":
            return f"{pair}: more than one crossing over {axis} ({'; '.join(c.flags)})"
        case "inconclusive":
            return f"{pair}: inconclusive over {axis}; the noise is larger than the difference, or too little was measured"
    return f"{pair}: not measured ({'; '.join(c.flags)})"


def interval(c: Crossover) -> str:
    """Return a crossover's interval, open ends said as such."""
    low = "below the smallest size" if c.low is None else f"{c.low:.4g}"
    high = "above the largest size" if c.high is None else f"{c.high:.4g}"
    return f"({100 * (c.confidence or 0):.0f} % interval {low} to {high})"


def where(c: Crossover) -> str:
    """Return the fixed values of a sweep."""
    values = [
        f"{n} = {getattr(c.case, n)}"
        for n in ("samples", "features", "classes", "batch_size", "epochs")
        if n != c.axis
    ]
    return ", ".join(values)


def sweep_key(c: Crossover) -> tuple[str, str]:
    """Return what tells sweeps apart."""
    return c.axis, where(c)


def report_markdown(run: Run, found: list[Crossover], partial: bool) -> str:
    """Return report.md."""
    m = run.machine
    lines = [f"# Crossover report {run.run_id}", ""]
    if partial:
        lines += ["**Interrupted: this report is partial.**", ""]
    lines += [
        f"{m.cpu}, {m.cores} cores, {m.memory_bytes / 2**30:.1f} GiB; "
        f"accelerators: {', '.join(str(a['description']) for a in m.accelerators) or 'none'}; "
        f"torch {m.versions.get('torch')}; commit {run.commit or 'unknown'}; `{run.command}`",
        "",
        "## Not measured",
        "",
    ]
    missing = dict.fromkeys(
        f"- {c.challenger} against {c.baseline}: {'; '.join(c.flags)}"
        for c in found
        if c.outcome == "not_measured"
    )
    lines += [*missing] or ["- nothing: every pair ran"]
    for key in dict.fromkeys(sweep_key(c) for c in found):
        lines += ["", f"## Over {AXIS_WORDS[key[0]]} ({key[1]})", ""]
        lines += [
            f"- {VIEW_WORDS[c.view]}: {sentence(c)}"
            for c in found
            if sweep_key(c) == key and c.outcome != "not_measured"
        ]
    return "\n".join(lines) + "\n"


def html_table(table: pd.DataFrame) -> str:
    """Return a table as escaped HTML."""
    html: str = table.to_html(
        index=False, na_rep="", border=0, escape=True, float_format=lambda x: f"{x:.4g}"
    )
    return html

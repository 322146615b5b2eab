"""Crossovers in Markdown: report.md, and a compact table for a pull request."""

from collections.abc import Iterable, Sequence

from bench.analysis.flags import advice
from bench.nouns import Crossover, Run
from bench.report.words import VIEW_WORDS, factor, fixed_axis, joined, number, sentence

HEADS = (
    "over", "pair", "what counts", "outcome", "from", "interval",
    "at the smallest", "at the largest", "flags",
)  # fmt: skip
NOT_MEASURED = "not_measured"


def report_markdown(
    run: Run,
    found: Sequence[Crossover],
    pictures: Iterable[tuple[str, str, str]],
    partial: bool,
) -> str:
    """Return report.md.

    Args:
        run: what was measured.
        found: its crossovers.
        pictures: (file beside report.md, heading, alternative text).
        partial: the run was interrupted.
    """
    lines = [f"# Crossover report {text(run.run_id)}", ""]
    if partial:
        lines += ["**Interrupted: this report is partial.**", ""]
    lines += [machine_line(run), "", "## Answers, training alone", ""]
    lines += [
        f"- {text(sentence(c))} (over {fixed_axis(c.axis, c.case)})"
        for c in answered(found)
        if c.view == "train"
    ]
    lines += ["", "## Not measured", ""]
    missing = not_measured(found) or ["nothing: every pair ran"]
    lines += [f"- {text(line)}" for line in missing]
    lines += ["", "## Every crossover", "", *markdown_table(found)]
    for file, heading, alt in pictures:
        lines += ["", f"## {text(heading)}", "", f"![{text(alt)}]({file})"]
    explained = flags_explained(c.flags for c in found)
    lines += ["", "## Flags", ""] if explained else []
    lines += [f"- `{name}`: {said}" for name, said in explained.items()]
    return "\n".join(lines) + "\n"


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
        if c.outcome != NOT_MEASURED:
            rows.append(f"| {' | '.join(map(text, _cells(c)))} |")
    return rows if len(rows) > 2 else ["Nothing was measured."]


def _cells(c: Crossover) -> tuple[str, ...]:
    ends = [
        *("" if end is None else number(end) for end in (c.low, c.high)),
    ]
    low, high = ends[0] or "below", ends[1] or "above"
    share = "" if c.confidence is None else f" ({100 * c.confidence:g} %)"
    return (
        fixed_axis(c.axis, c.case),
        f"{c.challenger} against {c.baseline}",
        VIEW_WORDS[c.view] + ("" if c.metric == "time_s" else f", {c.metric}"),
        c.outcome.replace("_", " "),
        "" if c.at is None else number(c.at),
        f"{low} to {high}{share}" if any(ends) else "",
        joined(factor(c, "speedup_smallest")),
        joined(factor(c, "speedup_largest")),
        "; ".join(c.flags),
    )


def answered(found: Iterable[Crossover]) -> list[Crossover]:
    """Return the crossovers that were asked about and measured: no A/A controls."""
    return [c for c in found if c.outcome != NOT_MEASURED and "control" not in c.flags]


def not_measured(found: Iterable[Crossover]) -> list[str]:
    """Return a line for each pair that could not run, with the reason."""
    missing = (c for c in found if c.outcome == NOT_MEASURED)
    return list(dict.fromkeys(f"{sentence(c)}: {'; '.join(c.flags)}" for c in missing))


def flags_explained(raised: Iterable[Iterable[str]]) -> dict[str, str]:
    """Return the advice on every flag that rows have raised, by the flag's name."""
    names = (flag.partition(":")[0] for flags in raised for flag in flags)
    return {n: said for n in dict.fromkeys(names) if (said := advice(n)) is not None}


def text(plain: str) -> str:
    """Escape what Markdown would read as a table's edge, HTML, a link or emphasis."""
    for character in "\\`*[]|":
        plain = plain.replace(character, f"\\{character}")
    return " ".join(plain.replace("&", "&amp;").replace("<", "&lt;").split())


def code(plain: str) -> str:
    """Return code for Markdown, whatever backticks it holds."""
    plain = " ".join(plain.split())
    return f"`{plain}`" if "`" not in plain else f"``` {plain} ```"

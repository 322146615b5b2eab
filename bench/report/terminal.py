"""The answers on the terminal: a table for people, plain lines for a file or a pipe."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.nouns import Crossover
from bench.report.tables import NOT_MEASURED, answered, not_measured
from bench.report.words import factor, fixed_axis, joined, name, number, sentence

STYLES = {
    "found": "bold green", "always": "green", "never": "red",
    "not_monotone": "yellow", "inconclusive": "yellow",
}  # fmt: skip


def show(found: Sequence[Crossover], console: Console | None = None) -> None:
    """Print the answers of the view `train`, then what was not measured and why."""
    console = Console() if console is None else console
    train = [c for c in found if c.view == "train"]
    if not console.is_terminal:
        for line in plain_lines(train):
            console.file.write(f"{line}\n")
        return
    for where, rows in _by_sweep(train):
        console.print(_table(where, rows))
    missing = not_measured(train)
    if missing:
        console.print(Text("Not measured", style="bold"))
    for line in missing:
        console.print(Text(f"  {line}"))


def plain_lines(train: Sequence[Crossover]) -> list[str]:
    """Return one line per sweep and one per answer, without codes or boxes."""
    lines = []
    for where, rows in _by_sweep(train):
        lines.append(f"Over {where}:")
        lines += [f"  {c.outcome}: {sentence(c)}" for c in rows]
    missing = not_measured(c for c in train if c.outcome == NOT_MEASURED)
    lines += ["Not measured:"] if missing else []
    return lines + [f"  {line}" for line in missing]


def _by_sweep(train: Sequence[Crossover]) -> list[tuple[str, list[Crossover]]]:
    sweeps: dict[str, list[Crossover]] = {}
    for c in answered(train):
        sweeps.setdefault(fixed_axis(c.axis, c.case), []).append(c)
    return list(sweeps.items())


def _table(where: str, rows: Sequence[Crossover]) -> Table:
    share = 100 * (rows[0].confidence or 0)
    table = Table(
        title=Text(f"Over {where}"), title_justify="left", box=box.SIMPLE_HEAD,
        title_style="bold", pad_edge=False,
    )  # fmt: skip
    table.add_column("challenger", no_wrap=True)
    table.add_column("outcome")
    table.add_column("from", justify="right")
    table.add_column(f"{share:g} % interval")
    table.add_column("at smallest")
    table.add_column("at largest")
    for c in rows:
        metric = "" if c.metric == "time_s" else f" ({c.metric})"
        table.add_row(
            Text(f"{name(c.challenger)}{metric}\nagainst {name(c.baseline)}"),
            Text(c.outcome.replace("_", " "), STYLES.get(c.outcome, "")),
            "" if c.at is None else number(c.at),
            _ends(c),
            joined(factor(c, "speedup_smallest")),
            joined(factor(c, "speedup_largest")),
        )
    return table


def _ends(c: Crossover) -> str:
    if c.low is None and c.high is None:
        return ""
    low = "below" if c.low is None else number(c.low)
    high = "above" if c.high is None else number(c.high)
    return f"{low} to {high}"

"""The answers on the terminal: sentences, their outcome and doubts in front."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from crossover.findings import Crossover
from crossover.report.tables import NOT_MEASURED, answered, not_measured
from crossover.report.words.sentences import doubtful, fixed_axis, headed, sentence

STYLES = {
    "found": "bold green", "always": "green", "never": "red",
    "not_monotone": "yellow", "inconclusive": "yellow",
}  # fmt: skip
INDENT = 2


def show(found: Sequence[Crossover], console: Console | None = None) -> None:
    """Print the answers of the view `train`, then what was not measured and why.

    A line each for a file or a pipe; on a terminal the same, wrapped and coloured.
    """
    console = Console() if console is None else console
    train = [c for c in found if c.view == "train"]
    if not console.is_terminal:
        for line in plain_lines(train):
            console.file.write(f"{line}\n")
        return
    for where, rows in _by_sweep(train):
        console.print(Text(f"Over {where}:", style="bold"))
        for c in rows:
            style = "bold yellow" if doubtful(c) else STYLES.get(c.answer.outcome, "")
            _say(console, Text.assemble((headed(c), style), f": {sentence(c)}"))
    missing = not_measured(train)
    if missing:
        console.print(Text("Not measured:", style="bold"))
    for line in missing:
        _say(console, Text(line))


def _say(console: Console, text: Text) -> None:
    """Print a text with its lines indented, the first one less."""
    for place, line in enumerate(text.wrap(console, console.width - 2 * INDENT)):
        console.print(Text(" " * INDENT * (1 + (place > 0))) + line, soft_wrap=True)


def plain_lines(train: Sequence[Crossover]) -> list[str]:
    """Return one line per sweep and one per answer, without codes or boxes."""
    lines = []
    for where, rows in _by_sweep(train):
        lines.append(f"Over {where}:")
        lines += [f"  {headed(c)}: {sentence(c)}" for c in rows]
    missing = not_measured(c for c in train if c.answer.outcome == NOT_MEASURED)
    lines += ["Not measured:"] if missing else []
    return lines + [f"  {line}" for line in missing]


def _by_sweep(train: Sequence[Crossover]) -> list[tuple[str, list[Crossover]]]:
    sweeps: dict[str, list[Crossover]] = {}
    for c in answered(train):
        sweeps.setdefault(fixed_axis(c.axis, c.line), []).append(c)
    return list(sweeps.items())

"""The answers on the terminal: sentences, their outcome and doubts in front."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from crossover.analysis.flags import doubts
from crossover.findings import Crossover
from crossover.report.tables import is_answer, not_measured
from crossover.report.words.sentences import fixed_axis, headed, sentence

STYLES = {
    "found": "bold green", "always": "green", "never": "red",
    "not_monotone": "yellow", "inconclusive": "yellow",
}  # fmt: skip
INDENT = 2


def show(
    found: Sequence[Crossover],
    console: Console | None = None,
    around: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> None:
    """Print the answers of the view `train`, then what was not measured and why.

    A line each for a file or a pipe; on a terminal the same, wrapped and coloured.

    Args:
        found: the crossovers of a run.
        console: where to print; the standard output by default.
        around: lines before the answers, and after them.
    """
    console = Console() if console is None else console
    train = [c for c in found if c.view == "train"]
    before, after = (map(_styled, lines) for lines in around)
    every = [*before, *_lines(train), *after]
    if not console.is_terminal:
        console.file.writelines(f"{line.plain}\n" for line in every)
        return
    for line in every:
        if not line.plain.startswith(" "):
            console.print(line)
            continue
        said = line[INDENT:].wrap(console, console.width - 2 * INDENT)
        for place, part in enumerate(said):
            indent = " " * INDENT * (1 + (place > 0))
            console.print(Text(indent) + part, soft_wrap=True)


def _styled(line: str) -> Text:
    """Return a line as it is shown: heads, which are not indented, in bold."""
    return Text(line, style="" if line.startswith(" ") else "bold")


def plain_lines(train: Sequence[Crossover]) -> list[str]:
    """Return one line per sweep and one per answer, without codes or boxes."""
    return [line.plain for line in _lines(train)]


def _lines(train: Sequence[Crossover]) -> Iterator[Text]:
    """Yield heads, and below them indented lines."""
    indent = " " * INDENT
    for where, rows in _by_sweep(train):
        yield Text(f"Over {where}:", style="bold")
        for c in rows:
            sure = STYLES.get(c.answer.outcome, "")
            style = "bold yellow" if doubts(c.flags) else sure
            yield Text.assemble(indent, (headed(c), style), f": {sentence(c)}")
    if missing := not_measured(train):
        yield Text("Not measured:", style="bold")
    yield from (Text(indent + line) for line in missing)


def _by_sweep(train: Sequence[Crossover]) -> list[tuple[str, list[Crossover]]]:
    sweeps: dict[str, list[Crossover]] = {}
    for c in filter(is_answer, train):
        sweeps.setdefault(fixed_axis(c.axis, c.line), []).append(c)
    return list(sweeps.items())

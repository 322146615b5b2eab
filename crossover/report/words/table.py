"""A table of texts, for Markdown and for the terminal; the page has a template."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import table as rich
from rich.console import Console

from crossover.files.escape import text


@dataclass(frozen=True)
class Table:
    """Cells as they are read; nothing in them is escaped."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: bool = True
    """The first cell names its row, and the others are numbers, set to the right."""


def markdown_lines(table: Table) -> Iterator[str]:
    """Yield a table's lines in Markdown, without its caption."""
    side = "---:" if table.numbers else "---"
    for row in (table.head, None, *table.rows):
        cells = ["---", *[side] * (len(table.head) - 1)] if row is None else row
        yield f"| {' | '.join(cells if row is None else map(text, cells))} |"


def print_table(table: Table, width: int | None = None) -> None:
    """Print a table with its caption above; `width` is None for the terminal's."""
    shown = rich.Table(*table.head, title=table.caption or None, title_justify="left")
    for row in table.rows:
        shown.add_row(*row)
    Console(width=width, markup=False, highlight=False).print(shown)

"""The answers of a table in words, and as the files analyse.csv and analyse.md.

`analyse` calls it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crossover.analysis.flags import doubts, in_words
from crossover.crossing.answer import NOT_MEASURED
from crossover.files.atomic import write_atomically
from crossover.files.csv_file import csv_text
from crossover.files.refusals import refusing
from crossover.files.untrusted import printable
from crossover.findings import Answer, size_text
from crossover.nouns import field_names
from crossover.report.words.document import Document, Section, markdown
from crossover.report.words.names import Name
from crossover.report.words.sentences import doubted, joined, told
from crossover.sources.table.ask import TableAsk


@dataclass(frozen=True)
class GroupAnswer:
    """The crossover of one group: the values of the `by` columns, and the answer."""

    group: tuple[str, ...]
    answer: Answer


def line(found: GroupAnswer, asked: TableAsk) -> str:
    """Say a group's answer in one line: its outcome and doubts, then the numbers."""
    a = found.answer
    group = ", ".join(f"{n} = {v}" for n, v in zip(asked.by, found.group, strict=True))
    head = ", ".join(filter(None, (a.outcome.replace("_", " "), doubted(a.flags))))
    rest = f" [{'; '.join(more)}]" if (more := _unsaid(a.flags)) else ""
    where = f"{group}: " if group else ""
    if a.outcome == NOT_MEASURED:
        return f"{where}{head}{rest}"
    names = Name(asked.baseline), Name(asked.challenger)
    said = f"over {asked.axis}, {joined(told(a, *names))}{_next_step(a)}"
    return f"{where}{head}: {said}{rest}"


def _unsaid(flags: Iterable[str]) -> list[str]:
    """Return the flags, in words, whose details no doubt tells."""
    known = doubts(flags)
    parts = {flag: flag.partition(": ") for flag in flags}
    return [
        in_words(flag)
        for flag, (name, _, detail) in parts.items()
        if name not in known or detail not in known[name]
    ]


def _next_step(a: Answer) -> str:
    """Say what may decide an answer that is undecided."""
    if a.outcome != "inconclusive":
        return ""
    sizes = [zone.size for zone in a.zones]
    low, high = a.low or min(sizes, default=0), a.high or max(sizes, default=0)
    return (
        f"; next: time both in more rounds, in turns, at sizes from {size_text(low)} "
        f"to {size_text(high)}, and analyse them again"
    )


def write_answers(out: Path, found: list[GroupAnswer], asked: TableAsk) -> None:
    """Write analyse.csv and analyse.md.

    Raises:
        InputError: when `out` cannot be written.
    """
    columns = field_names(Answer)
    rows = (
        (
            *map(printable, row.group), asked.axis, asked.baseline, asked.challenger,
            *(getattr(row.answer, column) for column in columns),
        )
        for row in found
    )  # fmt: skip
    heads = (*asked.by, "axis", "baseline", "challenger", *columns)
    title = f"Crossovers of {asked.challenger} against {asked.baseline}"
    lines = tuple(printable(line(row, asked)) for row in found)
    text = markdown(Document(title, sections=(Section(items=lines),)))
    with refusing("out", out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "analyse.csv", csv_text(heads, rows))
        write_atomically(out / "analyse.md", text)

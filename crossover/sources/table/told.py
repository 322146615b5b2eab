"""The answers of a table in words, a line each.

`analyse` and `paper` call it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossover.analysis.flags import doubts, in_words
from crossover.crossing.answer import NOT_MEASURED
from crossover.findings import Answer, size_text
from crossover.report.words.names import Name
from crossover.report.words.sentences import doubted, joined, told
from crossover.sources.table.ask import TableAsk


@dataclass(frozen=True)
class GroupAnswer:
    """The crossover of one group: the values of the `by` columns, and the answer."""

    group: tuple[str, ...]
    answer: Answer
    sizes: int = 0
    """How many sizes both contenders have times of."""
    sizes_alone: int = 0
    """How many sizes only one of them has."""


TOLD = "timed_out"
"""A flag that every sentence tells."""
MOST_SAID = 8
"""At most this many rows that are left out are named."""
Answered = tuple[TableAsk, tuple[GroupAnswer, ...]]
"""What was asked of a pair, and its answers."""


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
        if name != TOLD and (name not in known or detail not in known[name])
    ]


def _next_step(a: Answer) -> str:
    """Say what may decide an answer that is undecided."""
    if a.outcome != "inconclusive":
        return ""
    if any(flag.startswith("alone: ") for flag in a.flags):
        return "; next: time both at sizes that only one has, and analyse them again"
    sizes = [zone.size for zone in a.zones]
    low, high = a.low or min(sizes, default=0), a.high or max(sizes, default=0)
    return (
        f"; next: time both in more rounds, in turns, at sizes from {size_text(low)} "
        f"to {size_text(high)}, and analyse them again"
    )


def say_left_out(notes: Sequence[str], rows: Sequence[str]) -> list[str]:
    """Return what was left out of a table: the first few, and how many more."""
    said = [f"left out: {one}" for one in (*rows, *notes)]
    more = len(said) - MOST_SAID
    return [*said[:MOST_SAID], *([f"left out: {more:,} more"] if more > 0 else [])]

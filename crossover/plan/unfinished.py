"""Find the block in which a run was interrupted, by planning it again from its rows.

The plan looks at the measurements between blocks, never within one. So a resumed run
first completes its block; else it would plan differently from an undisturbed one.
"""

import dataclasses
import itertools
from collections.abc import Sequence

from crossover.nouns import Machine, Measurement
from crossover.plan.plan import Block, next_blocks
from crossover.spec.spec import Spec


def unfinished(
    spec: Spec, rows: Sequence[Measurement], machine: Machine | None = None
) -> Block | None:
    """Return the block that was interrupted; None if every block begun is complete.

    It is None, too, if the rows are not those that would be planned today: those of an
    older version, or of a journal with unreadable lines.
    """
    rows = [m for m in rows if not m.discarded]
    start = _last_case(rows)  # a block has one case
    while start < len(rows):
        blocks = next_blocks(spec, rows[:start], machine)
        end = start + (_length(rows[start:], blocks[0]) if blocks else 0)
        if end == start:
            return None
        block = _begun(blocks[0], rows[start:end])
        if block is not None:
            return block if end == len(rows) else None
        start = end
    return None


def _last_case(rows: Sequence[Measurement]) -> int:
    its = itertools.takewhile(lambda m: m.case == rows[-1].case, reversed(rows))
    return len(rows) - len([*its])


def _length(rows: Sequence[Measurement], block: Block) -> int:
    """Return how many rows, from the first on, belong to a block."""
    for length, m in enumerate(rows):
        is_its = m.case == block.case and m.round in block.rounds
        if not (is_its and m.contender in block.contenders):
            return length
    return len(rows)


def _begun(block: Block, rows: Sequence[Measurement]) -> Block | None:
    """Return the rest of a block; None if it is complete or lacks rounds between."""
    ended = frozenset(m.contender for m in rows if m.status != "ok")
    recorded = {m.round for m in rows if m.status == "ok"}
    done = len(recorded)
    whole = done == len(block.rounds) or ended.issuperset(block.contenders)
    if whole or recorded != set(block.rounds[:done]):
        return None
    return dataclasses.replace(block, done=done, ended=ended)

"""What can be said where a tool kept so few times of a cell that no interval follows.

`Seen` asks it when no size has enough rounds; only rounds flagged `no_interval` count.
"""

import dataclasses

import numpy as np

from crossover.analysis.flags import NO_INTERVAL
from crossover.analysis.rounds import Recorded
from crossover.crossing.answer import point_answer
from crossover.crossing.decide import Array
from crossover.findings import Answer
from crossover.nouns import Case, Cell, Contender


def undecided(
    recorded: Recorded,
    cases: dict[int, Case],
    pair: tuple[Contender, Contender],
    view: str,
    work: Array,
    margin: float,
) -> Answer | None:
    """Return the definitions and speed-ups of one time a size, and no verdict.

    A crossing that may be chance is no finding, so that the outcome is `inconclusive`,
    whatever the points say. None where they are not all there.

    Args:
        recorded: what was recorded.
        cases: by size, increasing.
        pair: baseline and challenger.
        view: of the times.
        work: of the cost curves, a row a case; see `definitions.fitted`.
        margin: share by which a contender must be faster to be ahead.
    """
    points = {
        i: times
        for i, case in enumerate(cases.values())
        if None not in (times := [_point_s(recorded, case, c, view) for c in pair])
    }
    if not points:
        return None
    kept = list(points)
    seconds = np.array(list(points.values()), float)
    sizes = np.array(list(cases), float)[kept]
    found = point_answer(sizes, seconds[:, 0], seconds[:, 1], work[kept], margin)
    flags = tuple(flag for flag in found.flags if flag != "no_rounds")
    left_out = len(cases) - len(kept)
    if left_out:
        flags += (f"{left_out} sizes not measured",)
    return dataclasses.replace(found, outcome="inconclusive", at=None, flags=flags)


def _point_s(
    recorded: Recorded, case: Case, contender: Contender, view: str
) -> float | None:
    """Return the median of a cell's few times, the least one for `best`."""
    medians = []
    for member in recorded.members(Cell(case, contender)):
        few = any(f.startswith(NO_INTERVAL) for f in recorded.ok[member][0].flags)
        seconds = list(recorded.rounds(member, view).values())
        if seconds and few:
            medians.append(float(np.median(seconds)))
    return min(medians, default=None)

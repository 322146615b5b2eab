"""Find where a cell's time goes (set-up, transfer, training), and how it warmed up.

In: a sweep's result, estimates and measurements. Out: one row for each contender and
size, which figures and tables show.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from crossover.analysis.rounds import Recorded
from crossover.analysis.sweeps import SweepResult
from crossover.findings import Estimate
from crossover.nouns import VIEWS, Cell, Measurement

MOST_CALLS = 150
"""Longer warm-ups are thinned to this many calls, densest at the start."""


@dataclass(frozen=True)
class Phases:
    """The parts of the time that a fresh process takes for all of a case's epochs.

    They are differences of the medians in the three views, so that they add up to the
    median from scratch. A part that was not recorded is None.
    """

    contender: str
    size: int
    setup_s: float | None
    transfer_s: float | None
    train_s: float
    total_s: float
    rounds: int


@dataclass(frozen=True)
class WarmUp:
    """The calls before the first sample, each with its seconds per epoch.

    The first two calls train one epoch, the others as many as a sample does. Another
    workload may repeat something other than epochs: see `repeat`.
    """

    contender: str
    size: int
    calls: tuple[int, ...]
    """Numbers of the calls kept, from 1."""
    repeat_s: tuple[float, ...]
    of_calls: int
    """Number of all calls of the warm-up."""
    repeat: str = "epoch"
    """Name of one repeat, to which `repeat_s` refers."""


def phases(result: SweepResult, known: Iterable[Estimate], sizes: int) -> list[Phases]:
    """Return the parts of the time at some of a sweep's sizes, including both ends.

    Args:
        result: the sweep, with its contenders and their order.
        known: the run's estimates in every view.
        sizes: number of sizes, at least 1.
    """
    by_cell = {(e.case, e.contender, e.view): e for e in known}
    rows = []
    for size, cell in _cells(result, sizes):
        train, moved, scratch = (
            by_cell.get((cell.case, cell.contender, view)) for view in VIEWS
        )
        if train is not None:
            rows.append(_phases(size, train, moved, scratch))
    return rows


def _cells(result: SweepResult, sizes: int) -> list[tuple[int, Cell]]:
    """Return the cells at some of a sweep's sizes, both ends among them, by size."""
    cells = dict.fromkeys(Cell(e.case, e.contender) for e in result.estimates)
    by_size = [(result.size(cell.case), cell) for cell in cells]
    kept = spread({size for size, _ in by_size}, sizes)
    return sorted((one for one in by_size if one[0] in kept), key=lambda one: one[0])


def _phases(
    size: int, train: Estimate, moved: Estimate | None, scratch: Estimate | None
) -> Phases:
    setup_s = transfer_s = None
    if moved is not None:
        transfer_s = moved.median_s - train.median_s
        setup_s = scratch.median_s - moved.median_s if scratch is not None else None
    total_s = train.median_s + (transfer_s or 0.0) + (setup_s or 0.0)
    head = (str(train.contender), size, setup_s, transfer_s)
    return Phases(*head, train.median_s, total_s, train.rounds)


def warm_ups(result: SweepResult, recorded: Recorded, sizes: int) -> list[WarmUp]:
    """Return each contender's warm-up, in its first process, at `sizes` sizes."""
    return [
        _warm_up(str(cell.contender), size, first)
        for size, cell in _cells(result, sizes)
        if (first := next((m for m in recorded.ok.get(cell, []) if m.warmup_s), None))
    ]


def _warm_up(contender: str, size: int, m: Measurement) -> WarmUp:
    count = len(m.warmup_s)
    spaced = np.unique(np.geomspace(1, count, min(count, MOST_CALLS)).round())
    calls = tuple(range(1, count + 1)) if count <= MOST_CALLS else spaced.astype(int)
    epochs = m.epochs_run or m.case.repeats
    repeat_s = tuple(m.warmup_s[n - 1] / (1 if n <= 2 else epochs) for n in calls)
    numbers, repeat = tuple(map(int, calls)), m.case.workload.repeat
    return WarmUp(contender, size, numbers, repeat_s, count, repeat)


def spread(sizes: Iterable[int], count: int) -> set[int]:
    """Choose `count` sizes: both ends, and evenly spread ones between them."""
    inner = sorted(sizes)
    if count >= len(inner):
        return set(inner)
    if count == 1:
        return set(inner[:1])
    places = np.linspace(0, len(inner) - 1, count).round().astype(int)
    return {inner[place] for place in places}

"""From counted work and a data sheet: a predicted time, and a predicted crossover.

Pure functions. Nothing here is a measurement but the baseline's own times.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossover.crossing.decide import Array
from crossover.predict.sheet import Sheet

POINTS = 400
COPIES = 2
"""Features and labels are moved apart."""
ROOM = 3
"""A trainer needs the data, a shuffled copy, and something to spare."""


@dataclass(frozen=True)
class Counts:
    """What one repeat of a case, an epoch, gives the device."""

    launches: float
    bytes: float
    operations: float
    host_s: tuple[float, float] = (0.0, 0.0)
    """What the same trainer's steps cost the host here, whatever the device: lowest and
    highest; 0 where the run does not tell."""
    repeats: int = 1
    """How many of them there are."""
    moved_bytes: float = 0.0
    """Of one move of the data to the device."""
    dtype: str = "float32"


@dataclass(frozen=True)
class Predicted:
    """Seconds: the middle, and the ends that the sheet's ranges make."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class PredictedCrossover:
    """From which size on the device would be ahead.

    As in a measured one, an end that is None is open: it lies below the smallest or
    above the largest size measured.
    """

    outcome: str
    at: float | None
    low: float | None
    high: float | None


def predicted_s(sheet: Sheet, counts: Counts, view: str) -> Predicted:
    """Predict the seconds of a case, all its repeats.

    A repeat takes what is longer: the host's steps, or the device's kernels, each as
    long as its bytes and operations take and at least the shortest there is. The host
    launches every kernel; at best beside the Python that it runs on the CPU too, at
    worst after it. Set-up is on no data sheet, so that `from_scratch` cannot be
    predicted. The middle is the geometric mean of the ends.
    """
    n = counts.launches
    hosts = (
        max(n * sheet.launch_s[0], counts.host_s[0]),
        n * sheet.launch_s[1] + counts.host_s[1],
    )
    low, high = (
        _seconds(sheet, counts, view, host_s, n * kernel_s, reached)
        for host_s, kernel_s, reached in zip(
            hosts, sheet.kernel_s, reversed(sheet.reached), strict=True
        )
    )
    return Predicted(math.sqrt(low * high), low, high)


def _seconds(
    sheet: Sheet,
    counts: Counts,
    view: str,
    host_s: float,
    kernels_s: float,
    reached: float,
) -> float:
    moved = counts.bytes / (reached * sheet.memory_bytes_per_s)
    computed = counts.operations / (reached * sheet.operations_per_s[counts.dtype])
    total = counts.repeats * max(host_s, kernels_s + max(moved, computed))
    if view == "with_transfer":
        bus = reached * sheet.bus_bytes_per_s
        total += COPIES * sheet.bus_latency_s + counts.moved_bytes / bus
    return total


def predicted_crossover(
    sizes: Sequence[int], baseline: Sequence[Predicted], device: Sequence[Predicted]
) -> PredictedCrossover:
    """Find from which size on the device would be ahead at every larger one.

    Args:
        sizes: increasing, at which the baseline was measured.
        baseline: its measured seconds, with their interval.
        device: predicted seconds.
    """
    logs = np.log(np.asarray(sizes, float))
    grid = np.linspace(logs[0], logs[-1], POINTS)

    def gaps(one: list[float], other: list[float]) -> Array:
        found: Array = np.interp(grid, logs, np.log(one) - np.log(other))
        return found

    sure = gaps([b.low for b in baseline], [d.high for d in device])
    likely = gaps([b.middle for b in baseline], [d.middle for d in device])
    hoped = gaps([b.high for b in baseline], [d.low for d in device])
    at, low, high = (_from(grid, gap) for gap in (likely, hoped, sure))
    if high == sizes[0]:
        return PredictedCrossover("always", None, None, None)
    if low is None:
        return PredictedCrossover("never", None, None, None)
    open_below = None if low == sizes[0] else low
    if at is None or at == sizes[0]:
        return PredictedCrossover("undecided", None, open_below, high)
    return PredictedCrossover("found", at, open_below, high)


def _from(grid: Array, gap: Array) -> float | None:
    """Return the size from which a gap stays positive, None if it does not."""
    behind = np.flatnonzero(gap <= 0)
    if not len(behind):
        return float(round(math.exp(grid[0])))
    last = int(behind[-1])
    if last == len(grid) - 1:
        return None
    share = gap[last] / (gap[last] - gap[last + 1])
    return float(math.exp(grid[last] + share * (grid[last + 1] - grid[last])))

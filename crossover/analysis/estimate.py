"""Estimate the time of each cell: its rounds' median, with an interval.

In: a run. Out: an `Estimate` for each cell and view. The interval is made of order
statistics, and so assumes nothing of the distribution.
"""

from functools import lru_cache
from math import comb

import numpy as np

from crossover.analysis.flags import view_flags
from crossover.analysis.rounds import Recorded
from crossover.crossing.decide import Array, median
from crossover.findings import Estimate
from crossover.nouns import VIEWS, Run


def estimates(run: Run, recorded: Recorded | None = None) -> list[Estimate]:
    """Estimate every measured cell in every view."""
    recorded = recorded or Recorded(run.measurements)
    found = []
    for cell in recorded.ok:
        flags = recorded.flags(run.machine)[cell]
        items = next((m.items for m in recorded.ok[cell] if m.items is not None), None)
        for view in VIEWS:
            values = np.sort(list(recorded.rounds(cell, view).values()))
            if not len(values):
                continue  # a part of the view's time was not recorded
            median_s, low_s, high_s, reached = middle(values, run.spec.confidence)
            raised = *flags, *view_flags(view)
            found.append(
                Estimate(
                    cell.id, view, cell.case, cell.contender,
                    median_s, low_s, high_s, float(values[0]),
                    reached, len(values), raised,
                    None if items is None else items / median_s,
                )
            )  # fmt: skip
    return found


def middle(values: Array, confidence: float) -> tuple[float, float, float, float]:
    """Return the median of sorted values, its interval, and the confidence of that."""
    rank, reached = order_statistics(len(values), confidence)
    low, high = float(values[rank]), float(values[-1 - rank])
    return median(values), low, high, reached


@lru_cache(maxsize=256)
def order_statistics(n: int, confidence: float) -> tuple[int, float]:
    """Return the rank of the median's interval, and the confidence that it reaches.

    The interval from the rank-th smallest to the rank-th largest (from 0) holds the
    median with probability 1 - 2 P(Binomial(n, 1/2) <= rank), whatever the
    distribution. With few rounds, even the widest interval may not reach `confidence`.
    """
    beyond = 0  # of 2^n ways to lie around the median, those outside the interval
    for rank in range((n + 1) // 2):
        beyond += 2 * comb(n, rank)
        nearer = beyond + 2 * comb(n, rank + 1)
        if 2 * (rank + 1) >= n or 1 - nearer / 2**n < confidence:
            return rank, 1 - beyond / 2**n
    raise ValueError(f"n = {n}: must be at least 1")

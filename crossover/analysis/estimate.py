"""Estimate the time of each cell: its rounds' median, its single calls' quantiles.

In: a run. Out: an `Estimate` for each cell and view, a `Latency` for each cell and
quantile. Intervals are made of order statistics, and so assume nothing of the
distribution.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import comb

import numpy as np

from crossover.analysis.flags import few_disturbed, view_flags
from crossover.analysis.rounds import Recorded
from crossover.crossing.decide import Array, median
from crossover.findings import Estimate, Latency
from crossover.latency.calls import CALLS
from crossover.latency.quantiles import QUANTILES, Quantile, least_calls, quantile
from crossover.nouns import VIEWS, Measurement, Run


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


FEW_CALLS = "few_calls"
UNTIMED = "no single calls were timed"


def timed_calls(measurements: Iterable[Measurement]) -> bool:
    """Tell whether single calls were timed."""
    return any(m.latency for m in measurements)


def latencies(run: Run, recorded: Recorded) -> list[Latency]:
    """Estimate the quantiles of every cell's single calls, if any were timed.

    A cell without any has rows, too, which say why.
    """
    if not timed_calls(run.measurements):
        return []
    found, confidence = [], run.spec.confidence
    for cell, rows in recorded.ok.items():
        if cell.contender.copy:
            continue
        rounds, raised = calls_of(rows), recorded.flags(run.machine)[cell]
        calls = sum(map(len, rounds))
        for name, share in QUANTILES.items():
            known = quantile(rounds, share, confidence)
            few = few_calls(rows, name, confidence, known)
            found.append(
                Latency(
                    cell.id, cell.case, cell.contender, name,
                    known.at, known.low, known.high, confidence,
                    calls, len(rounds), (*few, *raised),
                )
            )  # fmt: skip
    return found


def calls_of(rows: Sequence[Measurement]) -> list[Array]:
    """Return a cell's single calls, round by round, without disturbed rounds."""
    disturbed = few_disturbed(rows)
    kept = (m for m in rows if m.latency and m.round not in disturbed)
    return [np.array(m.latency) for m in kept]


def few_calls(
    rows: Sequence[Measurement], name: str, confidence: float, known: Quantile
) -> tuple[str, ...]:
    """Return the flag that says how many calls a cell lacks; none if it lacks none.

    Args:
        rows: of the cell.
        name: the quantile's name.
        confidence: of its interval.
        known: what is known of the quantile.
    """
    calls = sum(map(len, calls_of(rows)))
    if not calls:
        return (f"{FEW_CALLS}: {untimed(rows)}",)
    needed = least_calls(QUANTILES[name], confidence)
    if calls < needed:
        return (f"{FEW_CALLS}: {name} needs {needed:,} calls, {calls:,} timed",)
    if known.at is None:
        return (f"{FEW_CALLS}: {name} needs more calls, as rounds differ",)
    return (f"{FEW_CALLS}: {calls:,} of {CALLS:,} calls",) if calls < CALLS else ()


def untimed(rows: Sequence[Measurement]) -> str:
    """Return why a cell has no single calls, as its notes tell."""
    notes = (note for m in rows for note in m.notes.split("; "))
    said = (note.partition("latency: ")[2] for note in notes)
    return next(filter(None, said), UNTIMED)


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

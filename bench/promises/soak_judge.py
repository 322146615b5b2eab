"""Judge the readings that a soak took after each round: did anything grow?

`soak` takes the readings and calls `verdicts`; `soak_report` shows both.
"""

import csv
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

CONTENDERS = ("cpu/resident@1", "cpu/manual@1")
MOST_GROWTH = 1.05
"""Largest ratio of memory: highest after the first tenth to highest within it."""
MOST_CALLS = 1.02
"""Largest ratio of function calls a round in the main process: last tenth to second."""
MOST_DEARER = 1.25
"""Largest ratio of processor time a round in the main process: last tenth to second.

It is generous because a machine's speed drifts within minutes. The elapsed seconds of
the main process are shown but not judged: they contain waiting for the disk.
"""


@dataclass(frozen=True)
class Reading:
    """What was read after one round; seconds are those since the round before."""

    round: int
    at_s: float
    main_bytes: int
    first_worker_bytes: int
    second_worker_bytes: int
    reapers_bytes: int
    handles: int
    processes: int
    others: int
    """Processes that were not there after the first round."""
    timed_s: float
    worker_s: float
    """Seconds that workers worked outside samples: opening, warming up, garbage."""
    main_s: float
    """Seconds of planning, recording and all else that is not asking a worker."""
    main_cpu_s: float
    """Seconds of processor time of the main process; asking workers is included."""
    calls: int
    """Calls of Python and C functions in the main process; 0 if not counted."""
    load_1min: float


def read_csv(path: Path) -> list[Reading]:
    """Return the readings that a soak wrote."""
    kinds: dict[str, Callable[[str], Any]] = {
        f.name: int if f.type is int else float for f in fields(Reading)
    }
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [Reading(*(kinds[name](row[name]) for name in kinds)) for row in rows]


@dataclass(frozen=True)
class Verdict:
    """One criterion: a figure before and after, and how far it may grow."""

    what: str
    before: float
    after: float
    most: float
    unit: str

    @property
    def ok(self) -> bool:
        """Whether the bound holds."""
        return self.after <= self.most * self.before


def verdicts(readings: list[Reading], rounds_each: int) -> list[Verdict]:
    """Judge each figure: compare later rounds with the first or second tenth."""
    tenth = max(1, len(readings) // 10)
    first, later = readings[:tenth], readings[tenth:]

    def highest(what: str, name: str, unit: str, most: float, scale: float) -> Verdict:
        sides = [max(getattr(r, name) for r in side) / scale for side in (first, later)]
        return Verdict(what, sides[0], sides[1], most, unit)

    mib = 2**20
    calls = calls_by_tenth(readings)
    cpu_s = by_tenth(by_case(readings, "main_cpu_s", rounds_each))
    return [
        highest("memory of the main process", "main_bytes", "MiB", MOST_GROWTH, mib),
        highest(f"memory of the worker of {CONTENDERS[0]}", "first_worker_bytes",
                "MiB", MOST_GROWTH, mib),
        highest(f"memory of the worker of {CONTENDERS[1]}", "second_worker_bytes",
                "MiB", MOST_GROWTH, mib),
        highest("memory of nursery, reapers", "reapers_bytes", "MiB", MOST_GROWTH, mib),
        highest("file handles", "handles", "", 1.0, 1),
        highest("processes", "processes", "", 1.0, 1),
        Verdict("processes that were not there at first", 0,
                max(r.others for r in readings), 1.0, ""),
        Verdict("calls in the main process", calls[1], calls[-1], MOST_CALLS,
                "a round"),
        Verdict("processor time of the main process", cpu_s[1] * 1e3, cpu_s[-1] * 1e3,
                MOST_DEARER, "ms a round"),
    ]  # fmt: skip


def by_tenth(cases: Sequence[float]) -> list[float]:
    """Return the median over the cases of each tenth of the run."""
    ends = [i * len(cases) // 10 for i in range(11)]
    return [statistics.median(cases[a:b] or [0.0]) for a, b in pairwise(ends)]


def calls_by_tenth(readings: Sequence[Reading]) -> list[float]:
    """Return each tenth's median calls a round, from the rounds that were counted."""
    return by_tenth([r.calls for r in readings if r.calls])


def by_case(readings: list[Reading], name: str, rounds_each: int) -> list[float]:
    """Return the mean of each case's rounds; the first of them holds one-time costs.

    Rounds in which calls were counted took longer, and are left out.
    """
    starts = range(0, len(readings), rounds_each)
    cases = [readings[i : i + rounds_each] for i in starts]
    kept = [[r for r in case if not r.calls] or case for case in cases]
    return [statistics.fmean(getattr(r, name) for r in case) for case in kept]

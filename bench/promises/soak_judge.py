"""What a soak read after each round, and the verdict: does anything grow?"""

import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

CONTENDERS = ("cpu/resident@1", "cpu/manual@1")
MOST_GROWTH = 1.05
"""Of memory: the highest after the first tenth over the highest in it."""
MOST_CALLS = 1.02
"""Of the main process' calls a round: the last tenth's over the second's."""
MOST_DEARER = 1.25
"""Of its processor time a round, likewise: a machine's speed drifts within minutes.

The seconds of the main process are shown beside, unjudged: they wait for the disk, too.
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
    """In which a worker was at work, not timed: opening, warming up, garbage."""
    main_s: float
    """Planning, recording and everything else that is not asking a worker."""
    main_cpu_s: float
    """Processor time of the main process, asking included."""
    calls: int
    """Of functions, Python's and C's, in the main process; 0 where not counted."""
    load_1min: float


def read_csv(path: Path) -> list[Reading]:
    """Return the readings that a soak wrote."""
    kinds = {f.name: float if f.name.endswith("_s") else int for f in fields(Reading)}
    kinds["load_1min"] = float
    with open(path, encoding="utf-8", newline="") as file:
        return [
            Reading(**{name: kinds[name](text) for name, text in row.items()})
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class Verdict:
    """One criterion."""

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
    """Judge what is read after the first tenth by what is read in it."""
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
        highest("memory of the reapers", "reapers_bytes", "MiB", MOST_GROWTH, mib),
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
    """Return the calls of a round of each tenth, where they were counted."""
    return by_tenth([r.calls for r in readings if r.calls])


def by_case(readings: list[Reading], name: str, rounds_each: int) -> list[float]:
    """Return means over the rounds of each case: its first holds what it costs once.

    Rounds in which calls were counted took longer, and are left out.
    """
    starts = range(0, len(readings), rounds_each)
    cases = [readings[i : i + rounds_each] for i in starts]
    kept = [[r for r in case if not r.calls] or case for case in cases]
    return [statistics.fmean(getattr(r, name) for r in case) for case in kept]

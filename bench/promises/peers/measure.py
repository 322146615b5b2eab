"""Measure the works of a case in turn, forward and backward (ABBA), in one process.

In one process all of them have the same core, the same data and the same minute. Each
has one thread, and none runs while another is measured.
"""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from softmax_core.training import Session

ROUNDS = 7
SAMPLE_S = 0.03
"""Shortest sample, in seconds."""


@dataclass(frozen=True)
class Work:
    """What is measured: `run(n)` does its unit (an epoch, a fit) n times and waits."""

    run: Callable[[int], None]


def training(session: Session) -> Work:
    """Return the work of training a session; its unit is an epoch."""

    def run(epochs: int) -> None:
        session.train(epochs)
        session.synchronize()

    return Work(run)


def repeated(once: Callable[[], object]) -> Work:
    """Return the work of a function; its unit is one call."""

    def run(count: int) -> None:
        for _ in range(count):
            once()

    return Work(run)


def seconds(work: Work, count: int) -> float:
    """Return the seconds of one unit when `count` are done."""
    begun = time.perf_counter()
    work.run(count)
    return (time.perf_counter() - begun) / count


def units(work: Work) -> int:
    """Warm up; return how many units make a sample."""
    work.run(1)
    count = 1
    while (took := seconds(work, count) * count) < SAMPLE_S:
        count = max(count + 1, round(1.2 * count * SAMPLE_S / max(took, SAMPLE_S / 50)))
    return count


def rounds(works: Mapping[str, Work], repeats: int = ROUNDS) -> dict[str, list[float]]:
    """Return each work's seconds a unit, one number for each round."""
    counts = {name: units(work) for name, work in works.items()}
    found: dict[str, list[float]] = {name: [] for name in works}
    gc.collect()
    gc.disable()
    try:
        for number in range(repeats):
            names = list(works) if number % 2 == 0 else list(works)[::-1]
            for name in names:
                found[name].append(seconds(works[name], counts[name]))
    finally:
        gc.enable()
    return found

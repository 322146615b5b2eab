"""How long threads waited for a core, and what other virtual machines had of ours.

Linux tells; elsewhere it is unknown, which is None and never guessed.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from crossover.system.ways import is_linux

Delays = dict[str, int]
"""Nanoseconds that each thread, by its number, has waited for a core so far."""


def core_delays(processes: Iterable[str] = ("self",)) -> Delays | None:
    """Return how long the threads of some processes have waited for a core.

    The kernel counts how long a thread that could run stood in a queue of a core. The
    result is None if that is unknown: outside Linux, or if the kernel does not count.
    """
    if not is_linux():
        return None
    found: Delays = {}
    try:
        for process in processes:
            tasks = f"/proc/{process}/task"
            for thread in os.listdir(tasks):
                with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                    _, waited, turns = _numbers(f"{tasks}/{thread}/schedstat")
                    if turns:
                        found[thread] = waited
    except (OSError, ValueError):
        return None
    return found or None


def _numbers(path: str) -> list[int]:
    """Return the numbers in a short file, read in the least time."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return [int(word) for word in os.read(descriptor, 200).split()]
    finally:
        os.close(descriptor)


def waited_s(before: Delays | None, after: Delays | None) -> float | None:
    """Return the seconds that all threads waited between two readings."""
    if before is None or after is None:
        return None
    return sum(ns - before.get(thread, 0) for thread, ns in after.items()) / 1e9


STEAL_STEP_S = 0.01
"""Step in which the kernel tells of stolen time."""


def stolen_s(stat: Path = Path("/proc/stat")) -> float | None:
    """Return for how long others have had our cores while this virtual machine wanted
    them, summed over the cores that this process may use; None if unknown.
    """
    if not is_linux():
        return None
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    try:
        lines = [line.split() for line in stat.read_text("utf-8").splitlines()]
        steps = [int(words[8]) for words in lines if words and words[0] in mine]
    except (OSError, ValueError, IndexError):
        return None
    return sum(steps) * STEAL_STEP_S if steps else None

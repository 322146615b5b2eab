"""Which threads and processes worked: those whose own CPU clocks went on meanwhile.

A machine that is busy with other programs does not disturb it: a thread that waits for
a core has worked all the same in the end. Linux only; elsewhere nothing is known.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from crossover.system.ways import is_linux

TASKS = "/proc/self/task"
LEAST_S = 2e-5
"""CPU seconds from which on a thread has worked; waking up takes it a few us."""
_OF_THREAD, _OF_PROCESS = 6, 2
"""Kinds of clocks in Linux' ids of them (posix-timers.h), of the scheduler's time."""


def threads_at_work(work: Callable[[], object]) -> dict[int, float] | None:
    """Return the CPU seconds of each thread of this process that works meanwhile.

    Threads that begin or end meanwhile count, too. None if that is not known here.
    """
    before = _clocks()
    if before is None:
        return None
    work()
    after = _clocks() or {}
    spent = {thread: end - before.get(thread, 0.0) for thread, end in after.items()}
    return {thread: s for thread, s in spent.items() if s >= LEAST_S}


def processes_s(processes: Sequence[str]) -> dict[str, float]:
    """Return the CPU seconds so far of other processes; empty if they are unknown."""
    if not is_linux():
        return {}
    return {process: _process_s(int(process)) for process in processes}


def cores_of(threads: Iterable[int]) -> set[int]:
    """Return the cores on which any of these threads may run."""
    found: set[int] = set()
    for thread in threads:
        with suppress(OSError):  # it has ended
            found |= os.sched_getaffinity(thread)
    return found


def _clocks() -> dict[int, float] | None:
    """Return the CPU seconds of each thread of this process so far."""
    if not is_linux():
        return None
    try:
        threads = [*map(int, os.listdir(TASKS))]
    except OSError:
        return None
    found = {}
    for thread in threads:
        with suppress(OSError):
            found[thread] = time.clock_gettime((~thread << 3) | _OF_THREAD)
    return found


def _process_s(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | _OF_PROCESS)
    except OSError:  # it has ended
        return 0.0

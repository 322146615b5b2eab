"""The clock around measured work, and how long its threads waited for a core.

The clock is read only while the device has nothing to do. The sampler, the checks of
accelerators and the lesson time work with `measured_s`.
"""

import gc
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


def measured_s(
    work: Callable[[], object],
    synchronize: Callable[[], object],
    now: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the seconds that `work` takes, including what it queues on the device.

    There are exactly two synchronisations, whatever the work: one before the first
    reading, so that nothing queued earlier is counted, and one before the last.
    """
    synchronize()
    start = now()
    work()
    synchronize()
    return now() - start


def timer_step_s(now: Callable[[], float] = time.perf_counter) -> float:
    """Return the smallest step seen between different readings, in seconds."""
    steps = []
    for _ in range(100):
        start = end = now()
        while end == start:
            end = now()
        steps.append(end - start)
    return min(steps)


def processor_s() -> float:
    """Return the seconds of processor time of this process and of those it started."""
    started = os.times()
    return time.process_time() + started.children_user + started.children_system


class Idle:
    """Adds up by how much pieces of work took longer than the processor worked."""

    def __init__(
        self,
        now: Callable[[], float] = time.perf_counter,
        worked_s: Callable[[], float] = processor_s,
    ) -> None:
        self.seconds, self._now, self._worked_s = 0.0, now, worked_s

    def __enter__(self) -> None:
        """Begin a piece of work."""
        self._began = self._now(), self._worked_s()

    def __exit__(self, *_: object) -> None:
        """End a piece of work."""
        took_s = self._now() - self._began[0]
        self.seconds += max(0.0, took_s - (self._worked_s() - self._began[1]))


Delays = dict[str, int]
"""Nanoseconds that each thread, by its number, has waited for a core so far."""


def core_delays(processes: Iterable[str] = ("self",)) -> Delays | None:
    """Return how long the threads of some processes have waited for a core.

    The kernel counts how long a thread that could run stood in a queue of a core. The
    result is None if that is unknown: outside Linux, or if the kernel does not count.
    """
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
    if not hasattr(os, "sched_getaffinity"):
        return None
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    try:
        lines = [line.split() for line in stat.read_text().splitlines()]
        steps = [int(words[8]) for words in lines if words and words[0] in mine]
    except (OSError, ValueError, IndexError):
        return None
    return sum(steps) * STEAL_STEP_S if steps else None


class GarbagePause:
    """Keeps garbage collection out of samples, from its creation to `end`.

    Objects that live at the start are set aside, so that `collect` between two samples
    takes microseconds; looking through all of torch's objects takes 0.1 s.
    """

    def __init__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()

    def collect(self) -> None:
        """Collect the garbage that the last sample left."""
        gc.collect()

    def end(self) -> None:
        """Let Python collect garbage as before."""
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

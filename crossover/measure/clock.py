"""The clock around measured work, and how much of its time a process worked.

The clock is read only while the device has nothing to do. The sampler, the checks of
accelerators and the lesson time work with `measured_s`.
"""

import gc
import os
import time
from collections.abc import Callable


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


FEW_OBJECTS = 5000
"""Looking through so many objects for garbage takes a fraction of a millisecond."""


def set_aside() -> bool:
    """Collect garbage; if many objects live, have no later search look at them.

    Looking through all of torch's objects takes 0.2 s. Returns whether there were many.
    """
    gc.collect()
    are_many = len(gc.get_objects()) > FEW_OBJECTS
    if are_many:
        gc.freeze()
    return are_many


class GarbagePause:
    """Keeps garbage collection out of samples, from its creation to `end`.

    What a cell made or loaded meanwhile is set aside if it is much, so that `collect`
    between two samples is short, and is looked at again when the cell has ended.
    """

    def __init__(self) -> None:
        self._was_enabled = gc.isenabled()
        self._has_set_aside = set_aside()
        gc.disable()

    def set_aside(self) -> None:
        """Set aside what was loaded since."""
        self._has_set_aside |= set_aside()

    def collect(self) -> None:
        """Collect the garbage that the last sample left."""
        gc.collect()

    def end(self) -> None:
        """Let Python collect garbage as before."""
        if self._has_set_aside:
            gc.unfreeze()
        if self._was_enabled:
            gc.enable()

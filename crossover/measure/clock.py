"""The clock around measured work: it is read only while the device has nothing to do.

The sampler, the checks of accelerators and the lesson time work with `measured_s`.
"""

import gc
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

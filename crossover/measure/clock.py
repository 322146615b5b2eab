"""The sync-correct clock: read only while the device has nothing left to do."""

import gc
import time
from collections.abc import Callable


def measured_s(
    work: Callable[[], object],
    synchronize: Callable[[], object],
    now: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the seconds `work` takes, what it queued on the device included.

    Exactly two synchronisations, whatever the work: one before the first reading,
    so that nothing queued earlier is counted, one before the last.
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
    """No garbage collection while samples are taken.

    What lives at the start is set aside, so that `collect` between two samples
    costs microseconds; looking through all of torch's objects takes 0.1 s.
    """

    def __init__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()

    def collect(self) -> None:
        """Collect what the last sample left behind."""
        gc.collect()

    def end(self) -> None:
        """Collect as before."""
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

"""The sync-correct clock: read only while the device has nothing left to do."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect now, and not again until the block ends."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

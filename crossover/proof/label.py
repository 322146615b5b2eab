"""Prove, of a cell that is open, that what runs is what its label says.

Its threads work and may run on as many cores, its ranks work, its device has data. The
sampler asks for all that, and the implementation to prove its name (`Session.prove`).
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from crossover.proof.at_work import LEAST_S, cores_of, processes_s, threads_at_work
from crossover.proof.place import CPU, Place, has_torch
from crossover.system.waits import core_delays, waited_s

SHARE = 4 * 32_768
"""Values that each thread works on; torch gives a thread no fewer than a quarter."""
WIDTH = 256
"""Rows of a product for each thread, and columns: 30 million operations a thread."""
MOST_CORES = 0.5
"""By how much a job may use more cores than its label has threads: others wait."""
WORKED_S, TICKS = 0.02, 20
"""Shortest time in which used cores are counted: seconds, and steps of the clock."""
ATTEMPTS, SPIN_S = 20, 0.005
"""Attempts to see just the threads that train, and the seconds that others may spin."""


class NotAsLabelled(Exception):  # noqa: N818
    """What runs is not what the label says, or that cannot be shown."""


def prove_threads(threads: int | None) -> None:
    """Prove that an operator has that many threads, and all at work.

    It is torch's, or in a process without torch NumPy's. Threads of other libraries may
    work at the same time, as they do while they wait.

    Args:
        threads: those of the label; None if it has none.

    Raises:
        NotAsLabelled: with the number of threads, or of cores, that were found.
    """
    if threads is None:
        return
    found = threads_at_work(_by_torch(threads) if has_torch() else _by_numpy(threads))
    if found is None:
        return
    if len(found) < threads:
        worked = _many(len(found), "thread")
        raise NotAsLabelled(f"{worked} worked; must be {threads}")
    if (cores := len(cores_of(found))) < threads:
        have = f"{threads} threads had {_many(cores, 'core')} to run on"
        raise NotAsLabelled(have)


def _by_torch(threads: int) -> Callable[[], object]:
    """Return an operator that all of torch's threads share."""
    import torch

    if (count := torch.get_num_threads()) != threads:
        raise NotAsLabelled(f"torch has {_many(count, 'thread')}; must have {threads}")
    return torch.ones(threads * SHARE).cos_


def _by_numpy(threads: int) -> Callable[[], object]:
    """Return a product that all threads of NumPy's BLAS share.

    Raises:
        NotAsLabelled: for a pool of threads of any library that has another size.
    """
    import numpy as np
    import threadpoolctl

    for pool in threadpoolctl.threadpool_info():
        if (count := pool["num_threads"]) != threads:
            has = f"{pool['internal_api']} has {_many(count, 'thread')}"
            raise NotAsLabelled(f"{has}; must have {threads}")
    rows, columns = np.ones((threads * WIDTH, WIDTH)), np.ones((WIDTH, WIDTH))
    return lambda: rows @ columns


def count_threads() -> int | None:
    """Return the threads that torch has; without torch, the largest pool's, if any."""
    if has_torch():
        import torch

        return torch.get_num_threads()
    import threadpoolctl

    found = (int(p["num_threads"]) for p in threadpoolctl.threadpool_info())
    return max(found, default=None)


def prove_cores(work: Callable[[], object], threads: int | None) -> None:
    """Prove that a job without torch uses no more cores than its label has threads.

    A library may have threads of its own, which no variable limits. How long the
    processor worked is known on every system; on Linux also how long threads waited for
    it, without which another program would hide them.

    Args:
        work: a part of the job, which ends when it is done.
        threads: those of the label; None if it has none.

    Raises:
        NotAsLabelled: with the number of cores that were used.
    """
    if threads is None or has_torch():
        return
    used = math.inf
    for _ in range(ATTEMPTS):  # a wait that began before may be counted in one
        used = min(used, _cores_used(work))
        if used <= threads + MOST_CORES:
            return
    raise NotAsLabelled(
        f"the step used {used:.1f} cores; must be at most {threads}: limit the "
        "threads of its library, to OMP_NUM_THREADS"
    )


def _cores_used(work: Callable[[], object]) -> float:
    """Return how many threads worked, or waited for a core, on average."""
    least_s = max(WORKED_S, TICKS * time.get_clock_info("process_time").resolution)
    before, start, worked = core_delays(), time.perf_counter(), time.process_time()
    while time.perf_counter() - start < least_s:
        work()
    took_s, worked_s = time.perf_counter() - start, time.process_time() - worked
    return (worked_s + (waited_s(before, core_delays()) or 0.0)) / took_s


def prove_own_threads(
    own: int | None, threads: int | None, work: Callable[[], object]
) -> None:
    """Prove that an implementation trains with just as many threads as it says.

    It may take fewer than it is allowed, where more would not be faster. Threads of a
    library that still spin, after what it did before, soon sleep.

    Args:
        own: how many it says; None if it uses torch's, or says nothing.
        threads: those of the label; None if it has none.
        work: a part of the training.

    Raises:
        NotAsLabelled: if more or fewer work, or more than the label has.
    """
    if own is None:
        return
    if threads is not None and own > threads:
        raise NotAsLabelled(f"{_many(own, 'thread')} train; must be at most {threads}")
    worked = 0
    for _ in range(ATTEMPTS):
        time.sleep(SPIN_S)
        found = threads_at_work(work)
        worked = own if found is None else max(len(found), 1)
        if worked == own:
            return
    many = _many(worked, "thread")
    raise NotAsLabelled(f"{many} worked; must be {own}, as its notes say")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


@contextmanager
def proving_ranks(processes: Sequence[str]) -> Iterator[None]:
    """Prove that the processes of the other ranks work meanwhile.

    Raises:
        NotAsLabelled: naming one that does not.
    """
    before = processes_s(processes)
    yield
    after = processes_s(processes)
    for rank, process in enumerate(processes, start=1):
        if after and after[process] - before[process] < LEAST_S:
            raise NotAsLabelled(f"rank {rank} did no work")


def prove_device(device: Place) -> None:
    """Prove that an accelerator held something while the cell was opened.

    Raises:
        NotAsLabelled: if it held nothing.
    """
    if device.type == CPU.type:
        return
    from softmax_core.device import memory_held_bytes, parse_device

    if memory_held_bytes(parse_device(str(device))) == 0:
        raise NotAsLabelled(f"{device} was not used: it held no data")

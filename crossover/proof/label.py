"""Prove, of a cell that is open, that what runs is what its label says.

Its threads work and may run on as many cores, its ranks work, its device has data. The
sampler asks for all that, and the implementation to prove its name (`Session.prove`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from crossover.proof.at_work import LEAST_S, cores_of, processes_s, threads_at_work
from softmax_core.device import memory_held_bytes

SHARE = 4 * 32_768
"""Values that each thread works on; torch gives a thread no fewer than a quarter."""
ATTEMPTS, SPIN_S = 20, 0.005
"""Attempts to see just the threads that train, and the seconds that others may spin."""


class NotAsLabelled(Exception):  # noqa: N818
    """What runs is not what the label says, or that cannot be shown."""


def prove_threads(threads: int | None) -> None:
    """Prove that an operator of torch has that many threads, and all at work.

    Threads of other libraries may work at the same time, as they do while they wait.

    Args:
        threads: those of the label; None if it has none.

    Raises:
        NotAsLabelled: with the number of threads, or of cores, that were found.
    """
    if threads is None:
        return
    if (count := torch.get_num_threads()) != threads:
        raise NotAsLabelled(f"torch has {_many(count, 'thread')}; must have {threads}")
    found = threads_at_work(torch.ones(threads * SHARE).cos_)
    if found is None:
        return
    if len(found) < threads:
        worked = _many(len(found), "thread")
        raise NotAsLabelled(f"{worked} worked; must be {threads}")
    if (cores := len(cores_of(found))) < threads:
        have = f"{threads} threads had {_many(cores, 'core')} to run on"
        raise NotAsLabelled(have)


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


def prove_device(device: torch.device) -> None:
    """Prove that an accelerator held something while the cell was opened.

    Raises:
        NotAsLabelled: if it held nothing.
    """
    if device.type != "cpu" and memory_held_bytes(device) == 0:
        raise NotAsLabelled(f"{device} was not used: it held no data")

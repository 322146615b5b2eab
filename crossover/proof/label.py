"""Prove, of a cell that is open, that what runs is what its label says.

Its threads work and may run on as many cores, its ranks work, its device has data. The
sampler asks for all that, and the implementation to prove its name (`Session.prove`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from crossover.proof.at_work import LEAST_S, cores_of, processes_s, threads_at_work
from softmax_core.device import memory_held_bytes

SHARE = 4 * 32_768
"""Values that each thread works on; torch gives a thread no fewer than a quarter."""
TRIES = 3
"""Proofs tried, if other threads worked at the same time by chance."""


class NotAsLabelled(Exception):  # noqa: N818
    """What runs is not what the label says, or that cannot be shown."""


def prove_threads(threads: int | None) -> None:
    """Prove that an operator of torch has that many threads at work, no more.

    Args:
        threads: those of the label; None if it has none.

    Raises:
        NotAsLabelled: with the number of threads, or of cores, that were found.
    """
    if threads is None:
        return
    values = torch.ones(threads * SHARE)
    why = ""
    for _ in range(TRIES):
        found = threads_at_work(values.cos_)
        if found is None:
            return
        cores = len(cores_of(found))
        if len(found) == threads <= cores:
            return
        why = f"{_threads(len(found))} worked; must be {threads}"
        if len(found) == threads:
            why = f"{_threads(threads)} had {cores} core{'s' * (cores != 1)} to run on"
    raise NotAsLabelled(why)


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


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

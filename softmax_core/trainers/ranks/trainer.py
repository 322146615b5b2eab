"""Share one training among several processes: each takes a part of every batch.

torch.distributed sums the gradients of the parts once a step, so that the work equals
one process' at the same batch size. This process is rank 0 (docs/data_parallel.md).
"""

import os
import weakref
from dataclasses import replace

import torch
import torch.distributed as dist
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.device import use_threads
from softmax_core.trainers.ranks.rank import digest
from softmax_core.trainers.ranks.ranks import Ranks, crew_of, device_of
from softmax_core.trainers.ranks.share import Place, ShareSession
from softmax_core.training import Setup, Trainer

LIBRARY = {"cpu": "gloo", "cuda": "nccl"}
"""Library that sums over the ranks, by the kind of device."""


class DataParallelSession(ShareSession):
    """Trains rank 0's share, and commands the other ranks.

    An error or an interrupt in the middle of a training ends the other ranks.
    """

    def __init__(self, case: Case, data: Data, setup: Setup, crew: Ranks) -> None:
        use_threads(setup.threads)
        self._crew, self._number = crew, -1
        where = None if setup.drawn_on is None else str(setup.drawn_on)
        asked = torch.get_num_threads()
        try:
            number, counts = crew.prepare(case, data, asked, where)
        except BaseException as error:
            crew.fail(error)
        weakref.finalize(self, crew.forget, number)
        for rank, count in enumerate(counts, start=1):
            if count != asked:
                raise RuntimeError(f"rank {rank} has {count} threads, rank 0 {asked}")
        super().__init__(case, data, setup, Place(0, crew.ranks), crew.add)
        self._number = number
        self.processes = crew.pids
        self.notes = f"{crew.ranks} ranks, {LIBRARY[self.device.type]}"

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        if self._number >= 0:  # in __init__, the sessions of all ranks are new
            self._tell("reset")
        super().reset()

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before all ranks are done."""
        self._tell("train", epochs)
        try:
            super().train(epochs)
        except BaseException as error:
            self._crew.fail(error)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,).

        Raises:
            RuntimeError: if another rank's weights differ in any bit.
        """
        W, b = super().weights()
        self._tell("digest")
        try:
            digests = self._crew.answers()
        except BaseException as error:
            self._crew.fail(error)
        for rank, other in enumerate(digests, start=1):
            if other != digest(W, b):
                raise RuntimeError(f"rank {rank} ended with other weights than rank 0")
        return W, b

    def _tell(self, command: str, *rest: int) -> None:
        try:
            self._crew.tell(command, self._number, *rest)
        except BaseException as error:
            self._crew.fail(error)


class DataParallelTrainer(Trainer):
    """Trains as `resident` does, spread over ranks; one rank is this process alone.

    Args:
        ranks: number of processes; they share the CPU, or each has its own accelerator.
    """

    def __init__(self, ranks: int = 1) -> None:
        self.ranks = ranks

    def unavailable(self, device: torch.device) -> str | None:
        """Return what this number of ranks would miss. See `Trainer.unavailable`."""
        if self.ranks == 1:
            return None
        if os.name != "posix":
            return "several ranks need a POSIX system"
        library = LIBRARY.get(device.type)
        if library is None:
            return f"several ranks can be on {' or '.join(LIBRARY)} only"
        if not (dist.is_available() and dist.is_backend_available(library)):
            return f"torch was built without {library}"
        last = device_of(self.ranks - 1, device)
        count = torch.get_device_module(device).device_count()
        if last.index is not None and last.index >= count:
            return f"no {last}: this machine has {count} {device.type} device(s)"
        return None

    def start(self, case: Case, data: Data, setup: Setup) -> ShareSession:
        """See `Trainer`; the threads are those of each rank.

        Raises:
            RankLost: if a rank does not start.
        """
        if self.ranks == 1:
            return ShareSession(case, data, setup, Place(0, 1), lambda _: None)
        setup = replace(setup, device=device_of(0, setup.device))
        return DataParallelSession(case, data, setup, crew_of(self.ranks, setup.device))

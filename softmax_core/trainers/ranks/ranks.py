"""Start the other ranks beside this process, which is rank 0, and command them.

A crew of ranks is kept for as long as this process lives, and its sessions share it.
`DataParallelTrainer` calls this; `rank.py` runs in the other processes.
"""

import itertools
import os
import signal
import tempfile
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import torch
import torch.multiprocessing as mp

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.trainers.ranks.rank import join, serve
from softmax_core.trainers.ranks.share import Add, Place
from softmax_core.training import RankLost

NOTICED_S = 1.0
"""Seconds to look for the end of a rank after an operation with it failed."""
SETTLED_S = 0.02
"""Seconds that each rank then has to end, so that the first to end is seen."""
FROM_RANKS = (RuntimeError, OSError, EOFError)
"""Errors that operations with other ranks raise when one has ended."""


class Ranks:
    """Ranks 1 and up, each a process; `add` sums over all ranks, also rank 0.

    Args:
        ranks: number of ranks, including rank 0.
        device: rank 0's device; the others take the next ones, or the same CPU.

    Raises:
        RankLost: if a rank does not start.
    """

    def __init__(self, ranks: int, device: torch.device) -> None:
        self.ranks = ranks
        self.lost: Exception | None = None
        self._numbers = itertools.count()
        self._forgotten: list[int] = []
        self._processes: list[Any] = []
        self._commands: list[Connection] = []
        self._alive: list[Connection] = []
        places = [Place(rank, ranks) for rank in range(ranks)]
        with tempfile.TemporaryDirectory() as folder:
            store = str(Path(folder) / "store")
            try:
                for place in places[1:]:
                    self._start(place, str(device_of(place.rank, device)), store)
                self.answers()  # all have started, so that none waits in vain
                self.add: Add = join(places[0], str(device_of(0, device)), store)
                self.answers()
            except BaseException as error:
                self.fail(error)

    def _start(self, place: Place, device: str, store: str) -> None:
        mine, its = Pipe()
        ends, my_end = Pipe(duplex=False)
        # One call for each: no rank may keep another's connections open.
        started = mp.start_processes(  # type: ignore[attr-defined, no-untyped-call]
            serve, (place, device, store, its, ends), join=False, daemon=True
        )
        self._processes += started.processes
        self._commands.append(mine)
        self._alive.append(my_end)
        its.close()
        ends.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of ranks 1 and up."""
        return tuple(process.pid for process in self._processes)

    def tell(self, command: str, number: int, *rest: Any) -> None:
        """Send all ranks a command for one session."""
        for commands in self._commands:
            commands.send((command, number, *rest))

    def answers(self) -> list[Any]:
        """Wait for every rank's answer."""
        return [_answer(commands) for commands in self._commands]

    def prepare(self, case: Case, data: Data, *rest: Any) -> tuple[int, list[int]]:
        """Prepare a session on every rank; return its number and the ranks' threads."""
        while self._forgotten:
            self.tell("forget", self._forgotten.pop())
        number = next(self._numbers)
        with shared(data) as memory:
            for commands, pid in zip(self._commands, self.pids, strict=True):
                commands.send(("prepare", number, case, *rest))
                send_handle(commands, memory.fileno(), pid)
        return number, self.answers()

    def forget(self, number: int) -> None:
        """Note that a session is over; the ranks drop it at the next `prepare`."""
        # The garbage collector may call this in the middle of another command.
        self._forgotten.append(number)

    def fail(self, error: BaseException) -> NoReturn:
        """End all ranks, whatever each is doing, and raise the reason.

        Raises:
            RankLost: naming the rank, if the error follows from its end.
            MemoryError: if that rank had too little memory.
            BaseException: the error itself, if no rank ended.
        """
        if self.lost is None:
            why = self._why() if isinstance(error, FROM_RANKS) else ""
            self.stop()
            kind = MemoryError if "OutOfMemory" in why else RankLost
            self.lost = kind(why or f"ranks were stopped after {error!r}")
            if not why:
                raise error
        raise self.lost from error

    def _why(self) -> str:
        """Return which rank ended and how: a killed one first, as others fail of it."""
        wait([process.sentinel for process in self._processes], NOTICED_S)
        for process in self._processes:
            process.join(SETTLED_S)  # the first to end may not be the first seen
        codes = ((p.exitcode, rank) for rank, p in enumerate(self._processes, start=1))
        for code, rank in sorted(one for one in codes if one[0] is not None):
            if code < 0:
                return f"rank {rank} was ended by {signal.Signals(-code).name}"
            return f"rank {rank} failed: {_last_words(self._commands[rank - 1])}"
        return ""

    def stop(self) -> None:
        """Kill all ranks and wait for their end."""
        for connection in (*self._alive, *self._commands):
            connection.close()
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()


def _answer(commands: Connection) -> Any:
    answer = commands.recv()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _last_words(commands: Connection) -> str:
    """Return the error that a rank sent before it ended, past earlier answers."""
    try:
        while commands.poll():
            if isinstance(said := commands.recv(), Exception):
                return str(said)
    except (OSError, EOFError):
        pass
    return "no last words"


def shared(data: Data) -> BinaryIO:
    """Write data where every rank can map it: labels, then features.

    The memory has no name, so that nothing remains whichever process is killed.
    """
    if hasattr(os, "memfd_create"):
        file: BinaryIO = os.fdopen(os.memfd_create("softmax_core"), "w+b")
    else:
        file = cast(BinaryIO, tempfile.TemporaryFile())
    for tensor in (data.y, data.X):
        file.write(tensor.cpu().contiguous().numpy().data)
    file.flush()
    return file


def device_of(rank: int, device: torch.device) -> torch.device:
    """Return a rank's device: all share the CPU, but each has its own accelerator."""
    if device.type == "cpu":
        return device
    return torch.device(device.type, (device.index or 0) + rank)


_crews: dict[tuple[int, torch.device], Ranks] = {}


def crew_of(ranks: int, device: torch.device) -> Ranks:
    """Return this process' ranks on a device; lost ones are started anew."""
    key = ranks, device_of(0, device)
    if key not in _crews or _crews[key].lost:
        _crews[key] = Ranks(*key)
    return _crews[key]

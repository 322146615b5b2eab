"""What rank 1 and those after it run: commands in by a pipe, training side by side.

Started by `_ranks.Ranks`, which lives in the process of rank 0. A rank ends as soon as
that process does, whatever it is doing, and at its own first error.
"""

import hashlib
import mmap
import os
import signal
import threading
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.device import use_threads
from softmax_core.precision import pin_products
from softmax_core.trainers.ranks.share import Add, Place, ShareSession

PATIENCE = timedelta(seconds=60)
"""How long a rank waits for the others, who may have stopped without ending."""
LOOPBACK = "127.0.0.1"


def serve(
    _: int,
    place: Place,
    device: str,
    store: str,
    commands: Connection,
    alive: Connection,
) -> None:
    """Be a rank until the process of rank 0 ends, or this one fails.

    Args:
        place: which rank of how many.
        device: this rank's.
        store: path of the file by which the ranks find each other.
        commands: from rank 0, and answers to it.
        alive: nothing ever comes; its end is that of rank 0's process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 decides
    pin_products()
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    try:
        commands.send("ready")
        rank = Rank(place, torch.device(device), join(place, device, store), commands)
        commands.send("joined")
        while True:
            rank.do(*commands.recv())
    except BaseException as error:
        first = f"{type(error).__name__}: {error}".splitlines()[0]
        try:
            commands.send(RuntimeError(first))
        except OSError:
            pass
        os._exit(1)


def _end_with(alive: Connection) -> None:
    try:
        alive.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def join(place: Place, device: str, store: str) -> Add:
    """Meet the other ranks, and return the sum over all of them.

    gloo on the CPU, nccl on CUDA; nothing but loopback is listened on. The group is not
    torch's default one: a process may have that for something else, or several crews.
    """
    group: Any  # the classes differ, and their stubs lack what sets a device
    gloo: Any = dist.ProcessGroupGloo
    file = dist.FileStore(store, place.ranks)  # type: ignore[attr-defined]
    if torch.device(device).type == "cpu":
        options = gloo._Options()
        options._devices = [gloo.create_device(hostname=LOOPBACK)]
        options._timeout = PATIENCE
        group = gloo(file, place.rank, place.ranks, options)
    else:
        os.environ.setdefault("NCCL_SOCKET_IFNAME", "lo")
        torch.accelerator.set_device_index(device)
        nccl: Any = dist.ProcessGroupNCCL
        options = nccl.Options()
        options._timeout = PATIENCE
        group = nccl(file, place.rank, place.ranks, options)

    def add(flat: Tensor) -> None:
        group.allreduce([flat]).wait()

    add(torch.zeros(1, device=device))  # connects what connects at first use
    return add


class Rank:
    """The sessions of one rank, by number."""

    def __init__(
        self, place: Place, device: torch.device, add: Add, commands: Connection
    ) -> None:
        self._place, self._device, self._add = place, device, add
        self._commands = commands
        self._sessions: dict[int, ShareSession] = {}

    def do(self, command: str, number: int, *rest: Any) -> None:
        """Do one command; `prepare` and `digest` are answered."""
        match command:
            case "prepare":
                self._sessions[number] = self._prepare(*rest)
                self._commands.send(torch.get_num_threads())
            case "train":
                self._sessions[number].train(*rest)
            case "reset":
                self._sessions[number].reset()
            case "digest":
                self._commands.send(digest(*self._sessions[number].weights()))
            case "forget":
                del self._sessions[number]

    def _prepare(self, case: Case, threads: int, drawn_on: str | None) -> ShareSession:
        data = received(self._commands, case)
        use_threads(threads)
        return ShareSession(
            case, data, self._device, None, drawn_on, self._place, self._add
        )


def digest(W: Tensor, b: Tensor) -> bytes:
    """Return a hash of weights on the CPU."""
    whole = torch.cat([W.reshape(-1), b]).numpy()
    return hashlib.sha256(whole.tobytes()).digest()


def received(commands: Connection, case: Case) -> Data:
    """Map the data that `_ranks.shared` wrote: memory that all ranks have in common."""
    handle = recv_handle(commands)
    try:
        memory = mmap.mmap(handle, case.data_bytes)
    finally:
        os.close(handle)
    values = case.samples * case.features
    y = torch.frombuffer(memory, dtype=torch.long, count=case.samples)
    dtype = getattr(torch, case.dtype)
    X = torch.frombuffer(memory, dtype=dtype, count=values, offset=y.nbytes)
    return Data(X.reshape(case.samples, case.features), y)

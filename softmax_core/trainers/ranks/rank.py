"""The process of ranks 1 and up: it obeys commands that come in by a pipe.

`ranks.Ranks`, in the process of rank 0, starts it. It ends as soon as that process
does, whatever it is doing, and at its own first error.
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
from softmax_core.device import pin_products
from softmax_core.trainers.ranks.share import Add, Place, ShareSession
from softmax_core.training import Setup

PATIENCE = timedelta(seconds=60)
"""How long a rank waits for the others, which may hang without ending."""
LOOPBACK = "127.0.0.1"
"""The only address on which ranks listen."""


def serve(
    _: int,
    place: Place,
    device: str,
    store: str,
    commands: Connection,
    alive: Connection,
) -> None:
    """Act as a rank until the process of rank 0 ends, or this one fails.

    Args:
        place: this rank's number, and how many there are.
        device: this rank's device.
        store: path of the file by which the ranks find each other.
        commands: brings commands from rank 0 and takes the answers.
        alive: brings nothing; it closes when the process of rank 0 ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 reacts to an interrupt
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
    """Connect to the other ranks, and return the function that sums over all of them.

    It uses gloo on the CPU and nccl on CUDA, and listens on loopback only. The group is
    not torch's default one, which a process may use for something else; and a process
    may have several crews of ranks.
    """
    group: Any  # the classes differ, and torch's stubs lack what sets a device
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

    add(torch.zeros(1, device=device))  # gloo and nccl connect at first use
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
        setup = Setup(self._device, threads, drawn_on)
        return ShareSession(case, data, setup, self._place, self._add)


def digest(W: Tensor, b: Tensor) -> bytes:
    """Return a hash of weights on the CPU."""
    whole = torch.cat([W.reshape(-1), b]).numpy()
    return hashlib.sha256(whole.tobytes()).digest()


def received(commands: Connection, case: Case) -> Data:
    """Map the data that `ranks.shared` wrote into memory common to all ranks."""
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

"""Train on data larger than the device's memory: copy a chunk while one is used."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from softmax_core.data import BatchOrder, Data, batches, initial_weights
from softmax_core.training import Session, Trainer

CHUNK_BYTES = 8 << 20
"""Size of a chunk: the whole batches that fit into it, at least one."""
BUFFERS = 2
"""Number of chunks on the device: one is copied while another is trained on."""


class InTurn:
    """Stands for stream and event on a device with one queue: all work is in order.

    Its methods are those of `torch.Stream` and `torch.Event`, and do nothing.
    """

    def wait_event(self, event: object) -> None:
        """Do nothing: the work before the event is done first anyway."""

    def record(self, stream: object) -> None:
        """Do nothing."""

    def synchronize(self) -> None:
        """Do nothing."""

    def __enter__(self) -> None:
        """Change nothing: there is no other stream."""

    def __exit__(self, *error: object) -> None:
        """Change nothing."""


@dataclass(frozen=True)
class Queues:
    """The stream that copies, the one that computes at the moment, and new events.

    `apart` is false if both are one queue; then every copy is waited for at once.
    """

    copying: Any
    computing: Callable[[], Any]
    new_event: Callable[[], Any]
    apart: bool


def open_queues(device: torch.device) -> Queues:
    """Open a copy stream beside the device's own, if it can have a second one."""
    if device.type != "cpu":
        try:
            copying = torch.Stream(device)
            torch.Event(device).record(copying)
        except RuntimeError:  # this kind of device has only one stream
            pass
        else:
            return Queues(
                copying,
                lambda: torch.accelerator.current_stream(device),
                lambda: torch.Event(device),
                apart=True,
            )
    turn = InTurn()
    return Queues(turn, lambda: turn, lambda: turn, apart=False)


def can_pin(device: torch.device) -> bool:
    """Tell whether host memory can be pinned, for the device to read it directly."""
    if device.type == "cpu":
        return False
    try:
        return torch.empty(1, pin_memory=True).is_pinned()
    except RuntimeError:
        return False


class Buffer:
    """Some rows in host memory, and their copy on the device.

    `copied` is recorded after the rows on the host were read, `used` after those on the
    device were. On the CPU both are the same memory, which is copied to itself.
    """

    def __init__(
        self, rows: int, data: Data, device: torch.device, queues: Queues, pinned: bool
    ) -> None:
        def staging(like: Tensor) -> Tensor:
            shape = rows, *like.shape[1:]
            return torch.empty(shape, dtype=like.dtype, pin_memory=pinned)

        self.host = Data(staging(data.X), staging(data.y))
        self.moved = (
            Data(*(torch.empty_like(t, device=device) for t in _both(self.host)))
            if queues.apart
            else self.host.to(device)
        )
        self.copied, self.used = queues.new_event(), queues.new_event()
        # Queued work may still read a former tensor that had the same memory.
        self.used.record(queues.computing())
        self.copied.record(queues.copying)


def _both(data: Data) -> tuple[Tensor, Tensor]:
    return data.X, data.y


class StreamedSession(Session):
    """Has on the device the weights, the velocity, and `BUFFERS` chunks of the data.

    Epochs are always shuffled on the host.
    """

    def build(self, data: Data) -> None:
        """Make the weights and the buffers; the data stay in host memory."""
        case, self.data = self.case, data.to("cpu")
        self.order = BatchOrder(case, torch.device("cpu"), "cpu")
        self._initial = tuple(t.to(self.device) for t in initial_weights(case))
        self.W, self.b = map(torch.empty_like, self._initial)
        self._velocity = tuple(map(torch.empty_like, self._initial))
        batch = min(case.batch_size, case.samples)
        self._ones = self.W.new_ones(batch)
        batch_bytes = batch * self.data.nbytes // case.samples
        self.chunk = min(case.samples, batch * max(1, CHUNK_BYTES // batch_bytes))
        self.queues, pinned = open_queues(self.device), can_pin(self.device)
        self.buffers = [
            Buffer(self.chunk, self.data, self.device, self.queues, pinned)
            for _ in range(BUFFERS)
        ]
        self._next = itertools.cycle(self.buffers)
        self.notes = (
            f"chunks of {self.chunk} rows, {BUFFERS} buffers, "
            f"{'pinned' if pinned else 'not pinned'}, "
            f"{'a copy stream' if self.queues.apart else 'no copy stream'}"
        )

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self.W.copy_(self._initial[0])
        self.b.copy_(self._initial[1])
        for velocity in self._velocity:
            velocity.zero_()
        self.order.restart()

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        return self.W.cpu().clone(), self.b.cpu().clone()

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done.

        The host gathers one chunk while the device copies and computes earlier ones. It
        waits when it is more than 2 x `BUFFERS` chunks ahead of the steps.
        """
        for _ in range(epochs):
            for rows in torch.split(self.order.next_epoch(), self.chunk):
                buffer = next(self._next)
                self.fill(buffer, rows)
                self.use(buffer, len(rows))

    def fill(self, buffer: Buffer, rows: Tensor) -> None:
        """Gather the data's rows (n,) in host memory and copy them to the device."""
        buffer.copied.synchronize()
        for source, target in zip(_both(self.data), _both(buffer.host), strict=True):
            torch.index_select(source, 0, rows, out=target[: len(rows)])
        copying = self.queues.copying
        copying.wait_event(buffer.used)
        with copying:
            self.copy(buffer, len(rows))
        buffer.copied.record(copying)

    def copy(self, buffer: Buffer, count: int) -> None:
        """Copy the first `count` rows of a buffer to the device."""
        for source, target in zip(_both(buffer.host), _both(buffer.moved), strict=True):
            target[:count].copy_(source[:count], non_blocking=self.queues.apart)

    def use(self, buffer: Buffer, count: int) -> None:
        """Train on the first `count` rows of a buffer, batch after batch."""
        computing = self.queues.computing()
        computing.wait_event(buffer.copied)
        moved, size = buffer.moved, self.case.batch_size
        for X, y in batches(moved.X[:count], moved.y[:count], size):
            self.step(X, y)
        buffer.used.record(computing)

    def step(self, X: Tensor, y: Tensor) -> None:
        """Take one SGD step on a batch; the gradient is X' (P - Y) / n.

        This takes five launches, or seven with momentum; autograd and torch.optim.SGD
        would take several times as many.
        """
        error = torch.softmax(torch.addmm(self.b, X, self.W), dim=1)
        error.scatter_(1, y.reshape(-1, 1), -1.0, reduce="add")
        rate, momentum = self.case.learning_rate, self.case.momentum
        ones, share = self._ones[: len(X)], 1 / len(X)
        if momentum:
            W, b = self._velocity
            W.addmm_(X.T, error, beta=momentum, alpha=share)
            b.addmv_(error.T, ones, beta=momentum, alpha=share)
            self.W.add_(W, alpha=-rate)
            self.b.add_(b, alpha=-rate)
        else:
            self.W.addmm_(X.T, error, alpha=-rate * share)
            self.b.addmv_(error.T, ones, alpha=-rate * share)


class StreamedTrainer(Trainer):
    """Keeps the data in host memory; shuffles chunks there and copies them."""

    streams = True
    session = StreamedSession

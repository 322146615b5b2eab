"""What a trainer is, how to get one by name, and one call that trains a case.

Workers, checks and users of the library start here.
"""

from importlib import import_module
from typing import Protocol

import torch
from torch import Tensor

from softmax_core import functional
from softmax_core.case import Case
from softmax_core.data import Data, make_data
from softmax_core.device import require_same_device
from softmax_core.registry import FOLDER, TRAINERS, entry


class RankLost(RuntimeError):  # noqa: N818
    """A rank died or failed: its session cannot go on, and all ranks are ended."""


class Session(Protocol):
    """One case, prepared on one device.

    `notes` tells in a few words what the trainer chose, such as a number of threads. A
    session may also have `prove`, which raises a RuntimeError unless it trained in the
    way that the trainer is named for.
    """

    notes: str

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""

    def synchronize(self) -> None:
        """Wait until the device is done."""

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""


class Trainer(Protocol):
    """One implementation of the same arithmetic.

    `streams` is true if the trainer keeps the data in host memory and moves them while
    it trains, so that a transfer beforehand would be paid twice.
    """

    streams: bool

    def unavailable(self, device: torch.device) -> str | None:
        """Return what is missing here for this trainer on a usable device, or None."""

    def prepare(
        self,
        case: Case,
        data: Data,
        device: torch.device | str = "cpu",
        threads: int | None = None,
        drawn_on: torch.device | str | None = None,
    ) -> Session:
        """Move the data to the device, build the model, and reset it.

        Args:
            case: what to train.
            data: from `make_data`, on the CPU or already on `device`.
            device: any torch device.
            threads: CPU threads for torch; None leaves them as they are.
            drawn_on: where epochs are shuffled; None means on `device`; "cpu" gives
                the order of the reference, for verifying equal work.
        """


def get_trainer(name: str, ranks: int = 1) -> Trainer:
    """Return the trainer called `name`, spread over `ranks` processes.

    Raises:
        ValueError: for an unknown name, or for ranks with a trainer that takes none;
            the message lists the names that are allowed.
    """
    known = entry(name)
    module, _, attribute = known.where.partition(":")
    if ranks > 1 and not known.is_ranked:
        ranked = ", ".join(n for n, other in TRAINERS.items() if other.is_ranked)
        raise ValueError(f"trainer = {name!r}: ranks are for {ranked} only")
    options = {"ranks": ranks} if ranks > 1 else {}
    trainer: Trainer = getattr(import_module(FOLDER + module), attribute)(**options)
    return trainer


def cannot_train(name: str, device: torch.device, ranks: int = 1) -> str | None:
    """Return why a trainer cannot train on a usable device, or None if it can.

    Raises:
        ValueError: for an unknown name.
    """
    only = entry(name).only_on or device.type
    if only != device.type:
        return f"trainer {name} must be on {only}"
    return get_trainer(name, ranks).unavailable(device)


def train(
    case: Case,
    trainer: str = "resident",
    device: torch.device | str = "cpu",
    drawn_on: torch.device | str | None = None,
) -> tuple[Tensor, Tensor]:
    """Train a case from its initial weights and return CPU tensors W and b."""
    session = get_trainer(trainer).prepare(
        case, make_data(case), device, drawn_on=drawn_on
    )
    session.train(case.epochs)
    session.synchronize()
    return session.weights()


def evaluate(W: Tensor, b: Tensor, data: Data) -> tuple[float, float]:
    """Return (loss, accuracy) of weights on data of the same device.

    The loss is computed in float64, so that it judges the weights, not its rounding.
    """
    require_same_device(X=data.X, y=data.y, W=W, b=b)
    logits = data.X.double() @ W.double() + b.double()
    loss = functional.cross_entropy(logits, data.y)
    return float(loss), functional.accuracy(logits, data.y)

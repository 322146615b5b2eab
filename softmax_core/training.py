"""What a trainer is, how to get one by name, and one call that trains a case.

Workers, checks and users of the library start here.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import torch
from torch import Tensor

from softmax_core import functional
from softmax_core.case import Case
from softmax_core.data import BatchOrder, Data, make_data
from softmax_core.device import (
    parse_device,
    require_same_device,
    synchronize,
    use_threads,
)
from softmax_core.registry import FOLDER, TRAINERS, entry


class RankLost(RuntimeError):  # noqa: N818
    """A rank died or failed: its session cannot go on, and all ranks are ended."""


@dataclass(frozen=True)
class Setup:
    """How a case is prepared, as `Trainer.prepare` takes it."""

    device: torch.device
    threads: int | None = None
    drawn_on: torch.device | str | None = None


class Session:
    """One case, prepared on one device; a trainer's own class builds it.

    `notes` tells in a few words what the trainer chose, such as a number of threads. A
    session may also have `prove`, which raises a RuntimeError unless it trained in the
    way that the trainer is named for.
    """

    notes = ""

    def __init__(self, case: Case, data: Data, setup: Setup, *more: Any) -> None:
        use_threads(setup.threads)
        self.case, self.setup, self.device = case, setup, setup.device
        drawn_on = setup.drawn_on or setup.device
        self.order = BatchOrder(case, setup.device, drawn_on)
        self.build(data, *more)
        self.reset()

    def build(self, data: Data, *more: Any) -> None:
        """Move the data to the device and make all that training needs.

        Args:
            data: on the CPU or already on the device.
            more: what the trainer decides, beyond the case and its set-up.
        """
        raise NotImplementedError

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        raise NotImplementedError

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait until the device is done."""
        synchronize(self.device)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        raise NotImplementedError


class Trainer:
    """One implementation of the same arithmetic.

    `streams` is true if the trainer keeps the data in host memory and moves them while
    it trains, so that a transfer beforehand would be paid twice. `only_on` is the kind
    of device that it is written for, empty for any.
    """

    name = ""
    streams = False
    only_on = ""
    session: ClassVar[type[Session]]
    """The class of its sessions."""

    def unavailable(self, device: torch.device) -> str | None:
        """Return what is missing here for this trainer on a usable device, or None."""
        return None

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

        Raises:
            ValueError: for another kind of device than the trainer is written for.
        """
        where = parse_device(device)
        if self.only_on not in ("", where.type):
            raise ValueError(
                f"device = {str(device)!r}: trainer {self.name} must be on "
                f"{self.only_on}"
            )
        return self.start(case, data, Setup(where, threads, drawn_on))

    def start(self, case: Case, data: Data, setup: Setup) -> Session:
        """Return a session of a case."""
        return self.session(case, data, setup)


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

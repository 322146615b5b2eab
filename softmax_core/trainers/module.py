"""Base classes of the trainers: on any device, and with nn.Linear and SGD."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from softmax_core.case import Case
from softmax_core.data import BatchOrder, Data, initial_weights
from softmax_core.device import parse_device, synchronize, use_threads
from softmax_core.model import SoftmaxRegression

if TYPE_CHECKING:
    from softmax_core.training import Session


class AnyDevice:
    """A trainer that needs nothing but torch and has its data on the device.

    `session` is the class of its sessions; it takes the arguments of `prepare`.
    """

    streams = False
    session: ClassVar[Callable[..., "Session"]]

    def prepare(
        self,
        case: Case,
        data: Data,
        device: torch.device | str = "cpu",
        threads: int | None = None,
        drawn_on: torch.device | str | None = None,
    ) -> "Session":
        """See `Trainer.prepare`."""
        return type(self).session(case, data, device, threads, drawn_on)

    def unavailable(self, device: torch.device) -> str | None:
        """Return None: nothing is missing. See `Trainer.unavailable`."""
        return None


class OnDevice:
    """The base of sessions on any device, which `build` themselves, then `reset`."""

    notes = ""

    def __init__(
        self,
        case: Case,
        data: Data,
        device: torch.device | str,
        threads: int | None,
        drawn_on: torch.device | str | None,
    ) -> None:
        use_threads(threads)
        self.case = case
        self.device = parse_device(device)
        self.order = BatchOrder(case, self.device, drawn_on or self.device)
        self.build(data)
        self.reset()

    def build(self, data: Data) -> None:
        """Move the data to the device and make all that training needs."""
        raise NotImplementedError

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait until the device is done."""
        synchronize(self.device)


class ModuleSession(OnDevice):
    """A SoftmaxRegression, its SGD optimizer and the data, on one device."""

    def build(self, data: Data) -> None:
        """Move the data to the device and make the model and its loss."""
        case = self.case
        self.data = data.to(self.device)
        dtype = getattr(torch, case.dtype)
        self.model = SoftmaxRegression(case.features, case.classes, dtype)
        self.model.to(self.device)
        self.criterion = nn.CrossEntropyLoss()
        self._initial = tuple(t.to(self.device) for t in initial_weights(case))

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self.model.set_weights(*self._initial)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=self.case.learning_rate,
            momentum=self.case.momentum,
        )
        self.order.restart()

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        return self.model.weights()

    def step(self, X: Tensor, y: Tensor) -> None:
        """Take one SGD step on a batch."""
        loss = self.criterion(self.model(X), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def with_ones(data: Data) -> tuple[Tensor, Tensor]:
    """Return the features with a column of ones, and the class numbers (n, 1)."""
    X = torch.cat([data.X, torch.ones_like(data.X[:, :1])], dim=1)
    return X, data.y.reshape(-1, 1)

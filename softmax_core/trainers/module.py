"""The base of sessions with nn.Linear and SGD, and data with a column of ones."""

from typing import Any

import torch
from torch import Tensor, nn

from softmax_core.data import Data, initial_weights
from softmax_core.model import SoftmaxRegression
from softmax_core.training import Session


class ModuleSession(Session):
    """A SoftmaxRegression, its SGD optimizer and the data, on one device."""

    def build(self, data: Data, *more: Any) -> None:
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

"""The base of `compiled` and `graphed`: no autograd, tensors that stay in place."""

from typing import Any

import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data, initial_weights
from softmax_core.trainers.module import with_ones
from softmax_core.training import Session


class ClosedFormSession(Session):
    """Data with a column of ones, weights w (classes, features + 1), their velocity.

    The weights have the layout of nn.Linear: with 784 features, MKL multiplies that way
    2 to 10 times as fast. None of these tensors is ever replaced, because compiled code
    and captured graphs hold their addresses.
    """

    def build(self, data: Data, *more: Any) -> None:
        """Move the data to the device, append the ones, and make the weights."""
        self.X, self.y = with_ones(data.to(self.device))
        W, b = initial_weights(self.case)
        self._initial = torch.cat([W, b.reshape(1, -1)]).T.contiguous().to(self.device)
        self.w = self._initial.clone()
        self.velocity = torch.zeros_like(self._initial)

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self.w.copy_(self._initial)
        self.velocity.zero_()
        self.order.restart()

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        w = self.w.cpu().T.clone(memory_format=torch.contiguous_format)
        return w[:-1], w[-1]


def batch_sizes(case: Case) -> tuple[int, int, int]:
    """Return a full batch's size, the number of full ones, and the short one's size.

    The last is 0 if the batches divide the samples.
    """
    size = min(case.batch_size, case.samples)
    return size, case.samples // size, case.samples % size


def step_in_place(
    X: Tensor, y: Tensor, w: Tensor, velocity: Tensor, case: Case
) -> None:
    """Take one SGD step in four launches, five with momentum.

    The gradient of the mean cross-entropy is (P - Y)' X / n, as in
    `softmax_core.reference`; the velocity is defined as in torch.optim.SGD.

    Args:
        X: (n, features + 1), the last column ones.
        y: (n, 1) long.
        w: (classes, features + 1); changed.
        velocity: like w; changed if the case has momentum.
        case: gives the learning rate and the momentum.
    """
    error = torch.softmax(X @ w.T, dim=1)
    error.scatter_(1, y, -1.0, reduce="add")
    if case.momentum:
        velocity.addmm_(error.T, X, beta=case.momentum, alpha=1 / len(X))
        w.add_(velocity, alpha=-case.learning_rate)
    else:
        w.addmm_(error.T, X, alpha=-case.learning_rate / len(X))

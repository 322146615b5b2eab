"""The lesson's hand-written loop: a bias column, shuffled index lists, own SGD."""

import torch
from torch import Tensor

from softmax_core import functional
from softmax_core.data import Data, initial_weights
from softmax_core.trainers.module import with_ones
from softmax_core.training import Session, Trainer


class ManualSession(Session):
    """Has weights w (features + 1, classes); the last row multiplies the ones."""

    def build(self, data: Data) -> None:
        """Move the data to the device and append the column of ones."""
        self.X, self.y = with_ones(data.to(self.device))
        W, b = initial_weights(self.case)
        self._initial = torch.cat([W, b.reshape(1, -1)]).to(self.device)

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self.w = self._initial.clone().requires_grad_()
        self.velocity = torch.zeros_like(self._initial)
        self.order.restart()

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        case = self.case
        for _ in range(epochs):
            order = self.order.next_epoch().tolist()
            for start in range(0, case.samples, case.batch_size):
                rows = torch.tensor(
                    order[start : start + case.batch_size], device=self.device
                )
                X = torch.index_select(self.X, 0, rows)
                y = torch.index_select(self.y, 0, rows)
                functional.cross_entropy(X @ self.w, y).backward()  # type: ignore[no-untyped-call]
                functional.sgd_step(
                    [self.w], case.learning_rate, case.momentum, [self.velocity]
                )

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        w = self.w.detach().cpu().clone()
        return w[:-1], w[-1]


class ManualTrainer(Trainer):
    """data_iter, cross-entropy and sgd as the lesson writes them, kept stable."""

    session = ManualSession

"""One rank's part of a training: its share of every batch, and one sum a step.

Every rank has its own copy of the weights, of the optimizer and of the epochs' order.
It computes the gradient of its rows; `add` turns that into the gradient of the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from softmax_core.case import Case
from softmax_core.data import Data, batches
from softmax_core.trainers.closed_form import batch_sizes
from softmax_core.trainers.module import ModuleSession

Add = Callable[[Tensor], object]
"""Replaces a tensor by its sum over the ranks; every rank must call it."""


@dataclass(frozen=True)
class Place:
    """Rank `rank`, from 0, of `ranks`."""

    rank: int
    ranks: int

    def rows(self, start: int, stop: int) -> range:
        """Return this rank's rows of a batch; the first ranks have one more."""
        size, left = divmod(stop - start, self.ranks)
        first = start + self.rank * size + min(self.rank, left)
        return range(first, first + size + (self.rank < left))


class ShareSession(ModuleSession):
    """The step of `resident` on the rank's rows, and one `add` of the flat gradient.

    The loss is the sum over the rank's rows divided by all rows of the batch, so that
    the sum over the ranks is the mean over the batch, however uneven the shares are.
    The rank copies only its own rows of the data, gathered once an epoch.
    """

    def build(self, data: Data, place: Place, add: Add) -> None:
        """Build the model, and the batches of the rank's rows."""
        super().build(data)
        case, self._place, self._add = self.case, place, add
        self.criterion = nn.CrossEntropyLoss(reduction="sum")
        size, full, short = batch_sizes(case)
        sizes = [size] * full + [short] * (short > 0)
        counts = [len(place.rows(0, n)) for n in (size, short)]
        counts = counts[:1] * full + counts[1:] * (short > 0)
        self._rows = _positions(case, place).to(self.device)
        X = self.data.X.new_empty(len(self._rows), case.features)
        y = self.data.y.new_empty(len(self._rows))
        self._shuffled = X, y
        weights = {n: self.data.X.new_tensor(1 / n) for n in set(sizes)}
        self._batches = [
            (*mine, weights[n])
            for mine, n in zip(batches(X, y, counts), sizes, strict=True)
        ]

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        super().reset()
        self._parameters = list(self.model.parameters())
        counts = [p.numel() for p in self._parameters]
        self._flat = self._parameters[0].new_zeros(sum(counts))
        parts = torch.split(self._flat, counts)
        for parameter, part in zip(self._parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        for _ in range(epochs):
            order = self.order.next_epoch()
            if self._place.ranks > 1:
                order = torch.index_select(order, 0, self._rows)
            torch.index_select(self.data.X, 0, order, out=self._shuffled[0])
            torch.index_select(self.data.y, 0, order, out=self._shuffled[1])
            for X, y, weight in self._batches:
                self.share(X, y, weight)

    def share(self, X: Tensor, y: Tensor, weight: Tensor) -> None:
        """Take the rank's part of one SGD step.

        Args:
            X: (n, features), the rank's rows; n may be 0.
            y: (n,) long.
            weight: scalar, 1 / number of rows in the whole batch.
        """
        if len(X):
            loss = self.criterion(self.model(X), y)
            gradients = torch.autograd.grad(loss, self._parameters, weight)
            torch.cat([g.reshape(-1) for g in gradients], out=self._flat)
        else:
            self._flat.zero_()
        self._add(self._flat)
        self.optimizer.step()


def _positions(case: Case, place: Place) -> Tensor:
    """Return, as longs, which positions of an epoch's order are a rank's rows."""
    size, full, short = batch_sizes(case)
    each, last = place.rows(0, size), place.rows(0, short)
    starts = torch.arange(full).mul_(size).reshape(-1, 1)
    rows = (starts + torch.arange(each.start, each.stop)).reshape(-1)
    end = full * size + torch.arange(last.start, last.stop)
    return torch.cat([rows, end])

"""Eager torch at its plainest: tensors stay on the device, batches are slices."""

import torch

from softmax_core.data import Data, batches
from softmax_core.trainers.module import ModuleSession
from softmax_core.training import Trainer


class ResidentSession(ModuleSession):
    """Trains on a shuffled copy, allocated once, which doubles the data's memory."""

    def build(self, data: Data) -> None:
        """Build the model, and the batches as views of the shuffled copy."""
        super().build(data)
        X, y = torch.empty_like(self.data.X), torch.empty_like(self.data.y)
        self._shuffled = X, y
        self._batches = batches(X, y, self.case.batch_size)

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        for _ in range(epochs):
            order = self.order.next_epoch()
            torch.index_select(self.data.X, 0, order, out=self._shuffled[0])
            torch.index_select(self.data.y, 0, order, out=self._shuffled[1])
            for X, y in self._batches:
                self.step(X, y)


class ResidentTrainer(Trainer):
    """Gathers once an epoch and steps on views of that: no Python or copy per row."""

    session = ResidentSession

"""Eager torch at its plainest: tensors stay on the device, batches are slices."""

import torch

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.trainers.module import AnyDevice, ModuleSession


class ResidentSession(ModuleSession):
    """Trains on a shuffled copy, allocated once, which doubles the data's memory."""

    def __init__(
        self,
        case: Case,
        data: Data,
        device: torch.device | str,
        threads: int | None,
        drawn_on: torch.device | str | None,
    ) -> None:
        super().__init__(case, data, device, threads, drawn_on)
        X, y = torch.empty_like(self.data.X), torch.empty_like(self.data.y)
        self._shuffled = X, y
        self._batches = list(
            zip(
                torch.split(X, case.batch_size),
                torch.split(y, case.batch_size),
                strict=True,
            )
        )

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        for _ in range(epochs):
            order = self.order.next_epoch()
            torch.index_select(self.data.X, 0, order, out=self._shuffled[0])
            torch.index_select(self.data.y, 0, order, out=self._shuffled[1])
            for X, y in self._batches:
                self.step(X, y)


class ResidentTrainer(AnyDevice):
    """Gathers once an epoch and steps on views of that: no Python or copy per row."""

    session = ResidentSession

"""Eager torch at its plainest: tensors stay on the device, batches are slices."""

import torch

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.trainers._module import ModuleSession


class ResidentTrainer:
    """One gather an epoch, then views of it: no Python or copy per row."""

    def prepare(
        self,
        case: Case,
        data: Data,
        device: torch.device | str = "cpu",
        threads: int | None = None,
        drawn_on: torch.device | str | None = None,
    ) -> "ResidentSession":
        """See `Trainer.prepare`."""
        return ResidentSession(case, data, device, threads, drawn_on)


class ResidentSession(ModuleSession):
    """The gathered copy doubles the data's memory for the length of an epoch."""

    def train(self, epochs: int) -> None:
        """Train on; may return before the device is done."""
        for _ in range(epochs):
            order = self.order.next_epoch()
            features = torch.split(self.data.X[order], self.case.batch_size)
            labels = torch.split(self.data.y[order], self.case.batch_size)
            for X, y in zip(features, labels, strict=True):
                self.step(X, y)

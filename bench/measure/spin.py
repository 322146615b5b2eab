"""A synthetic trainer that spends wall time by a known law, and does nothing else.

`crossover selftest` measures pairs of them, to check the whole measuring path.
"""

import dataclasses
import time

import torch
from torch import Tensor

from bench.measure.law import PREFIX, Law
from softmax_core import Data, Trainer, get_trainer, reference_weights
from softmax_core.case import Case
from softmax_core.trainers._module import AnyDevice


def find_trainer(name: str, ranks: int = 1) -> Trainer:
    """Return a trainer of `softmax_core`, or a spinning one by its law."""
    if name.startswith(PREFIX):
        return SpinTrainer(Law.parse(name))
    return get_trainer(name, ranks)


class SpinTrainer(AnyDevice):
    """Prepares sessions that spin."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def prepare(
        self,
        case: Case,
        data: Data,
        device: torch.device | str = "cpu",
        threads: int | None = None,
        drawn_on: torch.device | str | None = None,
    ) -> "SpinSession":
        """See `softmax_core.Trainer.prepare`."""
        return SpinSession(case, data, self.law.epoch_s(case))


class SpinSession:
    """Spins when it should train; its weights are the reference's own."""

    notes = ""

    def __init__(self, case: Case, data: Data, epoch_s: float) -> None:
        self._case, self._data, self._epoch_s = case, data, epoch_s
        self._trained = 0

    def reset(self) -> None:
        """See `softmax_core.Session.reset`."""
        self._trained = 0

    def train(self, epochs: int) -> None:
        """Spin."""
        self._trained += epochs
        end = time.perf_counter() + epochs * self._epoch_s
        while time.perf_counter() < end:
            pass

    def synchronize(self) -> None:
        """See `softmax_core.Session.synchronize`."""

    def weights(self) -> tuple[Tensor, Tensor]:
        """Train by the reference as many epochs as were spun, untimed."""
        case = dataclasses.replace(self._case, epochs=max(1, self._trained))
        W, b = reference_weights(case, self._data)
        dtype = getattr(torch, self._case.dtype)
        return W.to(dtype), b.to(dtype)

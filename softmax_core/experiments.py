"""The lesson's experiments as functions: a device in, accuracies and losses out.

Each seeds torch's and Python's global generators with the lesson's 420 and draws
data and first weights on the CPU, so that every device starts from the same numbers.
`seen` is called with the epochs just trained, for whoever shows progress.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from softmax_core.device import parse_device
from softmax_core.lesson import (
    data_iter,
    fit,
    m_accuracy,
    m_cross_entropy,
    sgd,
    softmax,
    softmaxR,
    tensorGenCla,
)

SEED = 420
LEARNING_RATE = 0.03
BATCH_SIZE = 10
EASY = (6.0, 2.0)
"""The dispersion of the first experiments: the classes hardly overlap."""
HARD = (6.0, 4.0)
EPOCHS = (1, 1, 1)
"""`manual` and `library` train three epochs, one after another."""
ROUNDS = 20
"""Round i trains i more epochs, i = 0 .. 19, which makes 190 in all."""

Device = torch.device | str
Seen = Callable[[int], object]


def _ignore(epochs: int) -> None:
    pass


def lesson_data(
    dispersion: tuple[float, float],
    bias: bool = False,
    device: Device = "cpu",
    per_class: int = 500,
) -> tuple[Tensor, Tensor]:
    """Seed the generators and draw three classes, then move them to the device."""
    torch.manual_seed(SEED)
    random.seed(SEED)
    features, labels = tensorGenCla(per_class, deg_dispersion=dispersion, bias=bias)
    where = parse_device(device)
    return features.to(where), labels.to(where)


class ManualJob:
    """The lesson's hand-written training: a bias column, data_iter, softmax, sgd."""

    def __init__(self, device: Device) -> None:
        self.X, self.y = lesson_data(EASY, bias=True, device=device)
        torch.manual_seed(SEED)  # the lesson seeds again before it draws w
        self.draw()

    def draw(self) -> None:
        """Draw new weights (3, 3)."""
        self.w = torch.randn(3, 3).to(self.X.device).requires_grad_()

    def fit(self, epochs: int) -> float:
        """Train on and return the accuracy."""
        for _ in range(epochs):
            for X, y in data_iter(BATCH_SIZE, self.X, self.y):
                m_cross_entropy(softmax(X, self.w), y).backward()  # type: ignore[no-untyped-call]
                sgd(self.w, LEARNING_RATE)
        return float(m_accuracy(softmax(self.X, self.w), self.y))


@dataclass
class LibraryJob:
    """The lesson's library training: nn.Linear, SGD, DataLoader over the device."""

    features: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        dataset = TensorDataset(self.features, self.labels)
        self.batches = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True)
        self.criterion = nn.CrossEntropyLoss()
        self.draw()

    def draw(self) -> None:
        """Make a new model, its weights from torch's global generator."""
        self.net = softmaxR().to(self.features.device)
        self.optimizer = torch.optim.SGD(self.net.parameters(), LEARNING_RATE)

    def fit(self, epochs: int) -> float:
        """Train on and return the accuracy."""
        fit(self.net, self.criterion, self.optimizer, self.batches, epochs)
        with torch.no_grad():
            return float(m_accuracy(self.net(self.features), self.labels))

    def loss(self) -> float:
        """Return the mean cross-entropy on all rows."""
        with torch.no_grad():
            logits = self.net(self.features)
            return float(self.criterion(logits, self.labels.flatten()))


Job = ManualJob | LibraryJob


def seeded_job(dispersion: tuple[float, float], device: Device) -> LibraryJob:
    """Return the library's job, the generator seeded again before the weights."""
    features, labels = lesson_data(dispersion, device=device)
    torch.manual_seed(SEED)
    return LibraryJob(features, labels)


ROUNDS_OF: dict[str, Callable[[Device], Job]] = {
    "convergence": ManualJob,
    "library-convergence": partial(seeded_job, EASY),
    "hard": partial(seeded_job, HARD),
}
"""The experiments of rounds, by what they train."""
STARTS_OF: dict[str, Callable[[Device], Job]] = {
    "inits": ManualJob,
    "hard-inits": partial(seeded_job, HARD),
}
"""The experiments of several random starts, by what they train."""


def manual(device: Device = "cpu", seen: Seen = _ignore) -> list[float]:
    """Return the accuracy after each epoch of the hand-written training."""
    return list(_accuracies(ManualJob(device), EPOCHS, seen))


def library(device: Device = "cpu", seen: Seen = _ignore) -> tuple[float, float]:
    """Return (loss, accuracy) after training with the library.

    The model's weights go on from the draws of the data: no second seeding here.
    """
    job = LibraryJob(*lesson_data(EASY, device=device))
    *_, reached = _accuracies(job, EPOCHS, seen)
    return job.loss(), reached


def rounds(
    name: str, device: Device = "cpu", count: int = ROUNDS, seen: Seen = _ignore
) -> list[float]:
    """Return the accuracy after each round of one of `ROUNDS_OF`."""
    return list(_accuracies(ROUNDS_OF[name](device), range(count), seen))


def starts(
    name: str,
    device: Device = "cpu",
    models: int = 10,
    epochs: int = 10,
    seen: Seen = _ignore,
) -> list[list[float]]:
    """Return the accuracy after each epoch from random starts of one of `STARTS_OF`."""
    job, curves = STARTS_OF[name](device), []
    for _ in range(models):
        curves.append(list(_accuracies(job, [1] * epochs, seen)))
        job.draw()
    return curves


def _accuracies(job: Job, schedule: Iterable[int], seen: Seen) -> Iterator[float]:
    """Train by a schedule of epochs; yield the accuracy after each entry."""
    for epochs in schedule:
        yield job.fit(epochs)
        seen(epochs)

"""Count how much work a trainer gives a device: launches, bytes and operations.

They are counted below autograd on the CPU, on cases of a few batches: no accelerator is
needed. `crossover predict` uses the counts.
"""

import dataclasses

import numpy as np

from softmax_core.case import Case
from softmax_core.data import make_data
from softmax_core.launches import count_launches, counted
from softmax_core.registry import entry
from softmax_core.training import get_trainer

SIZES = ((3, 1), (8, 1), (3, 2))
"""Steps, and size of a batch in smallest batches, of the epochs that are counted."""


@dataclasses.dataclass(frozen=True)
class Count:
    """The count of one epoch: per_epoch + steps x per_step + samples x per_row."""

    per_epoch: float
    per_step: float
    per_row: float

    def of(self, case: Case) -> float:
        """Return the count of one epoch of a case."""
        rows = case.samples * self.per_row
        return self.per_epoch + case.steps_per_epoch * self.per_step + rows


@dataclasses.dataclass(frozen=True)
class Work:
    """The work of one trainer on data of one shape, as `Counter` counts it."""

    launches: Count
    bytes: Count
    operations: Count

    def of(self, case: Case) -> tuple[float, float, float]:
        """Return the launches, bytes and operations of one epoch of a case."""
        return self.launches.of(case), self.bytes.of(case), self.operations.of(case)


def count_work(trainer: str, case: Case) -> Work:
    """Count the work that a trainer gives a device for data of the case's shape.

    Args:
        trainer: a name from the registry.
        case: its features, classes, dtype and momentum matter.

    Raises:
        ValueError: for a trainer whose launches cannot be counted here.
    """
    if not entry(trainer).is_work_counted:
        reason = count_launches(trainer, case).reason
        reason = reason or "its kernels cannot be counted on a CPU"
        raise ValueError(f"trainer = {trainer!r}: {reason}")
    batch = max(16, case.classes)
    terms, counts = [], []
    for steps, batches in SIZES:
        size = batches * batch
        small = dataclasses.replace(case, samples=steps * size, batch_size=size)
        counter = counted(get_trainer(trainer).prepare(small, make_data(small)))
        terms.append((1, steps, small.samples))
        counts.append((counter.launches, counter.bytes, counter.operations))
    found = np.linalg.solve(np.array(terms, float), np.array(counts, float))
    return Work(*(Count(*map(float, column)) for column in found.T.round(6)))

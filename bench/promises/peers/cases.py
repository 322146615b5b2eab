"""The cases that are compared, and the ratio promised for each; loads no peer."""

from dataclasses import dataclass

from softmax_core.case import Case

WIDE_SAMPLES = 6_000
EPOCHS = 3
"""Epochs of a case; peers that step otherwise must reach the loss `fused` then has."""


@dataclass(frozen=True)
class Promise:
    """A case, and the promise: JAX takes at least `least` times as long as `fused`."""

    case: Case
    least: float

    @property
    def label(self) -> str:
        """Name the case, in tables and on the plot."""
        case = self.case
        wide = f", {case.features} features" if case.features > 2 else ""
        return f"{case.samples:,} samples, batch {case.batch_size:,}{wide}"


def narrow(samples: int, batch_size: int) -> Case:
    """Return a case of the lesson: 2 features, 3 classes."""
    return Case(samples, batch_size=batch_size, epochs=EPOCHS)


def wide(batch_size: int) -> Case:
    """Return a case with 784 features, 10 classes."""
    return Case(
        WIDE_SAMPLES,
        features=784,
        classes=10,
        batch_size=batch_size,
        epochs=EPOCHS,
        learning_rate=0.001,
        dispersion=(0.1, 2.0),
    )


PROMISES = (
    Promise(narrow(15_000, 5), 10),
    Promise(narrow(1_500, 10), 10),
    Promise(narrow(15_000, 100), 5),
    Promise(narrow(15_000, 1_000), 5),
    Promise(narrow(300_000, 60_000), 1),
    Promise(wide(10), 1),
    Promise(wide(100), 1),
    Promise(wide(1_000), 1),
)

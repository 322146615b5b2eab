"""One training job, a `Case`: every trainer and the engine take it; no torch here."""

import math
from dataclasses import dataclass

DTYPES = ("float32", "float64")
LEAST = dict.fromkeys(("samples", "features", "batch_size", "epochs"), 1) | {
    "classes": 2,
    "seed": 0,
}
"""The least that each whole number of a case may be."""


@dataclass(frozen=True)
class Case:
    """One training job: softmax regression on Gaussian classes, by plain SGD.

    Example: `Case(samples=1500, features=2, classes=3, batch_size=10, epochs=3)`.
    A batch larger than the data holds all of the data, as with a DataLoader.

    Raises:
        ValueError: naming the field, its value and what is allowed.
    """

    samples: int = 1500
    features: int = 2
    classes: int = 3
    batch_size: int = 10
    epochs: int = 3
    learning_rate: float = 0.03
    momentum: float = 0.0
    dispersion: tuple[float, float] = (6.0, 2.0)
    """Distance between neighbouring class means, and standard deviation in a class."""
    dtype: str = "float32"
    seed: int = 420

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} = {value!r}: must be an integer >= {least}")
        if not 0.0 < self.learning_rate < math.inf:
            rate = self.learning_rate
            raise ValueError(
                f"learning_rate = {rate!r}: must be a number in (0.0, inf)"
            )
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(f"momentum = {self.momentum!r}: must be in [0, 1)")
        mean, std = self.dispersion
        if not (math.isfinite(mean) and math.isfinite(std) and std > 0):
            raise ValueError(
                f"dispersion = {self.dispersion!r}: must be two finite numbers "
                "(mean distance, standard deviation > 0)"
            )
        if self.dtype not in DTYPES:
            allowed = " or ".join(DTYPES)
            raise ValueError(f"dtype = {self.dtype!r}: must be {allowed}")
        if self.samples < self.classes:
            raise ValueError(
                f"samples = {self.samples}: must be at least classes = {self.classes}"
            )

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in one epoch, including that on a short last batch."""
        return math.ceil(self.samples / self.batch_size)

    @property
    def data_bytes(self) -> int:
        """Bytes of the data: the features, and a class number of 8 bytes a sample."""
        width = 8 if self.dtype == "float64" else 4
        return self.samples * (self.features * width + 8)


def stable_learning_rate(
    features: int = 2, classes: int = 3, dispersion: tuple[float, float] = (6.0, 2.0)
) -> float:
    """Return a learning rate, to one digit, at which full-batch training is stable.

    Gradient descent is stable below 2 / L, where L is the largest curvature. That of
    the mean cross-entropy is at most half the largest eigenvalue of X'X / n, here about
    features times the variance of the class means, plus the variance in a class.
    """
    mean, std = dispersion
    variance_of_means = mean**2 * (classes**2 - 1) / 12
    return float(f"{2 / (features * variance_of_means + std**2):.1g}")


SMALLEST = Case(samples=4, batch_size=2, epochs=1)
"""Training this makes a fresh process pay its one-time costs."""
EQUAL_WORK = Case(
    samples=205,
    features=7,
    classes=10,
    batch_size=32,
    momentum=0.9,
    dispersion=(1.0, 2.0),
)
"""Short last batch, momentum, more features and classes than the lesson's; well
conditioned: rounding errors do not grow."""

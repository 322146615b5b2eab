"""Sizes for which trainer fused_cuda's kernels are tested, with and without a GPU."""

from softmax_core import Case
from softmax_core.trainers.fused_cuda.plan import LAYOUTS

MULTIPROCESSORS = 132
"""As many as an H100 or H200 has, so that a grid has its full size."""
SHAPES = [
    Case(),
    Case(batch_size=1, dtype="float64"),
    Case(samples=10**6, batch_size=10**6),
    Case(samples=6000, features=784, classes=10, batch_size=64),
    Case(samples=60_000, features=784, classes=10, batch_size=60_000),
    Case(samples=600, features=1000, classes=100, batch_size=16, dtype="float64"),
    Case(samples=10**5, features=1000, classes=100, batch_size=10**5, dtype="float64"),
    Case(samples=10**5, features=1, classes=2, batch_size=5000),
    Case(samples=10**5, features=40, classes=100, batch_size=3),
]
LAID_OUT = [
    (Case(1503, epochs=2, momentum=0.5), LAYOUTS[0]),
    (Case(203, momentum=0.5, dtype="float64"), LAYOUTS[0]),
    (Case(1003, 784, 10, 64, 2, momentum=0.9, dispersion=(0.5, 2.0)), LAYOUTS[1]),
    (Case(115, 1000, 20, 16, 2, 1e-4, 0.9, (0.1, 2.0), "float64"), LAYOUTS[1]),
    (Case(25_003, batch_size=5000, momentum=0.5), LAYOUTS[2]),
    (Case(25_003, batch_size=5000, momentum=0.5, dtype="float64"), LAYOUTS[2]),
    (Case(4003, 784, 10, 1900, 2, 1e-3, 0.9, (0.1, 2.0)), LAYOUTS[2]),
    (Case(205, 7, 10, 32, momentum=0.9, dispersion=(1.0, 2.0)), LAYOUTS[0]),
    (Case(100_000, 2, 3, 100_000, 2, dispersion=(6.0, 4.0)), LAYOUTS[2]),
]
"""Whole jobs and the layout of each: momentum, short last batches, both dtypes."""

"""Compare trainer fused with the best that torch does on the CPU, over many shapes.

`python -m bench.promises.fused map` calls it. Each shape has four contenders: `fused`,
`resident`, torch without autograd (`Plain`), and the two matrix products of a step
alone (`Products`); with `--compiled` trainer `compiled`, too, which compiles for long.
One thread is judged by CPU time, which other programs hardly change, two by the clock.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from softmax_core import BatchOrder, Case, Data, get_trainer, initial_weights, make_data
from softmax_core.data import batches

Work = Callable[[int], object]
"""Trains so many epochs, in one call: a training begins once."""
Clock = Callable[[], float]

GRID = itertools.product((2, 64, 784), (3, 10, 100, 1_000), (1, 32, 256, 4_096))
FURTHER = (
    (1, 2, 1_000), (1, 2, 65_536), (1, 13, 1_024), (1, 1_000, 1_024), (2, 3, 65_536),
    (8, 10, 100), (11, 3, 4_096), (16, 50, 64), (23, 2, 65_536), (32, 10, 65_536),
    (256, 50, 256), (256, 50, 1_024), (256, 1_000, 128), (1_000, 100, 32),
    (1_000, 100, 256), (4_096, 2, 64), (4_096, 10, 1_024), (4_096, 100, 64),
    (4_096, 1_000, 64),
)  # fmt: skip
DOUBLE = (
    (2, 3, 100), (2, 3, 65_536), (64, 100, 256), (256, 50, 256), (784, 10, 128),
    (1_000, 100, 256), (4_096, 1_000, 64),
)  # fmt: skip
SHAPES = tuple(
    [(*shape, "float32") for shape in (*GRID, *FURTHER)]
    + [(*shape, "float64") for shape in DOUBLE]
)
"""Features, classes, batch size and dtype of each shape."""
EPOCH_WORK, MOST_STEPS, STEPS_OF_ONE = 3e7, 64, 100
"""Multiplications in an epoch, about; its most steps; and those of batches of one."""
SAMPLE_S, FEWEST, MOST, LONGEST_S = 0.02, 7, 40, 4.0
"""Seconds of a sample; fewest and most rounds; seconds after which a shape ends."""
PAUSE_S = 0.005
"""Seconds before each sample, in which the threads of a library stop spinning."""
ALIKE = 0.02
"""Even and odd rounds must agree to this share for a shape to count as stable."""
MOST_RATIO, EXCEPTION, EXCEPTIONS = 1.10, 1.25, 3
"""Most of fused / the fastest other; most of an exception; most exceptions."""
LARGE = (256, 50, 256)
"""From these features, classes and batch on, the rate of the products is a bound."""
LEAST_RATE = 0.75
"""Least share of that rate."""


class Plain:
    """torch without autograd: rows are copied together, operators write in place."""

    def __init__(self, case: Case, data: Data) -> None:
        self.case, self.data = case, data
        self.order = BatchOrder(case, torch.device("cpu"), "cpu")
        self.W, self.b = initial_weights(case)
        rows = min(case.batch_size, case.samples)
        self.X = data.X.new_empty(rows, case.features)
        self.P = data.X.new_empty(rows, case.classes)
        self.minus = data.X.new_full((rows, 1), -1.0)

    def __call__(self, epochs: int) -> None:
        """Train some epochs."""
        for _ in range(epochs):
            self._train()

    def _train(self) -> None:
        order = self.order.next_epoch()
        labels = self.data.y[order].unsqueeze(1)
        size = len(self.X)
        for chosen, y in batches(order, labels, size):
            n = len(chosen)
            X, P, rate = self.X[:n], self.P[:n], self.case.learning_rate / n
            torch.index_select(self.data.X, 0, chosen, out=X)
            torch.addmm(self.b, X, self.W, out=P)
            torch.softmax(P, 1, out=P)
            P.scatter_add_(1, y, self.minus[:n])
            self.W.addmm_(X.t(), P, alpha=-rate)
            self.b.sub_(P.sum(0), alpha=rate)


class Products:
    """The two matrix products of each step, and nothing else."""

    def __init__(self, case: Case, data: Data) -> None:
        self.W, _ = initial_weights(case)
        self.X = data.X[: min(case.batch_size, case.samples)].clone()
        self.Z = self.X @ self.W
        self.steps = case.steps_per_epoch

    def __call__(self, epochs: int) -> None:
        """Multiply as often as some epochs do."""
        for _ in range(epochs * self.steps):
            torch.mm(self.X, self.W, out=self.Z)
            self.W.addmm_(self.X.t(), self.Z, alpha=-1e-12)


def case_of(features: int, classes: int, batch: int, dtype: str) -> Case:
    """Return a case of a shape, whose weights hardly move."""
    steps = EPOCH_WORK / (batch * features * classes)
    least = STEPS_OF_ONE if batch == 1 else 1
    count = round(min(MOST_STEPS, max(1, steps)))
    samples = batch * max(count, least, -(-classes // batch))
    return Case(
        samples, features, classes, batch, 1, 1e-7, dispersion=(0.1, 2.0), dtype=dtype
    )


@dataclass
class Shape:
    """A shape's seconds of a step, by contender, with some number of threads."""

    text: str
    threads: int
    step_s: dict[str, float]
    notes: str
    is_stable: bool
    has_rate: bool

    @property
    def best(self) -> str:
        """The fastest of the others."""
        others = {
            n: s for n, s in self.step_s.items() if n not in ("fused", "products")
        }
        return min(others, key=others.__getitem__)

    @property
    def ratio(self) -> float:
        """`fused` / the fastest of the others."""
        return self.step_s["fused"] / self.step_s[self.best]

    @property
    def rate(self) -> float:
        """The products alone / `fused`."""
        return self.step_s["products"] / self.step_s["fused"]

    def __str__(self) -> str:
        each = ", ".join(f"{n} {1e6 * s:,.4g}" for n, s in self.step_s.items())
        return (
            f"{self.text} @{self.threads}: us a step: {each}; fused / {self.best} "
            f"{self.ratio:.2f}, products / fused {self.rate:.2f} ({self.notes})"
            f"{'' if self.is_stable else ' [not stable]'}"
        )


def seconds(
    works: Mapping[str, Work], clock: Clock, ratio: tuple[str, ...]
) -> tuple[dict[str, float], bool]:
    """Return each work's median seconds, and whether two halves of them agree.

    The works take turns, forwards and backwards, until fused / the fastest of `ratio`
    is the same in even and in odd rounds.
    """
    epochs = {}
    for name, work in works.items():
        work(1)
        begun = clock()
        work(1)
        epochs[name] = max(1, round(SAMPLE_S / max(clock() - begun, 1e-7)))
    taken: dict[str, list[float]] = {name: [] for name in works}
    end = time.perf_counter() + LONGEST_S
    for number in range(MOST):
        for name in [*works][:: -1 if number % 2 else 1]:
            time.sleep(PAUSE_S)
            begun = clock()
            works[name](epochs[name])
            taken[name].append((clock() - begun) / epochs[name])
        if number + 1 >= FEWEST and (_agree(taken, ratio) or time.perf_counter() > end):
            break
    middle = {name: statistics.median(each) for name, each in taken.items()}
    return middle, _agree(taken, ratio)


def _agree(taken: Mapping[str, list[float]], ratio: tuple[str, ...]) -> bool:
    halves = []
    for half in (0, 1):
        # Rounds 0 and 3, 4 and 7: each half has as many forwards as backwards.
        at = [i for i in range(len(taken["fused"])) if (i + 1) // 2 % 2 == half]
        middle = {
            n: statistics.median(each[i] for i in at) for n, each in taken.items()
        }
        halves.append(middle["fused"] / min(middle[name] for name in ratio))
    return abs(halves[0] / halves[1] - 1) <= ALIKE


def measured(
    shape: tuple[int, int, int, str], threads: int, with_compiled: bool
) -> Shape:
    """Measure all contenders of a shape with some number of threads."""
    case = case_of(*shape)
    data = make_data(case)
    torch.set_num_threads(threads)
    named = ("fused", "resident") + ("compiled",) * with_compiled
    sessions = {n: get_trainer(n).prepare(case, data, threads=threads) for n in named}
    works: dict[str, Work] = {n: s.train for n, s in sessions.items()}
    works |= {"torch": Plain(case, data), "products": Products(case, data)}
    others = tuple(name for name in works if name not in ("fused", "products"))
    clock = time.process_time if threads == 1 else time.perf_counter
    took, is_stable = seconds(works, clock, others)
    features, classes, batch, dtype = shape
    return Shape(
        f"{features:,} x {classes:,}, batch {batch:,}, {dtype}",
        threads,
        {name: s / case.steps_per_epoch for name, s in took.items()},
        sessions["fused"].notes,
        is_stable,
        all(a >= b for a, b in zip(shape[:3], LARGE, strict=True)),
    )


def broken(shapes: list[Shape]) -> Iterator[str]:
    """Yield the bounds that are broken."""
    slow = [shape for shape in shapes if shape.ratio > MOST_RATIO]
    if len(slow) > EXCEPTIONS:
        yield f"{len(slow)} exceptions; at most {EXCEPTIONS}"
    for shape in slow:
        if shape.ratio > EXCEPTION:
            where = f"{shape.text} @{shape.threads}"
            yield f"{where}: {shape.ratio:.2f}; at most {EXCEPTION}"
    for shape in shapes:
        if shape.has_rate and shape.threads == 1 and shape.rate < LEAST_RATE:
            yield f"{shape.text}: {shape.rate:.2f} of the products' rate"


def map_all(with_compiled: bool) -> bool:
    """Measure every shape, print it and the exceptions; return whether bounds hold."""
    torch.set_flush_denormal(True)  # torch at its best; fused meets no such numbers
    shapes = []
    for shape in SHAPES:
        for threads in (1, 2):
            shapes.append(measured(shape, threads, with_compiled))
            print(f"map: {shapes[-1]}", flush=True)
    for threads in (1, 2):
        mine = sorted(s.ratio for s in shapes if s.threads == threads)
        print(
            f"map: {len(mine)} shapes @{threads}: fused / the fastest other: median "
            f"{statistics.median(mine):.2f}, largest {mine[-1]:.2f}"
        )
    for each in sorted(shapes, key=lambda s: -s.ratio):
        if each.ratio > MOST_RATIO:
            print(f"map: exception: {each}")
    faults = [*broken(shapes)]
    for fault in faults:
        print(f"map: BROKEN: {fault}")
    return not faults

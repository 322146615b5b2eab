"""What is measured about the lesson's claim: numbers only, each from its chunks.

`crossover.lesson.large` fills these in, `crossover.lesson.verdict` puts them in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

QUOTE = "when the computation takes more than 4 hours, the GPU is faster than the CPU"
CLAIMED_S = 4 * 3600.0
NEAR = 2.0
"""A break-even within such a factor of the 4 hours is what the claim says."""
BATCH_SIZE = 5
"""Of the large job."""
CONFIDENCE = 0.95
AGREE = 0.1
"""Halves further apart than this share are said to disagree."""


@dataclass(frozen=True)
class Interval:
    """A median and the ends of its interval."""

    middle: float
    low: float
    high: float
    confidence: float
    """Reached: the ends are two of the values, so it is rarely what was asked for."""

    def times(self, factor: float) -> "Interval":
        """Return the median and both ends times a factor."""
        ends = self.low * factor, self.high * factor
        return Interval(self.middle * factor, *ends, self.confidence)


def interval_of(values: Sequence[float]) -> Interval:
    """Return the median of some values and its order-statistic interval."""
    from crossover.analysis.estimate import order_statistics

    rank, reached = order_statistics(len(values), CONFIDENCE)
    low, high = (sorted(values)[i] for i in (rank, -1 - rank))
    return Interval(median(values), low, high, reached)


@dataclass(frozen=True)
class Cost:
    """Chunks of steps of one batch size, the seconds of each."""

    batch_size: int
    steps: int
    """Of one chunk."""
    seconds: tuple[float, ...]

    @property
    def step_s(self) -> Interval:
        """Seconds a step, with the interval over the chunks."""
        return interval_of(self.seconds).times(1 / self.steps)

    @property
    def mean_s(self) -> float:
        """Seconds a step in the mean: the slow chunks count in full."""
        return fmean(self.seconds) / self.steps

    @property
    def halves(self) -> float:
        """How many times as long as the first half of the chunks the second took."""
        middle = len(self.seconds) // 2
        return sum(self.seconds[-middle:]) / sum(self.seconds[:middle])


@dataclass(frozen=True)
class Code:
    """What one code on one device costs: once, and a step at each batch size."""

    name: str
    setup_s: float
    costs: tuple[Cost, ...]

    def at(self, batch_size: int) -> Cost:
        """Return the cost at a batch size that was measured."""
        return next(cost for cost in self.costs if cost.batch_size == batch_size)

    def total_s(self, steps: float) -> float:
        """Return the seconds of a job with the lesson's batches, set-up included."""
        return self.setup_s + steps * self.at(BATCH_SIZE).step_s.middle

    def fit(self) -> tuple[float, float]:
        """Return (seconds a step, seconds a row) that explain the costs best.

        Neither is negative; least squares of the relative errors.
        """
        import numpy as np

        from crossover.crossing.cost_fit import best_fit

        step_s = np.array([cost.step_s.middle for cost in self.costs])
        work = np.array([(1.0, cost.batch_size) for cost in self.costs])
        per_step, per_row = best_fit(work, step_s)
        return float(per_step), float(per_row)


@dataclass(frozen=True)
class Whole:
    """The whole job, every step of it taken: steps and seconds of each round."""

    rounds: tuple[tuple[int, float], ...]
    accuracy: float | None = None

    @property
    def seconds(self) -> float:
        """Of all steps."""
        return sum(seconds for _, seconds in self.rounds)

    @property
    def steps(self) -> int:
        """All of them."""
        return sum(steps for steps, _ in self.rounds)

    @property
    def halves(self) -> float:
        """How many times as long a late step took: rounds that end in the later half
        of the steps against the others.
        """
        early, late, seen = [0.0, 0.0], [0.0, 0.0], 0
        for steps, seconds in self.rounds:
            seen += steps
            part = early if 2 * seen <= self.steps else late
            part[0] += steps
            part[1] += seconds
        return (late[1] / late[0]) / (early[1] / early[0])


@dataclass(frozen=True)
class Evidence:
    """All that the verdict is computed from; what is None was not measured."""

    steps: int
    """Of the whole job."""
    epoch_steps: int
    threads: int
    loop: Code
    fused: Code
    gpu: Code | None
    """The loop on the device asked for."""
    gpu_missing: str
    """Why `gpu` is None."""
    fused_whole: Whole | None = None
    gpu_whole: Whole | None = None

    @property
    def gpu_ratio(self) -> Interval | None:
        """How many times as long a step of the loop takes on the GPU, by rounds."""
        if self.gpu is None:
            return None
        here, there = self.loop.at(BATCH_SIZE), self.gpu.at(BATCH_SIZE)
        pairs = zip(here.seconds, there.seconds, strict=True)
        return interval_of([g / there.steps / (c / here.steps) for c, g in pairs])


def break_even_steps(first: Code, second: Code) -> float | None:
    """Return from how many of the lesson's steps on the second is done first.

    None: never, as its steps are not the shorter ones. 0: from the first step on.
    """
    gain = first.at(BATCH_SIZE).step_s.middle - second.at(BATCH_SIZE).step_s.middle
    if gain <= 0:
        return None
    return max(0.0, (second.setup_s - first.setup_s) / gain)


def ahead_from(first: Code, second: Code) -> int | None:
    """Return the batch size from which on the second's steps are the shorter ones.

    Of those measured, and at every larger one; None where they are not at the largest.
    """
    found = None
    for cost in sorted(second.costs, key=lambda cost: -cost.batch_size):
        if cost.step_s.middle >= first.at(cost.batch_size).step_s.middle:
            break
        found = cost.batch_size
    return found

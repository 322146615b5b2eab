"""Intervals of a shift: of a crossing's replicates, and of a series of rounds."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from crossover.crossing.decide import Array
from crossover.crossing.stability import lag_1

SHIFTS = 20
"""Each replicate of one run meets so many of the other's."""
TRIM = 0.1
"""Share of the rounds cut at each end, so that a spike does not widen the interval."""

Interval = Callable[[float], tuple[float, float]]
"""Confidence -> (low, high)."""


def _minus(a: Array, b: Array) -> Array:
    """Subtract; nan where both lie outside the sizes on the same side."""
    with np.errstate(invalid="ignore"):
        return a - b


def drawn_interval(drawn: Array, redrawn: Array) -> Interval:
    """Return the interval of the shift from one crossing to another.

    Args:
        drawn: replicates of the first, log(size), +-inf outside the sizes measured.
        redrawn: of the second.

    Where both lie outside on the same side the shift is unknown, and counts as
    beyond either end.
    """
    differences = np.concatenate(
        [_minus(np.roll(redrawn, shift), drawn) for shift in range(SHIFTS)]
    )
    unknown = np.isnan(differences)
    lows = np.sort(np.where(unknown, -np.inf, differences))
    highs = np.sort(np.where(unknown, np.inf, differences))

    def ends(confidence: float) -> tuple[float, float]:
        cut = int(len(lows) * (1 - confidence) / 2)
        return float(lows[cut]), float(highs[-1 - cut])

    return ends


def welch_interval(one: Array, other: Array) -> Interval:
    """Return the interval of the shift between two series; see `pooled_interval`."""
    return pooled_interval([(one, other)])


def pooled_interval(pairs: Sequence[tuple[Array, Array]]) -> Interval:
    """Return the interval of the mean of independent shifts between two series each.

    Welch's interval on trimmed means (Yuen 1974), with Satterthwaite's degrees of
    freedom over all pairs. The rounds of one run are no independent sample of the
    machine's states: the interval is widened by what the lag-1 autocorrelation of each
    run's series costs.
    """
    series = [_trimmed(values) for pair in pairs for values in pair]
    means, errors, freedoms = map(np.array, zip(*series, strict=True))
    middle = float(np.mean(means[1::2] - means[::2]))
    total = float(errors.sum())
    if not total:  # rounds all alike have no error
        return lambda _: (middle, middle)
    freedom = total**2 / float(np.sum(errors**2 / freedoms))
    widen = max(_inflation(of_a_run) for of_a_run in zip(*pairs, strict=True))
    error = float(np.sqrt(total)) / len(pairs) * widen

    def ends(confidence: float) -> tuple[float, float]:
        reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
        return middle - reach, middle + reach

    return ends


def _trimmed(values: Array) -> tuple[float, float, int]:
    """Return the trimmed mean, the square of its error, and its degrees of freedom."""
    ordered = np.sort(values)
    cut = int(TRIM * len(ordered))
    kept = len(ordered) - 2 * cut
    spread = np.clip(ordered, ordered[cut], ordered[-1 - cut])  # winsorized
    squares = float(np.sum((spread - spread.mean()) ** 2))
    mean = float(ordered[cut : len(ordered) - cut].mean())
    return mean, squares / (kept * (kept - 1)), kept - 1


def _inflation(several: Sequence[Array]) -> float:
    """Return the factor by which AR(1) noise widens the error of means."""
    lag = float(np.mean([lag_1(values) + 1 / len(values) for values in several]))
    memory = min(0.9, max(0.0, lag))
    return float(np.sqrt((1 + memory) / (1 - memory)))

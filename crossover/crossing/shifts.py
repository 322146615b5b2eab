"""Intervals of a shift: of a crossing's replicates, and of a series of rounds."""

from collections.abc import Callable

import numpy as np

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
    """Return the interval of the shift between two series.

    Welch's interval on trimmed means (Yuen 1974). The rounds of one run are no
    independent sample of the machine's states: the interval is widened by what the
    lag-1 autocorrelation of each series costs.
    """
    from scipy import stats  # half of the time that the analysis takes to load

    test = stats.ttest_ind(other, one, equal_var=False, trim=TRIM)
    widen = max(_inflation(one), _inflation(other))

    def ends(confidence: float) -> tuple[float, float]:
        low, high = test.confidence_interval(confidence)
        middle, reach = (low + high) / 2, (high - low) / 2 * widen
        return float(middle - reach), float(middle + reach)

    return ends


def _inflation(values: Array) -> float:
    """Return the factor by which AR(1) noise widens the error of a mean."""
    memory = min(0.9, max(0.0, lag_1(values) + 1 / len(values)))
    return float(np.sqrt((1 + memory) / (1 - memory)))

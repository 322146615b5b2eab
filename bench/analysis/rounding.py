"""Times that are whole steps of a clock, or were rounded: what that may hide.

In: times. Out: their step, and how far a log-ratio may be off by it. `answer` asks.
"""

import numpy as np

from bench.analysis.decide import Array

MATERIAL = 2e-3
"""A step below this share of the smallest time is not worth a word."""
SAME = 1e-2
"""Share of a step by which its multiples may be off, as they were written down."""
FEWEST = 10
"""With fewer times, that they have a common step may be chance."""


def step_of(times: Array) -> float:
    """Return the largest step that all times are multiples of, 0 if none is material.

    Rounding makes times repeat: at most half of them may be different values. The step
    is their greatest common divisor, by Euclid's algorithm.

    Args:
        times: all of two contenders, of every size and round; each above 0.
    """
    values = np.unique(times)
    if len(times) < FEWEST or 2 * len(values) > len(times):
        return 0.0
    step = float(values[0])
    for value in map(float, values[1:]):
        if not step:
            break
        step = _common(value, step, MATERIAL * float(values[0]))
    return step


def _common(value: float, step: float, least: float) -> float:
    """Return the largest step of a value and a step, 0 where it is below `least`.

    Taken from the value where that is a multiple: it is written in more digits.
    """
    while step >= least:
        count = round(value / step)
        rest = abs(value - count * step)
        if rest <= SAME * step:
            return value / count
        value, step = step, rest
    return 0.0


def hidden(step: float, baseline_s: Array, challenger_s: Array) -> tuple[Array, Array]:
    """Return per size how far rounding may hide a higher, and a lower log-ratio.

    Each true time lies within half a step of the one that was written down.

    Args:
        step: that the times are multiples of; 0 hides nothing.
        baseline_s: per size.
        challenger_s: per size.
    """
    half = 0.5 * step * (1 - 1e-9)  # within, not at its end
    more = [np.log1p(half / seconds) for seconds in (baseline_s, challenger_s)]
    less = [-np.log1p(-half / seconds) for seconds in (baseline_s, challenger_s)]
    return more[0] + less[1], less[0] + more[1]

"""Where an axis has its ticks, and how their numbers are written."""

import math
import warnings
from collections.abc import Callable, Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from crossover.report.words.numbers import count
from crossover.workloads.values import Size

MOST_TICKS = 8
DIGIT, GAP = 0.0185, 0.02
"""Room of a digit of a label, and between two labels, as shares of the axis."""


def log_ticks(low: float, high: float) -> list[float]:
    """Return at most eight round numbers between the ends of a log axis."""
    if not 0 < low < high < math.inf:
        return []
    powers = math.log10(high / low)
    steps = (1.0, 2.0, 5.0) if powers < 2.2 else (1.0, 3.0) if powers < 3.5 else (1.0,)
    even = MaxNLocator(5, steps=[1, 2, 5, 10])
    round_numbers = LogLocator(subs=steps, numticks=MOST_TICKS)
    ticks = (even if powers < 1 else round_numbers).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def apart(sizes: Iterable[int]) -> list[int]:
    """Keep the ends, and between them sizes whose labels do not touch on a log axis."""
    inner = sorted(set(sizes))
    kept = inner[:1]
    for size in inner[1:-1]:
        beside = (kept[-1], size), (size, inner[-1])
        if all(_has_room(pair, inner[-1] / inner[0]) for pair in beside):
            kept.append(size)
    return kept if len(inner) < 2 else [*kept, inner[-1]]


def _has_room(pair: tuple[int, int], reach: float) -> bool:
    digits = sum(len(count(size)) for size in pair) / 2
    return math.log(pair[1] / pair[0]) / math.log(reach) >= digits * DIGIT + GAP


def log_axis(
    axes: Axes,
    which: str,
    label: str,
    write: Callable[[float], str],
    least: float = 1.0,
) -> None:
    """Make an axis logarithmic, with round ticks and without minor ones.

    Args:
        axes: with everything drawn on it, or its limits set.
        which: `x` or `y`.
        label: of the axis.
        write: how a tick's number is written.
        least: the axis spans at least this factor, so that noise does not fill it.
    """
    with warnings.catch_warnings():
        # of times that differ by rounding alone; `least` widens their axis
        warnings.filterwarnings("ignore", "Attempting to set identical")
        axes.set(**{f"{which}scale": "log", f"{which}label": label})
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    if 0 < low < high < low * least:
        more = math.sqrt(least * low / high)
        low, high = low / more, high * more
        axes.set(**{f"{which}lim": (low, high)})
    axis.set_ticks(log_ticks(low, high))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_locator(NullLocator())


def size_axis(axes: Axes, along: Size, sizes: Iterable[int]) -> None:
    """Make the x axis one of sizes, labelled at those that have room."""
    log_axis(axes, "x", along.axis_label, count)
    shown = apart(sizes)
    axes.set_xticks(shown)
    if len(shown) == 1:  # a log axis of one point would show no other number
        axes.set_xlim(shown[0] / 2, shown[0] * 2)

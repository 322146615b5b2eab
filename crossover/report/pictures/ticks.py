"""Where an axis has its ticks, and how their numbers are written."""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator
from matplotlib.ticker import NullLocator as NoTicks

from crossover.workloads.workload import Size

MOST_TICKS = 8
STEPS = (
    (1.0,),
    (1.0, 3.0),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0),
)
"""Round numbers of each power of ten, tried in turn until there are enough."""
DIGIT, GAP = 0.0185, 0.02
"""Room of a digit of a label, and between two labels, as shares of the axis."""


def seconds(value: float) -> str:
    """Write seconds to three digits, in s, ms, us or ns."""
    factor, unit = unit_of([value])
    return f"{float(f'{value / factor:.3g}'):,.10g} {unit}"


def unit_of(values: Iterable[float]) -> tuple[float, str]:
    """Return (seconds in it, its name) of the unit that fits the values' middle."""
    good = [math.log10(v) for v in values if 0 < v < math.inf]
    middle = (min(good) + max(good)) / 2 if good else 0.0
    power = min(0, max(-9, 3 * math.floor((middle + 0.5) / 3)))
    return 10.0**power, {0: "s", -3: "ms", -6: "\u00b5s", -9: "ns"}[power]


def times(value: float) -> str:
    """Write a speedup: `1.25x`."""
    return f"{value:.6g}x"


def count(value: float) -> str:
    """Write a size: `1,024`."""
    return f"{value:,.0f}" if value >= 1 else f"{value:.3g}"


def in_unit(factor: float) -> Callable[[float], str]:
    """Return what writes seconds as a number of some unit."""
    return lambda value: f"{value / factor:,.6g}"


def log_ticks(low: float, high: float) -> list[float]:
    """Return three to eight round numbers between two, however far they are apart."""
    if not 0 < low < high < math.inf:
        return []
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = -(-(last - first + 1) // MOST_TICKS)
    powers = [power for power in range(first, last + 1) if power % every == 0]
    for steps in STEPS:
        ticks = [float(f"{step}e{power}") for power in powers for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if 3 <= len(inside) <= MOST_TICKS:
            return inside
    even = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in even if low <= tick <= high]


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


class LogTicks(Locator):
    """`log_ticks` of whatever part of the axis is in view."""

    def __call__(self) -> Sequence[float]:
        """Return the ticks of the axis' present view."""
        assert isinstance(self.axis, Axis)
        return self.tick_values(*sorted(self.axis.get_view_interval()))

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """Return the ticks between two values."""
        return log_ticks(vmin, vmax)


def log_axis(axes: Axes, which: str, label: str, write: Callable[[float], str]) -> None:
    """Make an axis logarithmic, with round ticks and without minor ones."""
    with warnings.catch_warnings():
        # of times that differ by rounding alone; `at_least` widens their axis
        warnings.filterwarnings("ignore", "Attempting to set identical")
        axes.set(**{f"{which}scale": "log", f"{which}label": label})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogTicks())
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_locator(NoTicks())


def size_axis(axes: Axes, along: Size, sizes: Iterable[int]) -> None:
    """Make the x axis one of sizes, labelled at those that have room."""
    log_axis(axes, "x", along.axis_label, count)
    shown = apart(sizes)
    axes.set_xticks(shown)
    if len(shown) == 1:  # a log axis of one point would show no other number
        axes.set_xlim(shown[0] / 2, shown[0] * 2)


def at_least(axes: Axes, factor: float) -> None:
    """Widen a log y axis, so that noise does not fill it: it spans such a factor."""
    low, high = axes.get_ylim()
    if 0 < low < high < low * factor:
        more = math.sqrt(factor * low / high)
        axes.set_ylim(low / more, high * more)

"""Break-even epochs against size, with their intervals: Axes in and out."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from crossover.analysis.breakeven import BreakEven
from crossover.report.pictures.labels import pair_label, plain
from crossover.report.pictures.layout import entitle, legend_below, new_figure
from crossover.report.pictures.styles import Look, pair_looks, theme
from crossover.report.pictures.ticks import log_axis, size_axis
from crossover.report.words.numbers import count, percent, spanned
from crossover.workloads.values import Size

Style = dict[str, Any]

ROWS = {
    "never": (0.96, "never pays"),
    "inconclusive": (0.88, "not decided"),
    "at_once": (0.05, "under 1 {}"),
}
"""Outcomes without a number: the share of the axis at which each stands, and its words,
in which `{}` stands for what repeats."""
UNDER_ONE, _ = ROWS["at_once"]
INNER = (0.12, 0.82)
"""Numbers stand between these shares of the axis; the rows are outside."""
DODGE = 0.015
"""How far the pairs stand apart at one size, at most, as a share of the axis."""


def plot_break_even(
    axes: Axes,
    rows: Sequence[BreakEven],
    along: Size,
    palette: Mapping[str, Look],
) -> Axes:
    """Draw the epochs that pay for the fixed costs, with Fieller's interval.

    An open end of an interval is an arrow. A hollow sign is a challenger that is ahead
    only up to there. What is no number, or less than one epoch, stands in a row of its
    own.
    """
    pairs = list(dict.fromkeys((b.baseline, b.challenger) for b in rows))
    sizes = sorted({b.case[along.name] for b in rows})
    workload = rows[0].case.workload
    axes.set_ylim(_limits(rows))
    log_axis(axes, "y", f"break-even ({workload.repeats})", count)
    reach = math.log(sizes[-1] / sizes[0])
    steps = [math.log(b / a) for a, b in pairwise(sizes)]
    dodge = min(DODGE * (reach or 5.0), 0.7 * min(steps, default=1.0) / len(pairs))
    turned = zip(pairs, pair_looks(pairs, palette), strict=True)
    for i, (pair, look) in enumerate(turned):
        moved = math.exp(dodge * (i - (len(pairs) - 1) / 2))
        mine = [b for b in rows if (b.baseline, b.challenger) == pair]
        places = [b.case[along.name] * moved for b in mine]
        _draw_pair(axes, places, mine, look, pair_label(pair))
    for height, words in dict.fromkeys(filter(None, map(_row, rows))):
        _strip(axes, height, words.format(workload.repeat))
    size_axis(axes, along, sizes)
    beside = math.exp(0.06 * reach + 0.6 * dodge * len(pairs) + (not reach))
    axes.set_xlim(sizes[0] / beside, sizes[-1] * beside)
    share = percent(min(b.confidence for b in rows))
    n = spanned([b.rounds for b in rows])
    entitle(axes, f"n = {n} shared rounds, bars: {share} intervals by Fieller")
    return axes


def break_even_figure(
    rows: Sequence[BreakEven],
    along: Size,
    title: str,
    palette: Mapping[str, Look],
) -> Figure:
    """Draw the break-evens along one axis, the legend below."""
    with theme():
        figure, (axes,) = new_figure(9.5, 4.8)
        plot_break_even(axes, rows, along, palette)
        legend_below(figure, [axes], list(_signs(rows)))
        figure.suptitle(plain(title))
    return figure


def _row(b: BreakEven) -> tuple[float, str] | None:
    """Return the row that a break-even stands in, None where it is a number."""
    if b.outcome not in ROWS and (b.repeats is None or b.repeats < 1):
        return ROWS["inconclusive" if b.repeats is None else "at_once"]
    return ROWS.get(b.outcome)


def _limits(rows: Sequence[BreakEven]) -> tuple[float, float]:
    """Return y limits that leave room for the rows of what is no number."""
    ends = [end for b in rows for end in (b.repeats, b.low, b.high)]
    good = [math.log(end) for end in ends if end is not None and 1 <= end < math.inf]
    low, high = min(good, default=0.0), max(good, default=math.log(100))
    high = max(high, low + math.log(10))
    span = (high - low) / (INNER[1] - INNER[0])
    bottom = low - INNER[0] * span
    return math.exp(bottom), math.exp(bottom + span)


def _draw_pair(
    axes: Axes,
    places: Sequence[float],
    rows: Sequence[BreakEven],
    look: Look,
    label: str,
) -> None:
    at = [b.repeats or math.nan if _row(b) is None else math.nan for b in rows]
    sign: Style = {"color": look.colour, "marker": look.marker, "ms": 8, "zorder": 3}
    axes.plot(places, at, ls=look.line, lw=1.2, label=label, **sign)
    bars = []
    for x, b in zip(places, rows, strict=True):
        row, hollow = _row(b), b.outcome == "loses_from"
        if row is not None or hollow:
            y = _height(axes, None if row else b.repeats, row[0] if row else 0.0)
            more: Style = {"mfc": "white", "mew": 2} if hollow else {}
            axes.plot(x, y, **sign, **more)
        if b.low is None and b.high is None:
            continue
        ends = _height(axes, b.low, UNDER_ONE), _height(axes, b.high, INNER[1])
        bars.append((x, *ends))
        for y, end, arrow in zip(ends, (b.low, b.high), "v^", strict=True):
            head = arrow if end is None else "_"
            axes.plot(x, y, marker=head, color=look.colour, ms=9, mew=2)
    if bars:
        axes.vlines(*zip(*bars, strict=True), lw=2, alpha=0.8, color=look.colour)


def _height(axes: Axes, repeats: float | None, otherwise: float) -> float:
    """Return where a number is drawn; without one, at a share of the log axis."""
    bottom, top = axes.get_ylim()
    if repeats is not None and repeats >= 1:
        return min(repeats, top)
    share = otherwise if repeats is None else UNDER_ONE
    return float(bottom * (top / bottom) ** share)


def _strip(axes: Axes, height: float, words: str) -> None:
    strip = Rectangle((0, height - 0.03), 1, 0.06, transform=axes.transAxes, lw=0)
    strip.set(facecolor="black", alpha=0.07, zorder=0.5)
    axes.add_patch(strip)
    axes.text(1.01, height, words, va="center", transform=axes.transAxes)


def _signs(rows: Sequence[BreakEven]) -> Iterator[Line2D]:
    """Explain the signs that occur."""
    grey: Style = {"color": "0.35", "ls": "", "ms": 9, "mew": 2}
    if any(b.low is not None and b.high is None for b in rows):
        yield Line2D([], [], marker="^", label="open: may never pay", **grey)
    if any(b.low is None and b.high is not None for b in rows):
        yield Line2D([], [], marker="v", label="open: may pay at once", **grey)
    if any(b.outcome == "loses_from" for b in rows):
        hollow: Style = {**grey, "mfc": "white"}
        yield Line2D([], [], marker="o", label="ahead only up to there", **hollow)

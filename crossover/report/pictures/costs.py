"""Draws where the time goes and how a contender warms up: Axes in and out."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from crossover.analysis.phases import Phases, WarmUp
from crossover.report.pictures.labels import name_of, plain
from crossover.report.pictures.layout import entitle, legend_below, new_figure
from crossover.report.pictures.styles import Colour, Look, look_of, theme
from crossover.report.pictures.ticks import log_axis
from crossover.report.words.numbers import count, seconds, spanned
from crossover.workloads.values import Size

PARTS = (
    ("set-up", "setup_s", 0.3, "xx"),
    ("moving the data", "transfer_s", 0.6, "///"),
    ("training", "train_s", 1.0, ""),
)
"""Each part's name, field, share of the contender's colour that is kept, and hatch."""
LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
LEAST_LABELLED = 0.09
"""A part smaller than this share of the total has no number in it."""


def plot_phases(
    axes: Axes, rows: Sequence[Phases], palette: Mapping[str, Look]
) -> Axes:
    """Draw each contender's shares of set-up, transfer and training at one size.

    Shares, because a stack on a log axis would mislead, and on a linear one the fastest
    contender could not be seen; the total in seconds stands above each bar.
    """
    colours = [look_of(palette, row.contender).colour for row in rows]
    starts = np.zeros(len(rows))
    for _, field, kept, hatch in PARTS:
        shares = np.array([(getattr(row, field) or 0.0) / row.total_s for row in rows])
        bars = axes.barh(
            range(len(rows)), shares, 0.46, left=starts, hatch=hatch, lw=0.6,
            color=[_paler(colour, kept) for colour in colours], edgecolor="black",
        )  # fmt: skip
        axes.bar_label(bars, list(map(_percent, shares)), label_type="center",
                       fontsize=10, bbox=LABEL)  # fmt: skip
        starts += shares
    for y, row in enumerate(rows):
        lacks = [name for name, field, *_ in PARTS if getattr(row, field) is None]
        unknown = f", {' and '.join(lacks)} not recorded" if lacks else ""
        axes.text(0, y - 0.27, f"{seconds(row.total_s)}{unknown}", va="bottom")
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.6, -0.75))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=None))
    axes.set_xlabel("share of the total (%)")
    axes.set_yticks(range(len(rows)), labels=[name_of(row.contender) for row in rows])
    axes.grid(visible=False, axis="y")
    return axes


def _percent(share: float) -> str:
    """Write a share into its part of a bar; a small part has no room for it."""
    if share < LEAST_LABELLED:
        return ""
    return ">99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def phases_figure(
    rows: Sequence[Phases],
    along: Size,
    title: str,
    palette: Mapping[str, Look],
) -> Figure:
    """Draw the shares at some sizes side by side, contenders in the same rows."""
    with theme():
        sizes = list(dict.fromkeys(row.size for row in rows))
        names = list(dict.fromkeys(row.contender for row in rows))
        height = 1.9 + 0.55 * len(names)
        figure, panels = new_figure(11, height, columns=len(sizes))
        for axes, size in zip(panels, sizes, strict=True):
            mine = [row for row in rows if row.size == size]
            plot_phases(axes, mine, palette)
            entitle(axes, f"{along.axis_words} {size:,}")
            same = [row.contender for row in mine] == names
            if same and axes is not panels[0]:
                axes.set_yticklabels([])
        handles = [
            Patch(facecolor=_paler((0.4, 0.4, 0.4), kept), hatch=hatch, label=name,
                  edgecolor="black", lw=0.6)
            for name, _, kept, hatch in PARTS
        ]  # fmt: skip
        legend_below(figure, [], handles)
        n = spanned([row.rounds for row in rows])
        words = f"medians of n = {n} rounds, total above each bar"
        figure.suptitle(f"{plain(title)}\n{words}")
    return figure


def plot_warm_up(
    axes: Axes, rows: Sequence[WarmUp], palette: Mapping[str, Look]
) -> Axes:
    """Draw each contender's calls before its first sample, the first one ringed."""
    for row in rows:
        look = look_of(palette, row.contender)
        few = len(row.calls) <= 40
        axes.plot(
            row.calls, row.repeat_s, color=look.colour, ls=look.line, lw=1.5,
            marker=look.marker, ms=5, markevery=None if few else 0.08,
            label=name_of(row.contender),
        )  # fmt: skip
        axes.plot(
            row.calls[0], row.repeat_s[0], marker="o", ms=13, mfc="none", mew=2,
            color=look.colour,
        )  # fmt: skip
    log_axis(axes, "y", f"time per {rows[0].repeat} of the call", seconds)
    log_axis(axes, "x", "call (number)", count)
    entitle(axes, f"n = {spanned([row.of_calls for row in rows])} calls")
    return axes


def warm_up_figure(
    rows: Sequence[WarmUp],
    along: Size,
    title: str,
    palette: Mapping[str, Look],
) -> Figure:
    """Draw the warm-ups at some sizes side by side on the same y axis."""
    with theme():
        sizes = list(dict.fromkeys(row.size for row in rows))
        figure, panels = new_figure(
            11, 4.2, columns=len(sizes), sharex=True, sharey=True
        )
        for axes, size in zip(panels, sizes, strict=True):
            plot_warm_up(axes, [row for row in rows if row.size == size], palette)
            entitle(axes, f"{along.axis_words} {size:,}, {axes.get_title()}")
            if axes is not panels[0]:
                axes.set_ylabel("")
        legend_below(figure, panels)
        figure.suptitle(plain(f"{title}; ring: the first call"))
    return figure


def _paler(colour: Colour, kept: float) -> Colour:
    """Mix a colour with white."""
    red, green, blue = (1 - kept * (1 - part) for part in to_rgb(colour))
    return red, green, blue

"""The only door to seaborn: one function a figure, Axes in and out."""

import math
from collections.abc import Iterable

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from bench.analysis.sweeps import SweepResult
from bench.nouns import Crossover
from bench.report.tables import AXIS_WORDS, fixed_values, number

mpl.use("Agg")

Colour = tuple[float, float, float]
MARKERS = "osD^vP*X"
TICKS_APART = 0.1
"""Least distance of two labelled sizes, as a share of the axis."""


def colours(contenders: Iterable[str]) -> dict[str, Colour]:
    """Give each contender a colour-blind-safe colour, the same in every figure."""
    names = list(dict.fromkeys(contenders))
    order = [0, 1, 2, 3, 7, 9, 5, 8, 4, 6]  # neighbours in the list stay far apart
    palette = sns.color_palette("colorblind", 10)
    return {name: palette[order[i % 10]] for i, name in enumerate(names)}


def plot_times(
    axes: Axes, result: SweepResult, palette: dict[str, Colour], unit: str = "s"
) -> Axes:
    """Draw median seconds against size, the median's interval as a band, log-log."""
    names = list(dict.fromkeys(str(e.contender) for e in result.estimates))
    for i, name in enumerate(names):
        rows = [e for e in result.estimates if str(e.contender) == name]
        sizes = [result.size(e.case) for e in rows]
        axes.fill_between(
            sizes,
            [e.low_s for e in rows],
            [e.high_s for e in rows],
            color=palette[name],
            alpha=0.2,
            lw=0,
        )
        axes.plot(
            sizes,
            [e.median_s for e in rows],
            marker=MARKERS[i % len(MARKERS)],
            ms=5,
            color=palette[name],
            label=name,
        )
    axes.set(xscale="log", yscale="log", ylabel=f"time to train ({unit})")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda s, _: f"{s:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    return _size_axis(axes, result)


def plot_speedups(axes: Axes, result: SweepResult, palette: dict[str, Colour]) -> Axes:
    """Draw the paired speedup of each pair, and its crossover's interval shaded."""
    axes.axhline(1, color="black", lw=1)
    pairs = dict.fromkeys((p.baseline, p.challenger) for p in result.speedups)
    for i, pair in enumerate(pairs):
        points = [p for p in result.speedups if (p.baseline, p.challenger) == pair]
        line = palette[pair[1]] if len(pairs) == 1 else sns.color_palette("dark")[i]
        sizes = [p.size for p in points]
        axes.fill_between(
            sizes,
            [p.low for p in points],
            [p.high for p in points],
            color=line,
            alpha=0.2,
            lw=0,
        )
        axes.plot(
            sizes,
            [p.speedup for p in points],
            marker=MARKERS[i % len(MARKERS)],
            ms=5,
            color=line,
            label=f"{pair[1]} against {pair[0]}",
        )
        for c in result.crossovers:
            if (c.baseline, c.challenger) == pair:
                _shade(axes, c, line, sizes)
    axes.set(xscale="log", yscale="log", ylabel="speedup (times as fast)")
    axes.yaxis.set_major_locator(_ratio_ticks(axes))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}x"))
    axes.yaxis.set_minor_locator(NullLocator())
    return _size_axis(axes, result)


def _shade(axes: Axes, c: Crossover, colour: Colour, sizes: list[int]) -> None:
    if c.outcome != "found" or c.at is None:
        return
    axes.axvspan(c.low or sizes[0], c.high or sizes[-1], color=colour, alpha=0.15, lw=0)
    axes.axvline(c.at, color=colour, ls="--", lw=1.5)
    axes.plot(
        [], [], color=colour, ls="--", lw=1.5,
        label=f"crossover {number(c.at)}, shaded: {c.confidence or 0:.0%} interval",
    )  # fmt: skip


def _ratio_ticks(axes: Axes) -> FixedLocator:
    low, high = axes.get_ylim()
    steps = (
        (0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2)
        if high / low < 1.5
        else (0.5, 0.6, 0.8, 1, 1.25, 1.5, 1.75, 2, 2.5)
        if high / low < 4
        else (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
    )
    return FixedLocator([step for step in steps if low <= step <= high])


def _size_axis(axes: Axes, result: SweepResult) -> Axes:
    sizes = sorted({result.size(e.case) for e in result.estimates})
    shown = [s for s in sizes if s in result.sweep.cases()] or sizes
    axes.xaxis.set_major_locator(FixedLocator(_apart(shown)))
    axes.xaxis.set_minor_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda s, _: f"{s:,.0f}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda s, _: ""))
    axes.set_xlabel(AXIS_WORDS[result.sweep.axis])
    return axes


def _apart(sizes: list[int]) -> list[int]:
    """Keep the ends, and between them sizes whose labels do not touch."""
    if len(sizes) < 2:
        return sizes
    least = TICKS_APART * math.log(sizes[-1] / sizes[0])
    kept = sizes[:1]
    for size in sizes[1:-1]:
        if min(math.log(size / kept[-1]), math.log(sizes[-1] / size)) >= least:
            kept.append(size)
    return [*kept, sizes[-1]]


def sweep_figure(result: SweepResult, palette: dict[str, Colour]) -> Figure:
    """Draw one sweep: times left, speedups right, legends below."""
    with sns.axes_style("whitegrid"), sns.plotting_context("notebook"):
        figure, panels = plt.subplots(1, 2, figsize=(12, 5.6), layout="constrained")
        plot_times(panels[0], result, palette)
        plot_speedups(panels[1], result, palette)
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            axes.legend(
                handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.14),
                ncols=2 if len(labels) > 2 else 1, fontsize=10, frameon=False,
            )  # fmt: skip
        else:
            axes.text(
                0.5, 0.5, "not measured", ha="center", va="center",
                transform=axes.transAxes,
            )  # fmt: skip
    counts = sorted({e.rounds for e in result.estimates}) or [0]
    rounds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    figure.suptitle(
        f"{fixed_values(result.sweep)}; median of {rounds} rounds, "
        "band: its 95 % interval",
        fontsize=12,
    )
    return figure

"""The only door to seaborn: one function a figure, Axes in and out."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.nouns import Crossover
from bench.report.tables import AXIS_WORDS, where

mpl.use("Agg")


def colours(contenders: list[str]) -> dict[str, tuple[float, float, float]]:
    """Give each contender a colour-blind-safe colour, the same in every figure."""
    palette = sns.color_palette("colorblind", max(10, len(contenders)))
    return dict(zip(sorted(contenders), palette, strict=False))


def plot_times(
    axes: Axes,
    estimates: pd.DataFrame,
    axis: str,
    palette: dict[str, tuple[float, float, float]],
) -> Axes:
    """Draw median seconds against size with its interval, log-log."""
    for contender, rows in estimates.sort_values(axis).groupby("contender"):
        colour = palette[str(contender)]
        axes.fill_between(rows[axis], rows.low_s, rows.high_s, color=colour, alpha=0.2)
        axes.plot(
            rows[axis], rows.median_s, "o-", ms=4, color=colour, label=str(contender)
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=AXIS_WORDS[axis],
        ylabel="training time (s), median",
    )
    return axes


def plot_speedups(
    axes: Axes,
    estimates: pd.DataFrame,
    axis: str,
    found: list[Crossover],
    palette: dict[str, tuple[float, float, float]],
) -> Axes:
    """Draw the speedup of each measured pair, its crossover interval shaded."""
    axes.axhline(1, color="black", lw=1)
    times = estimates.pivot_table(index=axis, columns="contender", values="median_s")
    for c in found:
        if not {c.baseline, c.challenger} <= set(times.columns):
            continue
        speedup = (times[c.baseline] / times[c.challenger]).dropna()
        line = palette[c.challenger]
        axes.plot(
            speedup.index,
            speedup,
            "o-",
            ms=4,
            color=line,
            label=f"{c.challenger} vs {c.baseline}",
        )
        if c.outcome == "found" and c.at is not None:
            low, high = c.low or speedup.index[0], c.high or speedup.index[-1]
            axes.axvspan(low, high, color=line, alpha=0.2, lw=0)
            axes.axvline(c.at, color=line, ls="--", lw=1)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=AXIS_WORDS[axis],
        ylabel="speedup (x), >1: challenger ahead",
    )
    return axes


def sweep_figure(
    estimates: pd.DataFrame,
    found: list[Crossover],
    palette: dict[str, tuple[float, float, float]],
) -> Figure:
    """Draw one sweep in the `train` view: times left, speedups right."""
    first = found[0]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    plot_times(left, estimates, first.axis, palette)
    plot_speedups(right, estimates, first.axis, found, palette)
    for axes in (left, right):
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            axes.legend(
                handles,
                labels,
                loc="upper center",
                bbox_to_anchor=(0.5, -0.14),
                ncols=2,
                fontsize=8,
            )
        else:
            axes.text(
                0.5, 0.5, "nothing measured", ha="center", transform=axes.transAxes
            )
    rounds = int(estimates["rounds"].min()) if len(estimates) else 0
    figure.suptitle(
        f"{AXIS_WORDS[first.axis]} sweep: {where(first)}; {rounds} rounds", fontsize=10
    )
    return figure

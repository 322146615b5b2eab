"""The lesson's pictures: one function a picture, what was found in, a figure out."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullLocator
from numpy.typing import NDArray

from crossover.report.pictures.drawing import sns
from crossover.report.pictures.layout import legend_below, new_figure
from crossover.report.pictures.styles import theme

Array = NDArray[np.generic]
MARKERS = "osD^vP*X"
EPOCH_TICKS = (0, 1, 3, 10, 30, 100, 190)


def softmax_figure(
    k: Sequence[float], hinge: Sequence[float], soft: Sequence[float]
) -> Figure:
    """Draw max(k, 0) and the smooth log(1 + e^k) over it."""
    figure, (axes,) = _panels(1)
    first, second = sns.color_palette("colorblind", 2)
    axes.plot(k, hinge, color=first, marker="o", ms=8, label="max(k, 0)")
    axes.plot(k, soft, color=second, marker="s", ms=4, ls="--", label="log(1 + e^k)")
    axes.xaxis.set_major_locator(MultipleLocator(2))
    title = f"softmax against max, n = {len(k)} points"
    axes.set(xlabel="k", ylabel="value at k", title=title)
    return _with_legend(figure, axes)


def polynomial_figure(
    x: Array, y: Array, fits: Mapping[int, tuple[Callable[[Array], Array], float]]
) -> Figure:
    """Draw points, sqrt(x), and a polynomial through them, a panel for each degree."""
    figure, panels = _panels(len(fits))
    blue, orange = sns.color_palette("colorblind", 2)
    fine, points = np.linspace(0, 1, 501), f"points, n = {len(x)}"
    for axes, (degree, (curve, loss)) in zip(panels, fits.items(), strict=True):
        axes.plot(fine, np.sqrt(fine), color="black", ls=":", label="sqrt(x)")
        axes.plot(fine, curve(fine), color=orange, label="polynomial")
        axes.scatter(x, y, color=blue, s=25, zorder=3, label=points)
        title = f"degree {degree}: loss {loss:.4f}"
        axes.set(xlabel="x", ylim=(-0.3, 1.5), title=title)
    panels[0].set_ylabel("y")
    return _with_legend(figure, panels[0])


def rounds_figure(rounds: Mapping[str, Sequence[float]]) -> Figure:
    """Draw each experiment's accuracy against the epochs trained so far."""
    figure, (axes,) = _panels(1)
    palette = sns.color_palette("colorblind", len(rounds))
    for i, (name, accuracies) in enumerate(rounds.items()):
        axes.plot(
            list(accumulate(range(len(accuracies)))),  # round i trains i more
            accuracies,
            marker=MARKERS[i % len(MARKERS)],
            ms=9 - 2 * i,  # where curves coincide, each stays to be seen
            color=palette[i],
            label=name,
        )
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks(EPOCH_TICKS)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    axes.set(xlim=(-0.1, 230), ylim=(0, 1))
    axes.set(xlabel="epochs trained so far", ylabel="accuracy (share of rows)")
    axes.set_title("n = 1,500 rows, 150 steps an epoch")
    return _with_legend(figure, axes)


def starts_figure(starts: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Draw the accuracy of each random start, a panel for each experiment."""
    figure, panels = _panels(len(starts))
    colour = sns.color_palette("colorblind")[0]
    for axes, (name, curves) in zip(panels, starts.items(), strict=True):
        for curve in curves:
            epochs = range(1, len(curve) + 1)
            axes.plot(epochs, curve, marker="o", ms=3, lw=1.2, color=colour, alpha=0.6)
        axes.xaxis.set_major_locator(MultipleLocator(1))
        title = f"{name}: n = {len(curves)} starts, 1,500 rows"
        axes.set(xlabel="epochs trained", title=title)
    panels[0].set_ylabel("accuracy (share of rows)")
    return figure


def data_figure(data: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Draw two features of each row, coloured by class, a panel for each data set."""
    figure, panels = _panels(len(data))
    for axes, (name, (X, y)) in zip(panels, data.items(), strict=True):
        for number, colour in enumerate(sns.color_palette("colorblind", 3)):
            mine = X[y == number]
            axes.scatter(
                mine[:, 0], mine[:, 1], s=14, color=colour, alpha=0.6, lw=0,
                marker=MARKERS[number], label=f"class {number}, n = {len(mine)}",
            )  # fmt: skip
        axes.set(xlabel="feature 1", title=name)
    panels[0].set_ylabel("feature 2")
    return _with_legend(figure, panels[0])


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side on the same y axis."""
    width = {1: 7.5, 2: 11}.get(count, 3.6 * count)
    with theme():
        return new_figure(width, 4.8, columns=count, sharey=True)


def _with_legend(figure: Figure, axes: Axes) -> Figure:
    """Put the legend of one panel below, off the data."""
    legend_below(figure, [axes])
    return figure

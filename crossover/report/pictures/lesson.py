"""The lesson's pictures: one function a picture, Axes in and out."""

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


def plot_softmax(
    axes: Axes, k: Sequence[float], hinge: Sequence[float], soft: Sequence[float]
) -> Axes:
    """Draw max(k, 0) and the smooth log(1 + e^k) over it."""
    first, second = sns.color_palette("colorblind", 2)
    axes.plot(k, hinge, color=first, marker="o", ms=8, label="max(k, 0)")
    axes.plot(k, soft, color=second, marker="s", ms=4, ls="--", label="log(1 + e^k)")
    axes.xaxis.set_major_locator(MultipleLocator(2))
    title = f"softmax against max, n = {len(k)} points"
    axes.set(xlabel="k", ylabel="value at k", title=title)
    return axes


def plot_polynomial_fit(
    axes: Axes,
    x: Array,
    y: Array,
    degree: int,
    curve: Callable[[Array], Array],
    loss: float,
) -> Axes:
    """Draw the points, sqrt(x), and a polynomial through them."""
    colours = sns.color_palette("colorblind", 4)
    fine = np.linspace(0, 1, 501)
    axes.plot(fine, np.sqrt(fine), color="black", ls=":", label="sqrt(x)")
    axes.plot(fine, curve(fine), color=colours[1], label="polynomial")
    axes.scatter(x, y, color=colours[0], s=25, zorder=3, label=f"points, n = {len(x)}")
    axes.set(xlabel="x", ylim=(-0.3, 1.5), title=f"degree {degree}: loss {loss:.4f}")
    return axes


def plot_rounds(axes: Axes, rounds: Mapping[str, Sequence[float]]) -> Axes:
    """Draw each experiment's accuracy against the epochs trained so far."""
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
    return axes


def plot_starts(axes: Axes, name: str, curves: Sequence[Sequence[float]]) -> Axes:
    """Draw the accuracy of each random start against epochs."""
    colour = sns.color_palette("colorblind")[0]
    for curve in curves:
        epochs = range(1, len(curve) + 1)
        axes.plot(epochs, curve, marker="o", ms=3, lw=1.2, color=colour, alpha=0.6)
    axes.xaxis.set_major_locator(MultipleLocator(1))
    title = f"{name}: n = {len(curves)} starts, 1,500 rows"
    axes.set(xlabel="epochs trained", title=title)
    return axes


def plot_data(axes: Axes, name: str, X: Array, y: Array) -> Axes:
    """Draw the first two features of each row, coloured by class."""
    palette = sns.color_palette("colorblind", 3)
    for number, colour in enumerate(palette):
        mine = X[y == number]
        axes.scatter(
            mine[:, 0], mine[:, 1], s=14, color=colour, alpha=0.6, lw=0,
            marker=MARKERS[number], label=f"class {number}, n = {len(mine)}",
        )  # fmt: skip
    axes.set(xlabel="feature 1", title=name)
    return axes


def softmax_figure(
    k: Sequence[float], hinge: Sequence[float], soft: Sequence[float]
) -> Figure:
    """Draw softmax against max."""
    figure, (axes,) = _panels(1)
    plot_softmax(axes, k, hinge, soft)
    return _with_legend(figure, axes)


def polynomial_figure(
    x: Array, y: Array, fits: Mapping[int, tuple[Callable[[Array], Array], float]]
) -> Figure:
    """Draw the fit of each degree beside the others."""
    figure, panels = _panels(len(fits))
    for axes, (degree, (curve, loss)) in zip(panels, fits.items(), strict=True):
        plot_polynomial_fit(axes, x, y, degree, curve, loss)
    panels[0].set_ylabel("y")
    return _with_legend(figure, panels[0])


def rounds_figure(rounds: Mapping[str, Sequence[float]]) -> Figure:
    """Draw accuracy against epochs."""
    figure, (axes,) = _panels(1)
    plot_rounds(axes, rounds)
    return _with_legend(figure, axes)


def starts_figure(starts: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Draw the random starts of each experiment beside the others."""
    figure, panels = _panels(len(starts))
    for axes, (name, curves) in zip(panels, starts.items(), strict=True):
        plot_starts(axes, name, curves)
    panels[0].set_ylabel("accuracy (share of rows)")
    return figure


def data_figure(data: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Draw each data set beside the others."""
    figure, panels = _panels(len(data))
    for axes, (name, (X, y)) in zip(panels, data.items(), strict=True):
        plot_data(axes, name, X, y)
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

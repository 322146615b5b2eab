"""What a step costs by batch size: Axes in and out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossover.report.pictures.labels import plain
from crossover.report.pictures.layout import entitle, legend_below, new_figure, say
from crossover.report.pictures.styles import looks, theme
from crossover.report.pictures.ticks import log_axis, size_axis
from crossover.report.words.numbers import seconds
from crossover.workloads.softmax import SOFTMAX

POINTS = 200
"""Of a fitted curve."""


@dataclass(frozen=True)
class StepCurve:
    """Seconds a step of one code at each batch size, and what was fitted to them."""

    name: str
    sizes: tuple[int, ...]
    step_s: tuple[float, ...]
    low_s: tuple[float, ...]
    high_s: tuple[float, ...]
    floor_s: float
    """What a step costs however few rows it has; 0 where the fit finds none."""
    row_s: float


def plot_steps(axes: Axes, curves: Sequence[StepCurve], marked: int) -> Axes:
    """Draw each code's step against the batch, its fit and, dotted, its floor.

    Args:
        axes: to draw on.
        curves: one a code.
        marked: the batch size at which a line stands.
    """
    if not curves:
        return say(axes, "not measured")
    palette = looks(curve.name for curve in curves)
    for curve in curves:
        look = palette[curve.name]
        middle, low, high = map(np.array, (curve.step_s, curve.low_s, curve.high_s))
        axes.errorbar(
            curve.sizes, middle, (np.clip(middle - low, 0, None), high - middle),
            color=look.colour, marker=look.marker, ls="", ms=7, capsize=4,
            label=plain(curve.name),
        )  # fmt: skip
        fine = np.geomspace(min(curve.sizes), max(curve.sizes), POINTS)
        fit = curve.floor_s + curve.row_s * fine
        axes.plot(fine, fit, color=look.colour, ls=look.line, lw=1.5)
        if curve.floor_s > 0:
            axes.axhline(
                curve.floor_s, color=look.colour, ls=":", lw=1.5,
                label=plain(f"floor of a step: {seconds(curve.floor_s)}"),
            )  # fmt: skip
    axes.axvline(marked, color="black", lw=1, ls="--", label="the lesson's batch")
    size_axis(
        axes, SOFTMAX.size("batch_size"), {s for curve in curves for s in curve.sizes}
    )
    log_axis(axes, "y", "time per step", seconds)
    return axes


def steps_figure(curves: Sequence[StepCurve], marked: int, title: str) -> Figure:
    """Draw all codes in one panel, the legend below."""
    with theme():
        figure, (axes,) = new_figure(8.5, 5)
        plot_steps(axes, curves, marked)
        entitle(axes, plain(title))
        legend_below(figure, [axes])
    return figure

"""A contender against itself, round by round: what this run takes for no difference."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from crossover.analysis.panels import Control
from crossover.report.pictures.labels import name_of, plain
from crossover.report.pictures.layout import entitle, legend_below, new_figure
from crossover.report.pictures.styles import Look, look_of, theme
from crossover.report.pictures.ticks import log_axis
from crossover.report.words.numbers import percent, times
from crossover.report.words.sentences import fixed_values

MOST_LABELLED = 10
"""At most this many sizes are labelled; of more, every second or third is."""
SLOT = 0.8
"""The rounds of a size take this share of its width."""


def plot_control(axes: Axes, control: Control, palette: Mapping[str, Look]) -> Axes:
    """Draw each round's ratio, in its order, by size; the margin is shaded."""
    look = look_of(palette, control.contender)
    sizes = list(control.medians)
    low, high = 1 / (1 + control.margin), 1 + control.margin
    axes.axhspan(low, high, color="black", alpha=0.12, lw=0)
    axes.axhline(1, color="black", lw=1.2)
    for slot, size in enumerate(sizes):
        ratios = [point.ratio for point in control.points if point.size == size]
        places = np.linspace(-SLOT / 2, SLOT / 2, len(ratios) + 2)[1:-1] + slot
        axes.plot(
            places, ratios, ls="", marker=look.marker, ms=5, color=look.colour,
            alpha=0.8, mew=0, label="" if slot else _point_words(control),
        )  # fmt: skip
        axes.plot(
            [slot - SLOT / 2, slot + SLOT / 2], [control.medians[size]] * 2,
            color="black", lw=2.2, label="" if slot else "median of all rounds",
        )  # fmt: skip
    log_axis(axes, "y", "time / its copy's time (ratio)", times, least=1.1)
    every = -(-len(sizes) // MOST_LABELLED)
    axes.set_xticks(
        range(0, len(sizes), every),
        labels=[f"{size:,}\nn = {control.rounds[size]:,}" for size in sizes[::every]],
    )
    axes.set_xlim(-0.6, len(sizes) - 0.4)
    along = control.sweep.workload.size(control.sweep.axis)
    axes.set_xlabel(f"{along.axis_label}, rounds from left to right")
    axes.grid(visible=False, axis="x")
    entitle(axes, f"{name_of(control.contender)}: {verdict(control)}")
    return axes


def control_figure(controls: Sequence[Control], palette: Mapping[str, Look]) -> Figure:
    """Draw every control of a run, one below the other."""
    with theme():
        count = len(controls)
        figure, panels = new_figure(9.5, 4.3 * count, rows=count)
        for axes, control in zip(panels, controls, strict=True):
            plot_control(axes, control, palette)
            fixed = plain(fixed_values(control.sweep))
            entitle(axes, f"{axes.get_title()}\n{fixed}")
        margin = f"margin of {percent(controls[0].margin)}"  # of the run
        legend_below(figure, panels, [Patch(color="black", alpha=0.12, label=margin)])
        figure.suptitle("A/A control: one contender measured against itself")
    return figure


def verdict(control: Control) -> str:
    """Say what the control found, as it must not."""
    if control.fired and control.crossover is not None:
        outcome = control.crossover.answer.outcome.replace("_", " ")
        return f"control fired ({outcome}), no verdict of this run stands"
    if control.crossover is None or control.crossover.answer.outcome == "not_measured":
        return "too few rounds for a verdict"
    return "no difference found, as it must be"


def _point_words(control: Control) -> str:
    if control.rounds_a_point == 1:
        return "one round"
    return f"median of {control.rounds_a_point} neighbouring rounds"

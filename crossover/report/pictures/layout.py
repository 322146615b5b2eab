"""Figures outside pyplot, legends off the data, and texts in place of data."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from crossover.report.pictures.labels import wrapped

DPI = 110
"""The saved PNG has the same resolution: letters' widths are rounded to its pixels."""
PAD_IN = 0.07
"""A margin around everything: a browser may draw an SVG's letters a little wider."""
CHARACTER_IN, LINE_IN, HANDLE_IN = 0.098, 0.25, 0.7
"""A character, a line and a legend's sign take about this much room, in inches."""


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, **more: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure outside pyplot, so that it is freed with its last reference.

    Args:
        width: inches.
        height: inches, without a legend.
        rows: of panels.
        columns: of panels.
        more: passed on to `Figure.subplots`.
    """
    layout = ConstrainedLayoutEngine(w_pad=PAD_IN, h_pad=PAD_IN)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    panels = figure.subplots(rows, columns, squeeze=False, **more)
    return figure, list(panels.flat)


def say(axes: Axes, text: str) -> Axes:
    """Write a text where nothing is to be drawn."""
    axes.set(xticks=[], yticks=[])
    axes.text(
        0.5, 0.5, wrapped(text, 40), ha="center", va="center", transform=axes.transAxes
    )
    return axes


def entitle(axes: Axes, text: str) -> None:
    """Give axes a title of one line or more, in place.

    Matplotlib would look for ticks above, at every draw, if it were to find the place.
    """
    axes.set_title(text, y=1.0)


def legends_below(figure: Figure, panels: Sequence[Axes]) -> None:
    """Put a legend under each of some panels side by side, and make room for them.

    They are the columns of one legend, as the layout makes room for that alone.
    """
    columns = [axes.get_legend_handles_labels() for axes in panels]
    longest = max(len(handles) for handles, _ in columns)
    blank = Line2D([], [], ls="")
    handles: list[Artist] = []
    labels: list[str] = []
    for some, names in columns:
        handles += [*some, *[blank] * (longest - len(some))]
        labels += [*names, *[""] * (longest - len(some))]
    if longest:
        tallest = max(sum(map(_lines, names)) for _, names in columns)
        _add_legend(figure, handles, labels, len(columns), tallest)


def legend_below(
    figure: Figure, panels: Sequence[Axes], more: Sequence[Artist] = ()
) -> None:
    """Put one legend for all panels below them, and make room for it.

    Args:
        figure: of the panels.
        panels: an artist of the same label in several of them is listed once.
        more: labelled artists that stand in no panel.
    """
    found: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    found |= {str(handle.get_label()): handle for handle in more}
    if found:
        longest = max(len(line) for label in found for line in label.split("\n"))
        room = figure.get_figwidth() - 0.4
        columns = int(room / (longest * CHARACTER_IN + HANDLE_IN))
        columns = max(1, min(len(found), columns))
        lines = -(-sum(map(_lines, found)) // columns)
        _add_legend(figure, list(found.values()), list(found), columns, lines)


def _lines(label: str) -> int:
    return label.count("\n") + 1


def _add_legend(
    figure: Figure,
    handles: Sequence[Artist],
    labels: Sequence[str],
    columns: int,
    lines: int,
) -> None:
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False
    )
    figure.set_figheight(figure.get_figheight() + LINE_IN * lines)

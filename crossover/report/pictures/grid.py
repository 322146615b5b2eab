"""A pair's speedup over two axes: a heatmap with the crossover's contour."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from crossover.analysis.panels import Grid
from crossover.findings import Answer
from crossover.report.pictures.labels import pair_label, plain
from crossover.report.pictures.layout import entitle, legend_below, new_figure
from crossover.report.pictures.styles import theme
from crossover.report.pictures.ticks import apart, log_axis, log_ticks
from crossover.report.words.numbers import count, number, percent, spanned, times
from crossover.report.words.sentences import joined, values_of

Corners = Sequence[tuple[float, float]]

MAP = "PuOr"
"""Orange: slower, white: as fast, purple: faster; told apart by the colour-blind."""
MOST_NUMBERS = 120
ROOM = 0.055
"""A cell narrower than this share of the axis gets no number."""
LOW = 0.28
"""A crossover is drawn at this height of its row; the numbers stand above it."""
TOUCH = 1.25
"""The colours span at least this speedup, so that noise is not shown as contrast."""
WIDTH, ROW, TALLEST = 9.5, 0.62, 9.0
"""Inches: the figure's width, a row's height, and the height of all rows at most."""


def plot_grid(axes: Axes, grid: Grid) -> Axes:
    """Draw the speedup of each cell, a row a sweep, and where the lead changes.

    A cell reaches halfway to its neighbours on the log axis. Dotted is what was not
    asked for, hatched what was asked for and not measured. In each row with a crossover
    a bar shows its interval, with an arrow where it is open, and a line joins those of
    neighbouring rows.
    """
    edges = [_edges(line.sizes) for line in grid.lines]
    left, right = min(e[0] for e in edges), max(e[-1] for e in edges)
    corners, missing = list[Corners](), list[Corners]()
    values: list[float] = []
    for row, (line, ends) in enumerate(zip(grid.lines, edges, strict=True)):
        measured = {point.size: point.speedup for point in line.speedups}
        for size, low, high in zip(line.sizes, ends[:-1], ends[1:], strict=True):
            cell = [(low, row), (high, row), (high, row + 1), (low, row + 1)]
            if size in measured:
                corners.append(cell)
                values.append(measured[size])
            else:
                missing.append(cell)
    most = max(TOUCH, *values, *(1 / v for v in values))
    cells = PolyCollection(
        corners, array=np.array(values), cmap=MAP, norm=LogNorm(1 / most, most),
        edgecolors="white", linewidths=0.8,
    )  # fmt: skip
    along, second = map(plain, (grid.axis, grid.second_axis))
    if grid.case is not None:
        size = grid.case.workload.size
        along, second = size(grid.axis).axis_label, size(grid.second_axis).axis_label
    log_axis(axes, "x", along, count)
    axes.add_collection(cells)
    axes.set(xlim=(left, right), ylim=(0, len(grid.lines)))
    axes.set_xticks(apart({p.size for line in grid.lines for p in line.speedups}))
    axes.set_yticks([row + 0.5 for row in range(len(grid.lines))])
    axes.set_yticklabels([count(line.value) for line in grid.lines])
    axes.set_ylabel(second)
    axes.grid(visible=False)
    axes.patch.set(facecolor="white", edgecolor="#c4c4c4", hatch="..", lw=0)
    if missing:
        holes = PolyCollection(missing, hatch="///", lw=0, label="not measured")
        holes.set(facecolor="white", edgecolor="#8a8a8a")
        axes.add_collection(holes)
    if len(values) <= MOST_NUMBERS and len(grid.lines) * ROW <= TALLEST:
        _numbers(axes, cells, corners, values)
    _contour(axes, grid)
    rounds = spanned([p.rounds for line in grid.lines for p in line.speedups])
    entitle(axes, f"median of n = {rounds} pairs a cell")
    return axes


def grid_figure(grid: Grid) -> Figure:
    """Draw one grid with its colour bar, the legend below."""
    with theme():
        height = 2.6 + min(TALLEST, ROW * len(grid.lines))
        figure, (axes,) = new_figure(WIDTH, height)
        plot_grid(axes, grid)
        cells = next(c for c in axes.collections if isinstance(c, PolyCollection))
        assert isinstance(cells.norm, LogNorm)
        bar = figure.colorbar(
            cells, ax=axes, aspect=12, pad=0.02, format=lambda value, _: times(value),
            ticks=log_ticks(cells.norm.vmin or 0.0, cells.norm.vmax or 0.0),
        )  # fmt: skip
        bar.ax.minorticks_off()
        bar.set_label("speedup (times as fast)")
        legend_below(figure, [axes])
        title = pair_label((grid.baseline, grid.challenger))
        if grid.case is not None:
            title += f"\n{plain(f'at {joined(values_of(grid.case))}')}"
        figure.suptitle(title)
    return figure


def _edges(sizes: Sequence[int]) -> list[float]:
    """Return where the cells of some sizes meet: halfway, on a log axis."""
    logs = np.log(sizes)
    half = np.diff(logs) / 2 if len(logs) > 1 else np.array([math.log(2) / 2])
    inner = logs[:-1] + half if len(logs) > 1 else np.array([])
    ends = np.concatenate([[logs[0] - half[0]], inner, [logs[-1] + half[-1]]])
    return [float(edge) for edge in np.exp(ends)]


def _numbers(
    axes: Axes,
    cells: PolyCollection,
    corners: Sequence[Corners],
    values: Sequence[float],
) -> None:
    left, right = np.log(axes.get_xlim())
    for corner, value in zip(corners, values, strict=True):
        low, high = math.log(corner[0][0]), math.log(corner[1][0])
        if (high - low) / (right - left) < ROOM:
            continue
        red, green, blue, _ = cells.to_rgba(np.array([value]))[0]
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        axes.text(
            math.exp((low + high) / 2), corner[0][1] + 0.7,
            f"{number(value, 2)}x", ha="center", va="center", fontsize=10,
            color="white" if dark else "black", clip_on=True,
        )  # fmt: skip


def _contour(axes: Axes, grid: Grid) -> None:
    """Mark each row's crossover, and join those of neighbouring rows."""
    rows = list(_found(grid))
    for (row, at, _), (above, other, _) in pairwise(rows):
        if above == row + 1:
            x, y = [at, other], [row + LOW, above + LOW]
            axes.plot(x, y, color="white", lw=3.5, zorder=3)
            axes.plot(x, y, color="black", lw=1.6, ls=(0, (4, 2)), zorder=3.1)
    for row, at, a in rows:
        height = row + LOW
        if a.confidence is not None:
            _interval(axes, a, height)
        axes.plot(at, height, marker="o", ms=8, color="white", mec="black", zorder=3.5)
    if rows:
        share = rows[0][2].confidence
        interval = f", {percent(share)} interval (arrow: open)" if share else ""
        axes.plot(
            [], [], color="black", lw=2.4 if share else 0, marker="o", ms=8,
            mfc="white", label=f"ahead from here on{interval}",
        )  # fmt: skip


def _interval(axes: Axes, a: Answer, height: float) -> None:
    """Draw a crossover's interval, with an arrow where it is open."""
    left, right = axes.get_xlim()
    ends = [max(a.low or left, left), min(a.high or right, right)]
    axes.plot(ends, [height] * 2, color="white", lw=6, zorder=3.2)
    axes.plot(ends, [height] * 2, color="black", lw=2.4, zorder=3.3)
    sign: dict[str, Any] = {"ms": 9, "mew": 2, "color": "black", "zorder": 3.4}
    heads = "|" if a.low else "<", "|" if a.high else ">"
    for head, end in zip(heads, ends, strict=True):
        axes.plot(end, height, marker=head, clip_on=False, **sign)


def _found(grid: Grid) -> Iterator[tuple[int, float, Answer]]:
    """Yield each row with a crossover, where that is, and its answer."""
    for row, line in enumerate(grid.lines):
        found = line.answer
        if found and found.outcome == "found" and found.at is not None:
            yield row, found.at, found

"""Speedup over two axes and break-even epochs, drawn."""

import dataclasses
import math

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from crossover.analysis.breakeven import BreakEven
from crossover.analysis.panels import Grid, GridLine
from crossover.analysis.sweeps import Speedup
from crossover.findings import Answer, Crossover
from crossover.report.pictures.breakeven import break_even_figure, plot_break_even
from crossover.report.pictures.grid import grid_figure, plot_grid
from crossover.report.pictures.styles import looks
from crossover.spec.sweep import sweep_type
from crossover.workloads.softmax import SOFTMAX

Sweep = sweep_type(SOFTMAX)
BATCHES = SOFTMAX.size("batch_size")

A, B = "cpu/resident@1", "cpu/resident@2"
LONG = "cpu/a_trainer_with_a_very_long_name_indeed"
SWEEP = Sweep(axis="batch_size", values=(10, 100, 1000), samples=10000)
LOOKS = looks([A, B, LONG])


def found(at, low, high):
    case = SOFTMAX.case(samples=1000).without("batch_size")
    return Crossover(
        "batch_size",
        case,
        "train",
        "time_s",
        A,
        B,
        Answer("found", at, low, high, 0.95),
    )


def grid(rows=3, sizes=(10, 100, 1000), hole=True, factor=0.1):
    """Rows of speedups 0.5, 1, 2 or so; the last row lacks its last cell."""
    lines = []
    for row in range(rows):
        points = [
            Speedup(size, A, B, factor * size**0.5 * (1 + row), 0.9, 1.1, 0.97, 8)
            for size in sizes
        ]
        if hole and row == rows - 1:
            points.pop()
        crossed = found(100 / (1 + row), None if row == 0 else 20, 200).answer
        line = GridLine(10 ** (row + 3), sizes, tuple(points), crossed)
        lines.append(line)
    return Grid("batch_size", "samples", SOFTMAX.case(), "train", A, B, tuple(lines))


def test_a_grid_has_a_cell_a_speedup_with_1x_in_the_middle():
    axes = Figure().subplots()
    assert plot_grid(axes, grid()) is axes
    cells = next(c for c in axes.collections if isinstance(c, PolyCollection))
    expected = [0.1 * s**0.5 * (1 + r) for r in range(3) for s in (10, 100, 1000)][:-1]
    assert cells.get_array().tolist() == pytest.approx(expected)
    assert cells.norm.vmin * cells.norm.vmax == pytest.approx(1)
    assert cells.norm(np.array([1.0]))[0] == pytest.approx(0.5)
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "1,000",
        "10,000",
        "100,000",
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "batch size (samples)",
        "number of samples",
    )
    assert axes.get_title() == "median of n = 8 pairs a cell"
    assert [t.get_text() for t in axes.texts][:3] == ["0.32x", "1x", "3.2x"]


def hatched(axes):
    return [collection for collection in axes.collections if collection.get_hatch()]


def test_a_grid_hatches_what_was_not_measured_and_only_then():
    axes = Figure().subplots()
    plot_grid(axes, grid())
    (holes,) = hatched(axes)
    assert holes.get_hatch() == "///"
    (hole,) = holes.get_paths()  # that cell alone
    assert hole.vertices[0] == pytest.approx([1000 / 10**0.5, 2])
    assert "not measured" in axes.get_legend_handles_labels()[1]
    axes = Figure().subplots()
    plot_grid(axes, grid(hole=False))
    assert not hatched(axes)


def test_a_grids_contour_has_intervals_and_open_ends():
    axes = Figure().subplots()
    plot_grid(axes, grid())
    dots = [
        line.get_xdata()[0]
        for line in axes.get_lines()
        if line.get_marker() == "o" and len(line.get_xdata()) == 1
    ]
    assert dots == pytest.approx([100, 50, 100 / 3])
    heads = [
        line.get_marker() for line in axes.get_lines() if line.get_marker() in "<>|"
    ]
    assert heads == ["<", "|", "|", "|", "|", "|"]
    bars = [list(line.get_xdata()) for line in axes.get_lines() if line.get_lw() == 2.4]
    assert bars[1] == [20, 200]


@pytest.mark.parametrize(
    "drawn",
    [grid(), grid(1, hole=False), grid(2, (64,), hole=False), grid(12), grid(40),
     grid(3, tuple(range(10, 400, 7))), grid(3, (1, 10**4, 10**8)),
     dataclasses.replace(grid(), baseline=LONG, challenger="<script>$1 \U0001f680")],
    ids=["three", "one", "single", "twelve", "forty", "many", "wide", "odd"],
)  # fmt: skip
def test_no_grid_is_clipped(drawn, unclipped):
    unclipped(grid_figure(drawn))


def broken(size, outcome, epochs=None, low=None, high=None, kind="bounded", **names):
    case = SWEEP.case_at(size)
    names = {"baseline": A, "challenger": B, **names}
    return BreakEven(
        case, names["baseline"], names["challenger"], outcome, kind, epochs, low, high,
        None, None, None, 0.95, 8, 1.0, 2.0, 0.2, 0.1,
    )  # fmt: skip


EVERY = [
    broken(10, "never", kind="none"),
    broken(20, "inconclusive", low=30.0, kind="open_above"),
    broken(50, "inconclusive", kind="unbounded"),
    broken(100, "pays_from", 20.0, 10.0, 40.0),
    broken(200, "pays_from", 0.5, None, 30.0, "open_below"),
    broken(500, "loses_from", 60.0, 50.0, 80.0),
    broken(1000, "at_once", kind="none"),
]


def test_break_evens_are_numbers_or_stand_in_a_named_row():
    axes = Figure().subplots()
    assert plot_break_even(axes, EVERY, BATCHES, LOOKS) is axes
    line = next(x for x in axes.get_lines() if x.get_label() == f"{B} against {A}")
    at = [None if math.isnan(y) else y for y in line.get_ydata()]
    assert at == [None, None, None, 20.0, None, 60.0, None]
    assert {t.get_text() for t in axes.texts} == {
        "never pays", "not decided", "under 1 epoch",
    }  # fmt: skip
    assert axes.get_ylabel() == "break-even (epochs)"
    assert axes.get_title() == "n = 8 shared rounds, bars: 95 % intervals by Fieller"
    (bars,) = axes.collections
    assert len(bars.get_segments()) == 4
    low, high = axes.get_ylim()
    assert low < 10
    assert high > 80


def test_open_intervals_are_arrows_and_explained(unclipped):
    figure = break_even_figure(EVERY, BATCHES, "batch size at $ 1", LOOKS)
    (axes,) = figure.axes
    arrows = [x.get_marker() for x in axes.get_lines() if x.get_marker() in ("^", "v")]
    assert sorted(arrows) == ["^", "v"]
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts == [
        f"{B} against {A}", "open: may never pay", "open: may pay at once",
        "ahead only up to there",
    ]  # fmt: skip
    unclipped(figure)


@pytest.mark.parametrize(
    "rows",
    [
        [broken(10, "never", kind="none")],
        [broken(10, "pays_from", 1e8, 1.0, None, "open_above")],
        [
            broken(size, "pays_from", 20.0, 10.0, 40.0, challenger=f"{LONG}{i}")
            for i in range(12)
            for size in (10, 100, 1000)
        ],
    ],
    ids=["never", "wide", "twelve"],
)
def test_no_break_even_is_clipped(rows, unclipped):
    figure = break_even_figure(rows, BATCHES, "batch size", LOOKS)
    unclipped(figure)
    for line in figure.axes[0].get_lines():
        data = line.get_transform() == figure.axes[0].transData
        low, high = figure.axes[0].get_xlim()
        assert not data or all(low < x < high for x in line.get_xdata())

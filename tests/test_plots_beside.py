"""The figures beside a sweep's curves, and all figures of a run."""

import dataclasses
import math
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from bench.analysis.breakeven import BreakEven
from bench.analysis.crossover import crossovers
from bench.analysis.panels import Control, ControlPoint, Grid, GridLine
from bench.analysis.phases import Phases, WarmUp
from bench.analysis.sweeps import Speedup
from bench.nouns import SCHEMA, Cell, Contender, Crossover, Machine, Measurement, Run
from bench.report import figures
from bench.report.breakeven_plots import break_even_figure, plot_break_even
from bench.report.control_plots import control_figure, plot_control
from bench.report.cost_plots import (
    phases_figure,
    plot_phases,
    plot_warm_up,
    warm_up_figure,
)
from bench.report.figures import image, pictures
from bench.report.grid_plots import grid_figure, plot_grid
from bench.report.looks import SAVING, looks
from bench.spec import Sweep, parse_spec
from softmax_core.case import Case

A, B = "cpu/resident@1", "cpu/resident@2"
LONG = "cpu/a_trainer_with_a_very_long_name_indeed"
SWEEP = Sweep(axis="batch_size", values=(10, 100, 1000), samples=10000)


def check_nothing_is_clipped(figure):
    with mpl.rc_context(SAVING):
        figure.draw_without_rendering()
    whole = figure.bbox.padded(1)
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            ends = ((box.x0, box.y0), (box.x1, box.y1))
            assert all(whole.contains(*end) for end in ends), text.get_text()
    for legend in figure.legends:
        for axes in figure.axes:
            assert not legend.get_window_extent().overlaps(axes.get_window_extent())


def found(at, low, high):
    case = Case(samples=1000)
    return Crossover(
        "batch_size", case, "train", "time_s", A, B, "found", at, low, high, 0.95
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
        crossed = found(100 / (1 + row), None if row == 0 else 20, 200)
        line = GridLine(10 ** (row + 3), sizes, tuple(points), crossed)
        lines.append(line)
    return Grid("batch_size", "samples", Case(), "train", A, B, tuple(lines))


def test_a_grid_has_a_cell_a_speedup_with_1x_in_the_middle():
    axes = Figure().subplots()
    assert plot_grid(axes, grid()) is axes
    (cells,) = [c for c in axes.collections if isinstance(c, PolyCollection)]
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


def test_a_grid_hatches_what_was_not_measured_and_only_then():
    axes = Figure().subplots()
    plot_grid(axes, grid())
    assert [p.get_hatch() for p in axes.patches] == ["///"]
    assert "not measured" in axes.get_legend_handles_labels()[1]
    axes = Figure().subplots()
    plot_grid(axes, grid(hole=False))
    assert not axes.patches


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
def test_no_grid_is_clipped(drawn):
    check_nothing_is_clipped(grid_figure(drawn))


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
    assert plot_break_even(axes, EVERY, "batch_size") is axes
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


def test_open_intervals_are_arrows_and_explained():
    figure = break_even_figure(EVERY, "batch_size", "batch size at $ 1")
    (axes,) = figure.axes
    arrows = [x.get_marker() for x in axes.get_lines() if x.get_marker() in ("^", "v")]
    assert sorted(arrows) == ["^", "v"]
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts == [
        f"{B} against {A}", "open: may never pay", "open: may pay at once",
        "ahead only up to there",
    ]  # fmt: skip
    check_nothing_is_clipped(figure)


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
        [],
    ],
    ids=["never", "wide", "twelve", "none"],
)
def test_no_break_even_is_clipped(rows):
    figure = break_even_figure(rows, "batch_size", "batch size")
    check_nothing_is_clipped(figure)
    if not rows:
        assert figure.axes[0].texts[0].get_text() == "not measured"
    for line in figure.axes[0].get_lines():
        data = line.get_transform() == figure.axes[0].transData
        low, high = figure.axes[0].get_xlim()
        assert not data or all(low < x < high for x in line.get_xdata())


def parts(contender, size, setup_s=2.0, transfer_s=0.5, train_s=0.5):
    total_s = train_s + (transfer_s or 0) + (setup_s or 0)
    return Phases(contender, size, setup_s, transfer_s, train_s, total_s, 8)


def test_phases_are_shares_with_the_total_above():
    axes = Figure().subplots()
    rows = [parts(A, 10), parts(B, 10, None, 0.001, 0.999)]
    assert plot_phases(axes, rows) is axes
    widths = [patch.get_width() for patch in axes.patches]
    expected = [2 / 3, 0, 1 / 6, 0.001, 1 / 6, 0.999]
    assert widths == pytest.approx(expected)
    assert len({patch.get_hatch() for patch in axes.patches}) == 3
    said = {t.get_text() for t in axes.texts}
    assert {"67 %", "17 %", ">99 %", "3 s", "1 s, set-up not recorded"} == said
    assert [t.get_text() for t in axes.get_yticklabels()] == [A, B]
    assert axes.get_xlabel() == "share of the total (%)"


def warm(contender, size, calls=5):
    numbers = tuple(range(1, calls + 1))
    return WarmUp(contender, size, numbers, (1e-2, *[1e-3] * (calls - 1)), calls)


def test_a_warm_up_rings_its_first_call():
    axes = Figure().subplots()
    palette = looks([B, A])
    assert plot_warm_up(axes, [warm(A, 10)], palette) is axes
    line, ring = axes.get_lines()
    assert list(line.get_ydata()) == [1e-2, 1e-3, 1e-3, 1e-3, 1e-3]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (1, 1e-2)
    assert line.get_color() == palette[A].colour
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "time per epoch of the call (ms)"
    assert axes.get_title() == "n = 5 calls"


@pytest.mark.parametrize("names", [[A], [A, LONG], [f"{LONG}{i}" for i in range(12)]])
@pytest.mark.parametrize("sizes", [(10,), (10, 100, 1000)])
def test_no_phases_or_warm_up_are_clipped(names, sizes):
    rows = [parts(name, size) for size in sizes for name in names]
    figure = phases_figure(rows, "batch_size", "batch size at something")
    check_nothing_is_clipped(figure)
    assert [axes.get_title() for axes in figure.axes] == [
        f"batch size {size:,}" for size in sizes
    ]
    warmed = [warm(name, size, size) for size in sizes for name in names]
    check_nothing_is_clipped(warm_up_figure(warmed, "batch_size", "batch size"))


def test_nothing_recorded_is_said():
    for figure in (
        phases_figure([], "epochs", "x"),
        warm_up_figure([], "epochs", "x"),
        control_figure([]),
    ):
        assert figure.axes[0].texts[0].get_text().startswith("not measured")
        check_nothing_is_clipped(figure)


def control(outcome="inconclusive", sizes=(10, 100, 1000), contender=A):
    points = [
        ControlPoint(size, r, 1 + 0.01 * (r - 3.5)) for size in sizes for r in range(8)
    ]
    row = dataclasses.replace(found(10, 1, 20), outcome=outcome, flags=("control",))
    return Control(
        SWEEP, contender, tuple(points), dict.fromkeys(sizes, 1.0),
        dict.fromkeys(sizes, 8), 1, 0.02, row,
    )  # fmt: skip


def test_a_control_shows_rounds_margin_and_verdict():
    axes = Figure().subplots()
    assert plot_control(axes, control()) is axes
    margin = axes.patches[0]
    assert margin.get_y() == pytest.approx(1 / 1.02)
    assert margin.get_y() + margin.get_height() == pytest.approx(1.02)
    rounds = [line for line in axes.get_lines() if line.get_ls() == "None"]
    assert len(rounds) == 3
    assert list(rounds[0].get_ydata()) == pytest.approx(
        [1 + 0.01 * (r - 3.5) for r in range(8)]
    )
    assert axes.get_title() == f"{A}: no difference found, as it must be"
    assert next(t.get_text() for t in axes.get_xticklabels()) == "10\nn = 8"
    axes = Figure().subplots()
    plot_control(axes, control("always"))
    assert "control fired (always)" in axes.get_title()


@pytest.mark.parametrize(
    "controls",
    [[control()], [control(), control(sizes=(7,), contender="$<script>")],
     [control(sizes=tuple(2**i for i in range(30)))]],
    ids=["one", "two", "many"],
)  # fmt: skip
def test_no_control_is_clipped(controls):
    check_nothing_is_clipped(control_figure(controls))


def made_run(sweeps=3, seconds=True):
    names = [A, B]
    spec = parse_spec(
        {
            "name": "made", "rounds": 8, "grid": True, "contenders": names,
            "pairs": [names],
            "sweep": [
                {"axis": "batch_size", "values": [10, 100, 1000], "samples": 1000 * n}
                for n in range(1, 1 + sweeps)
            ],
        },
        "test",
    )  # fmt: skip
    rows = []
    for sweep in spec.sweep:
        for size, case in sweep.cases().items():
            for text in (A, B, f"{A}#1"):
                c = Contender.parse(text)
                cost_s = 1e-3 * c.threads + size * 1e-5 / c.threads
                status = {"status": "ok"} if seconds else {"status": "failed"}
                rows += [
                    Measurement(
                        Cell(case, c).cell_id, "r", r, case=case, contender=c,
                        samples_s=(cost_s * (1 + 1e-3 * (r * c.threads % 5)),),
                        setup_s=1.0, transfer_s=0.01, warmup_s=(cost_s,) * 5, **status,
                        notes="" if seconds else "no <b>luck</b>",
                    )
                    for r in range(8)
                ]  # fmt: skip
    machine = Machine("h", "a CPU", 2, None, 8 << 30, 0.0, (), {}, {}, {}, "f")
    fields = spec.model_dump(mode="json")
    return Run("r", SCHEMA, fields, None, "", machine, tuple(rows))


def test_every_figure_of_a_run_has_a_name_and_words():
    run = made_run()
    shown = list(pictures(run, crossovers(run)))
    beside = ("", "-break_even", "-phases", "-warm_up")
    expected = [f"sweep{i}-batch_size{part}" for i in (1, 2, 3) for part in beside]
    assert [p.name for p in shown] == [*expected, "grid1-batch_size-samples", "control"]
    for picture in shown:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", picture.name)
        assert "n = " in picture.caption
        assert ".csv" in picture.caption
        assert re.search(r"\d", picture.alt)
    first = shown[0]
    assert "cpu/resident@2 overtakes cpu/resident@1" in first.alt
    assert first.heading.startswith("Time and speedup by batch size at 1,000 samples")
    assert image(first.figure, "png").startswith(b"\x89PNG")
    check_nothing_is_clipped(shown[-2].figure)


def test_pictures_are_drawn_when_asked_for():
    run = made_run()
    one, other = pictures(run, []), pictures(run, [])
    assert next(one).figure is not next(other).figure


def test_a_run_without_a_measurement_says_so_in_its_figures():
    run = made_run(seconds=False)
    shown = list(pictures(run, crossovers(run)))
    assert [p.name for p in shown] == [f"sweep{i}-batch_size" for i in (1, 2, 3)]
    text = shown[0].figure.axes[0].texts[0].get_text().replace("\n", " ")
    assert text == f"not measured: {A}: failed: no <b>luck</b>"
    assert "no <b>luck</b>" in shown[0].alt


def test_of_many_sweeps_only_the_first_is_drawn_in_detail(monkeypatch):
    monkeypatch.setattr(figures, "MOST_DETAILED", 2)
    shown = list(pictures(made_run(), [], breaks=[]))
    assert [p.name for p in shown] == [
        "sweep1-batch_size", "sweep1-batch_size-phases", "sweep1-batch_size-warm_up",
        "sweep2-batch_size", "sweep3-batch_size", "grid1-batch_size-samples", "control",
    ]  # fmt: skip
    assert "drawn of the first one only" in shown[4].caption


def test_what_is_not_drawn_of_many_grids_is_said(monkeypatch):
    monkeypatch.setattr(figures, "MOST_GRIDS", 0)
    assert not [p for p in pictures(made_run(), [], breaks=[]) if "grid" in p.name]
    monkeypatch.setattr(figures, "MOST_GRIDS", 1)
    monkeypatch.setattr(figures, "speedup_grids", lambda results: [grid(), grid()])
    drawn = [p for p in pictures(made_run(), [], breaks=[]) if "grid" in p.name]
    assert len(drawn) == 1
    assert drawn[0].caption.endswith("1 more pairs are not drawn.")

"""Where the time goes, the warm-up and the A/A control, drawn."""

import pytest
from matplotlib.figure import Figure

from crossover.analysis.panels import Control, ControlPoint
from crossover.analysis.phases import Phases, WarmUp
from crossover.findings import Answer, Crossover, SizeZone
from crossover.report.pictures.control import control_figure, plot_control
from crossover.report.pictures.costs import (
    phases_figure,
    plot_phases,
    plot_warm_up,
    warm_up_figure,
)
from crossover.report.pictures.styles import looks
from crossover.spec.sweep import sweep_type
from crossover.workloads.softmax import SOFTMAX

Sweep = sweep_type(SOFTMAX)
BATCHES = SOFTMAX.size("batch_size")

A, B = "cpu/resident@1", "cpu/resident@2"
LONG = "cpu/a_trainer_with_a_very_long_name_indeed"
SWEEP = Sweep(axis="batch_size", values=(10, 100, 1000), samples=10000)
LOOKS = looks([A, B, LONG])


def parts(contender, size, setup_s=2.0, transfer_s=0.5, train_s=0.5):
    total_s = train_s + (transfer_s or 0) + (setup_s or 0)
    return Phases(contender, size, setup_s, transfer_s, train_s, total_s, 8)


def test_phases_are_shares_with_the_total_above():
    axes = Figure().subplots()
    rows = [parts(A, 10), parts(B, 10, None, 0.001, 0.999)]
    assert plot_phases(axes, rows, LOOKS) is axes
    widths = [patch.get_width() for patch in axes.patches]
    expected = [2 / 3, 0, 1 / 6, 0.001, 1 / 6, 0.999]
    assert widths == pytest.approx(expected)
    assert len({patch.get_hatch() for patch in axes.patches}) == 3
    said = {t.get_text() for t in axes.texts} - {""}
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
    assert axes.get_ylabel() == "time per epoch of the call"
    assert axes.get_title() == "n = 5 calls"


@pytest.mark.parametrize("names", [[A], [A, LONG], [f"{LONG}{i}" for i in range(12)]])
@pytest.mark.parametrize("sizes", [(10,), (10, 100, 1000)])
def test_no_phases_or_warm_up_are_clipped(names, sizes, unclipped):
    rows = [parts(name, size) for size in sizes for name in names]
    figure = phases_figure(rows, BATCHES, "batch size at something", looks(names))
    unclipped(figure)
    assert [axes.get_title() for axes in figure.axes] == [
        f"batch size {size:,}" for size in sizes
    ]
    warmed = [warm(name, size, size) for size in sizes for name in names]
    unclipped(warm_up_figure(warmed, BATCHES, "batch size", looks(names)))


def control(outcome="inconclusive", sizes=(10, 100, 1000), contender=A):
    points = [
        ControlPoint(size, r, 1 + 0.01 * (r - 3.5)) for size in sizes for r in range(8)
    ]
    zone = "ahead" if outcome == "always" else "equal"
    row = Crossover(
        "batch_size",
        SWEEP.line,
        "train",
        "time_s",
        A,
        f"{A}#1",
        Answer(outcome, zones=(SizeZone(10.0, zone, 1.0),)),
        is_control=True,
    )
    return Control(
        SWEEP, contender, tuple(points), dict.fromkeys(sizes, 1.0),
        dict.fromkeys(sizes, 8), 1, 0.02, row,
    )  # fmt: skip


def test_a_control_shows_rounds_margin_and_verdict():
    axes = Figure().subplots()
    assert plot_control(axes, control(), LOOKS) is axes
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
    plot_control(axes, control("always"), LOOKS)
    assert "control fired (always)" in axes.get_title()


@pytest.mark.parametrize(
    "controls",
    [[control()], [control(), control(sizes=(7,), contender="$<script>")],
     [control(sizes=tuple(2**i for i in range(30)))]],
    ids=["one", "two", "many"],
)  # fmt: skip
def test_no_control_is_clipped(controls, unclipped):
    unclipped(control_figure(controls, LOOKS))

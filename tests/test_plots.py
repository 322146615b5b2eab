"""What the figures of a sweep show, and that nothing in them is clipped."""

import dataclasses
import math

import pytest
from matplotlib.figure import Figure

from crossover.analysis.sweeps import Speedup, SweepResult
from crossover.contender import Contender
from crossover.findings import Answer, Crossover, Estimate
from crossover.nouns import Cell
from crossover.report.pictures.curves import plot_speedups, plot_times, sweep_figure
from crossover.report.pictures.figures import image
from crossover.report.pictures.styles import look_of, looks
from crossover.spec.sweep import sweep_type
from crossover.workloads.softmax import SOFTMAX

Sweep = sweep_type(SOFTMAX)

ODD = [
    "<script>alert(1)</script>",
    "'quoted' \"twice\"",
    "$x_1$ costs $5",
    "_underlined",
    "rocket \U0001f680 and \u4e2d\u6587 and a\nnew line",
    "a_very_long_name_of_a_contender_that_nobody_would_type_twice_in_a_row",
]


def estimate(sweep, size, contender, seconds, spread=0.02, rounds=8):
    cell = Cell(sweep.case_at(size), contender)
    low, high = seconds * (1 - spread), seconds * (1 + spread)
    return Estimate(
        cell.id, "train", cell.case, contender, seconds, low, high, low, 0.97,
        rounds, (),
    )  # fmt: skip


def made(names, sizes=(10, 100, 1000), cost=None, epochs=1, crossovers=()):
    """One sweep of batch sizes; the first contender is the baseline of all others."""
    cost = cost or (lambda i, size: 1e-3 * (1 + i) + size * 1e-5 / (1 + i))
    sweep = Sweep(axis="batch_size", values=sizes, samples=10**9, epochs=epochs)
    contenders = [Contender(name, "t") for name in names]
    estimates = [
        estimate(sweep, size, c, cost(i, size))
        for i, c in enumerate(contenders)
        for size in sizes
    ]
    speedups = [
        Speedup(
            size, str(contenders[0]), str(c), cost(0, size) / cost(i, size),
            0.97 * cost(0, size) / cost(i, size), 1.03 * cost(0, size) / cost(i, size),
            0.97, 8,
        )
        for i, c in enumerate(contenders[1:], start=1)
        for size in sizes
    ]  # fmt: skip
    return SweepResult(
        sweep, "train", tuple(estimates), tuple(speedups), tuple(crossovers)
    )


def crossover(name, outcome="found", at=200.0, low=100.0, high=None, flags=()):
    case = Sweep(axis="batch_size", values=(10,), samples=10**9).line
    return Crossover(
        "batch_size",
        case,
        "train",
        "time_s",
        "c0/t",
        f"{name}/t",
        Answer(outcome, at, low, high, 0.95, flags=flags),
    )


LOOKS = looks(f"c{i}/t" for i in range(12))


def labels_of(figure):
    return [t.get_text() for legend in figure.legends for t in legend.get_texts()]


def test_times_are_per_repeat_with_bands_and_unit():
    axes = Figure().subplots()
    assert plot_times(axes, made(["c0", "c1"], epochs=4), LOOKS) is axes
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert list(lines) == ["c0/t", "c1/t"]
    expected = [(1e-3 + size * 1e-5) / 4 for size in (10, 100, 1000)]
    assert lines["c0/t"] == pytest.approx(expected)
    assert axes.get_ylabel() == "time per epoch"
    assert axes.get_xlabel() == "batch size (samples)"
    assert axes.get_title() == "median of n = 8 rounds, band: 97 % interval"
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx(0.98 * expected[0])
    assert band.max() == pytest.approx(1.02 * expected[2])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_the_interval_of_a_single_size_is_a_bar():
    axes = Figure().subplots()
    plot_times(axes, made(["c0"], (100,)), LOOKS)
    (bar,) = axes.collections[0].get_segments()
    assert bar.tolist() == [[100, 0.98 * 2e-3], [100, 1.02 * 2e-3]]


def test_fixed_costs_and_epoch_sweeps_are_not_divided():
    result = made(["c0"], epochs=4)
    assert result.per_repeat
    assert not dataclasses.replace(result, view="from_scratch").per_repeat
    sweep = Sweep(axis="epochs", values=(1, 10))
    assert not dataclasses.replace(result, sweep=sweep).per_repeat
    axes = Figure().subplots()
    plot_times(axes, dataclasses.replace(result, view="from_scratch"), LOOKS)
    assert axes.get_ylabel() == "time from scratch"
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx(1.1e-3)


def test_speedups_have_the_1x_line_and_the_crossovers_interval():
    result = made(["c0", "c1"], crossovers=[crossover("c1")])
    axes = Figure().subplots()
    assert plot_speedups(axes, result, LOOKS) is axes
    one, line, at = axes.get_lines()
    assert list(one.get_ydata()) == [1, 1]
    expected = [(1e-3 + s * 1e-5) / (2e-3 + s * 5e-6) for s in (10, 100, 1000)]
    assert line.get_ydata() == pytest.approx(expected)
    assert line.get_label() == "c1/t against c0/t"
    assert at.get_xdata()[0] == 200
    shade = axes.patches[0]
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (100, 1000)
    words = "ahead from 200, 95 % interval 100 to above the largest"
    assert at.get_label() == words
    assert axes.get_ylabel() == "speedup (times as fast)"
    assert axes.get_title() == "median of n = 8 pairs, band: 97 % interval"


def test_many_crossovers_are_bars_on_the_1x_line():
    names = [f"c{i}" for i in range(6)]
    rows = [crossover(name, high=400.0) for name in names[1:]]
    axes = Figure().subplots()
    plot_speedups(axes, made(names, crossovers=rows), LOOKS)
    assert not axes.patches
    bars = [line for line in axes.get_lines() if list(line.get_xdata()) == [100, 400]]
    assert len(bars) == 5
    ticks = [line for line in axes.get_lines() if list(line.get_xdata()) == [200]]
    assert [tick.get_marker() for tick in ticks] == ["|"] * 5
    labels = axes.get_legend_handles_labels()[1]
    assert labels[:2] == ["c1/t", "c2/t"]
    assert axes.get_ylabel() == "speedup over c0/t\n(times as fast)"
    assert labels[-1] == "on the 1x line: crossovers and their intervals"


def test_costs_and_controls_are_not_crossovers_of_the_figure():
    costly = dataclasses.replace(crossover("c1"), metric="cost")
    result = made(
        ["c0", "c1"],
        crossovers=[costly, dataclasses.replace(crossover("c1"), is_control=True)],
    )
    axes = Figure().subplots()
    plot_speedups(axes, result, LOOKS)
    assert not axes.patches


def test_a_contender_looks_the_same_everywhere_and_no_two_alike():
    names = [f"c{i}/t" for i in range(12)]
    palette = looks(names)
    assert len(set(palette.values())) == 12
    assert len({(look.marker, look.line) for look in palette.values()}) == 12
    assert look_of(palette, "c3/t#1") == palette["c3/t"]
    figure = sweep_figure(made([f"c{i}" for i in range(12)]), palette)
    left, right = figure.axes
    assert labels_of(figure) == names
    by_label = {line.get_label(): line for line in left.get_lines()}
    for line in right.get_lines()[1:]:
        challenger = line.get_label()
        assert line.get_color() == by_label[challenger].get_color()
        assert line.get_marker() == by_label[challenger].get_marker()


def test_pairs_of_one_challenger_differ_in_marker():
    result = made(["c0", "c1", "c2"])
    other = [
        dataclasses.replace(p, baseline="c1/t")
        for p in result.speedups
        if p.challenger == "c2/t"
    ]
    both = dataclasses.replace(result, speedups=(*result.speedups, *other))
    axes = Figure().subplots()
    plot_speedups(axes, both, LOOKS)
    twice = [line for line in axes.get_lines() if "c2/t against" in line.get_label()]
    assert len({line.get_color() for line in twice}) == 1
    assert len({line.get_marker() for line in twice}) == 2


NAN = made(["c0", "c1"], cost=lambda i, size: math.nan if size == 100 else 1e-3 + i)
WIDE = made(["c0", "c1"], (1, 10**4, 10**8), lambda i, size: size * 10.0 ** (i - 7))


@pytest.mark.parametrize(
    "result",
    [
        made(["c0"]),
        made(["c0", "c1"], crossovers=[crossover("c1")]),
        made(
            [f"c{i}" for i in range(12)],
            crossovers=[crossover(f"c{i}") for i in range(1, 12)],
        ),
        made([f"{'long' * 12}{i}" for i in range(12)]),
        made(["c0", "c1"], (64,)),
        made(["c0", "c1"], tuple(range(1, 200, 3))),
        NAN,
        WIDE,
        made(["c0", "c1"], cost=lambda i, size: 1e-3 * (1 + 1e-5 * i)),
        made(ODD),
    ],
    ids=[
        "one",
        "two",
        "twelve",
        "long",
        "single",
        "many",
        "nan",
        "wide",
        "flat",
        "odd",
    ],
)
def test_nothing_is_clipped_and_no_legend_is_over_data(result, unclipped):
    figure = sweep_figure(result, LOOKS)
    unclipped(figure)
    assert [len(axes.get_lines()) > 0 for axes in figure.axes] == [
        bool(result.estimates),
        bool(result.speedups),
    ]
    for axes in figure.axes:
        if axes.get_lines():
            assert len(axes.get_yticks()) >= 2 or len(axes.get_lines()) == 1


def test_eight_orders_of_magnitude_have_few_ticks():
    left, _ = sweep_figure(WIDE, LOOKS).axes
    ticks = left.get_yticks()
    assert ticks == pytest.approx([1e-6, 1e-4, 1e-2, 1, 100])
    written = [left.yaxis.get_major_formatter()(tick) for tick in ticks]
    assert written == ["1 \u00b5s", "100 \u00b5s", "10 ms", "1 s", "100 s"]


def test_nothing_measured_is_said_with_the_reason(unclipped):
    row = crossover("c1", "not_measured", None, None, None, ("c1/t: no $device",))
    figure = sweep_figure(made([], crossovers=[row]), LOOKS)
    said = [axes.texts[0].get_text() for axes in figure.axes]
    assert said == ["not measured: c1/t: no \\$device"] * 2
    unclipped(figure)
    bare = sweep_figure(made([]), LOOKS)
    assert [axes.texts[0].get_text() for axes in bare.axes] == ["not measured"] * 2


def test_odd_names_are_drawn_as_text():
    figure = sweep_figure(made(ODD), LOOKS)
    found = labels_of(figure)
    assert any(label.startswith("<script>") for label in found)
    assert "\\$x_1\\$ costs \\$5/t" in found
    assert " _underlined/t" in found
    svg = image(figure, "svg").decode()
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg

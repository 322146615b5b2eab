"""What a report says and shows, from runs whose numbers are made."""

import math
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from bench.analysis.crossover import crossovers
from bench.analysis.frame import frames
from bench.analysis.sweeps import sweep_results
from bench.nouns import SCHEMA, Cell, Contender, Crossover, Machine, Measurement, Run
from bench.report import tables
from bench.report.plots import _apart, colours, plot_speedups, plot_times, sweep_figure
from bench.report.write import write_report
from bench.spec import parse_spec
from softmax_core.case import Case

MACHINE = Machine(
    "host", "a <fast> CPU", 2, None, 8 << 30, 0.0, (), {"cuda": "no device"},
    {"torch": "2.13.0"}, {}, "f",
)  # fmt: skip
SPEC = {
    "name": "made",
    "rounds": 8,
    "grid": True,
    "control": False,
    "contenders": ["cpu/resident@1", "cpu/resident@2", "cuda/resident"],
    "pairs": [
        ["cpu/resident@1", "cpu/resident@2"],
        ["cpu/resident@2", "cuda/resident"],
    ],
    "sweep": [
        {"axis": "batch_size", "values": [10, 100, 1000, 10000], "samples": 10000},
        # holds the case n10000-b100, too, with another learning rate: no mixing
        {"axis": "epochs", "values": [1, 2], "samples": 10000, "batch_size": 100,
         "learning_rate": 0.01},
    ],
}  # fmt: skip


def made_run(command="crossover run"):
    """One thread costs 1 ms + b us, two 1.5 ms + b / 2: equal at batch 1000."""
    spec = parse_spec(SPEC, "test")
    rows = []
    for sweep in spec.sweep:
        for size, case in sweep.cases().items():
            for threads in (1, 2):
                contender = Contender("cpu", "resident", threads)
                cost_s = {1: 1e-3 + size * 1e-6, 2: 1.5e-3 + size * 0.5e-6}[threads]
                cell_id = Cell(case, contender).cell_id
                rows += [
                    Measurement(
                        cell_id, "r", r, "ok", case, contender, (0, 1),
                        (cost_s * (1 + 0.001 * r), cost_s * (1 - 0.002 * r)),
                        setup_s=1.0, transfer_s=0.0, threads=threads,
                    )
                    for r in range(8)
                ]  # fmt: skip
            contender = Contender("cuda", "resident")
            cell_id = Cell(case, contender).cell_id
            rows.append(
                Measurement(
                    cell_id, "r", 0, "unavailable", case, contender,
                    notes="cuda: no device",
                )
            )  # fmt: skip
    fields = spec.model_dump(mode="json")
    return Run("r", SCHEMA, fields, "abc", command, MACHINE, tuple(rows))


def test_a_sweep_holds_its_own_cells_only():
    run = made_run()
    first, second = sweep_results(run, crossovers(run))
    assert {first.size(e.case) for e in first.estimates} == {10, 100, 1000, 10000}
    assert {e.case.learning_rate for e in first.estimates} == {0.03}
    assert {e.case.learning_rate for e in second.estimates} == {0.01}
    assert [c.outcome for c in first.crossovers] == ["found", "not_measured"]
    speedups = {p.size: p.speedup for p in first.speedups}
    assert speedups[10] == pytest.approx(1.01 / 1.505, rel=1e-6)
    assert speedups[10000] == pytest.approx(11 / 6.5, rel=1e-6)


def test_the_lines_are_the_numbers():
    run = made_run()
    result = sweep_results(run, crossovers(run))[0]
    palette = colours(["cpu/resident@1", "cpu/resident@2"])
    _, axes = plt.subplots()
    assert plot_times(axes, result, palette) is axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines) == ["cpu/resident@1", "cpu/resident@2"]
    expected = [1e-3 + b * 1e-6 for b in (10, 100, 1000, 10000)]
    assert lines["cpu/resident@1"].get_ydata() == pytest.approx(expected, rel=0.01)
    assert axes.get_xlabel() == "batch size"
    assert axes.get_ylabel() == "time to train (s)"
    _, axes = plt.subplots()
    plot_speedups(axes, result, palette)
    labels = axes.get_legend_handles_labels()[1]
    assert labels[0] == "cpu/resident@2 against cpu/resident@1"
    assert labels[1].startswith("crossover 1,000, shaded")
    plt.close("all")


def test_a_legend_is_never_over_the_data():
    run = made_run()
    result = sweep_results(run, crossovers(run))[0]
    figure = sweep_figure(result, colours(["cpu/resident@1", "cpu/resident@2"]))
    figure.canvas.draw()
    for axes in figure.axes:
        legend = axes.get_legend().get_window_extent()
        assert legend.y1 <= axes.get_window_extent().y0
    plt.close(figure)


def test_nothing_measured_still_draws_and_says_so():
    run = made_run()
    result = sweep_results(run, crossovers(run))[0]
    empty = type(result)(result.sweep, "train", (), (), ())
    figure = sweep_figure(empty, {})
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["not measured"] * 2
    plt.close(figure)


def test_labelled_sizes_do_not_touch():
    assert _apart([1, 100, 500, 1000, 2000, 10000]) == [1, 100, 500, 2000, 10000]
    assert _apart([8]) == [8]
    assert _apart([8, 64]) == [8, 64]


class Text(HTMLParser):
    """Collects tags and texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.outside = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for key, value in attributes:
            if key in ("src", "href") and not value.startswith(("data:", "#")):
                self.outside.append(value)

    def handle_data(self, data):
        self.texts.append(data)


def test_the_report_holds_every_file_and_one_page_without_outside(tmp_path):
    run = made_run("crossover run --out '<script>alert(1)</script>'")
    found = write_report(run, tmp_path)
    names = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert names == {
        "measurements.csv", "estimates.csv", "crossovers.csv", "report.md",
        "report.html", "plots/sweep1-batch_size.png", "plots/sweep1-batch_size.svg",
        "plots/sweep2-epochs.png", "plots/sweep2-epochs.svg",
    }  # fmt: skip
    page = Text((tmp_path / "report.html").read_text())
    assert "script" not in page.tags
    assert page.outside == []
    assert page.tags.count("img") == 2
    text = " ".join(page.texts)
    assert "cpu/resident@2 overtakes cpu/resident@1 from batch size 1,000" in text
    assert "cuda/resident: unavailable: cuda: no device" in text
    assert "The set-up is measured once per process" in text  # flag setup_once
    markdown = (tmp_path / "report.md").read_text()
    assert "![times and speedups](plots/sweep1-batch_size.png)" in markdown
    assert len(found) == 2 * 2 * 3


def test_the_csv_reads_back_to_the_numbers(tmp_path):
    run = made_run()
    write_report(run, tmp_path)
    table = pd.read_csv(tmp_path / "crossovers.csv")
    row = table[(table["view"] == "train") & (table.outcome == "found")].iloc[0]
    assert row["at"] == pytest.approx(1000, rel=1e-3)
    assert row.low < 1000 < row.high
    assert pd.isna(row.batch_size)
    assert row.samples == 10000
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "estimates.csv")[["median_s"]],
        frames(run).estimates[["median_s"]],
        check_exact=True,
    )


BASE = ("batch_size", Case(), "train", "time_s", "cpu/resident@1", "cuda:0/best")


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            Crossover(*BASE, "found", 310.4, 270.0, None, 0.95,
                      speedup_smallest=0.625, speedup_largest=3.0),
            "cuda:0's best overtakes cpu/resident@1 from batch size 310 (95 % interval "
            "270 to above the largest size); 1.6x slower at the smallest size, 3x "
            "faster at the largest",
        ),
        (
            Crossover(*BASE, "never", speedup_smallest=0.1, speedup_largest=0.5),
            "cuda:0's best does not overtake cpu/resident@1: it is 2x slower at the "
            "largest batch size measured",
        ),
        (
            Crossover(*BASE, "inconclusive", None, None, 202.0,
                      speedup_smallest=1.001, speedup_largest=1.5),
            "cuda:0's best against cpu/resident@1: inconclusive (as fast at the "
            "smallest batch size, 1.5x faster at the largest); a crossover would lie "
            "below 202",
        ),
        (
            Crossover(*BASE, "not_measured"),
            "cuda:0's best against cpu/resident@1: not measured",
        ),
    ],
)  # fmt: skip
def test_sentences(row, text):
    assert tables.sentence(row) == text


def test_numbers_have_three_digits():
    values = [1234567.0, 310.4, 12.49, 0.0123]
    assert [tables.number(v) for v in values] == ["1,230,000", "310", "12.5", "0.0123"]
    assert not math.isnan(float(tables.number(99.99)))

"""What a device would do by its data sheet: always called predicted, never measured."""

import csv
from dataclasses import replace

import pytest

from crossover.files.untrusted import InputError
from crossover.findings import Answer
from crossover.predict.job import LABEL, as_csv, as_markdown, in_words
from crossover.predict.model import (
    Counts,
    Predicted,
    Row,
    compared,
    predicted_crossover,
    predicted_s,
)
from crossover.predict.sheet import SHEETS, Sheet, load_sheet
from crossover.workloads.softmax import SOFTMAX

SHEET = Sheet(
    name="A device",
    source="made up",
    memory_bytes=1e9,
    memory_bytes_per_s=1e9,
    operations_per_s={"float32": 1e12, "float64": 1e11},
    bus_bytes_per_s=1e8,
    bus_latency_s=1e-3,
    launch_s=(1e-6, 4e-6),
    kernel_s=(1e-6, 1e-6),
    reached=(0.5, 0.5),
)
CASE = SOFTMAX.case(samples=1000, batch_size=100, epochs=3)


def test_launches_decide_where_kernels_are_short():
    got = predicted_s(SHEET, Counts(100, 0, 0, repeats=3), "train")
    assert (got.low, got.high) == pytest.approx((3 * 100e-6, 3 * 400e-6))
    assert got.middle == pytest.approx(3 * 200e-6)  # the geometric mean


@pytest.mark.parametrize(
    ("counts", "dtype", "epoch_s"),
    [
        ((100, 1e6, 0), "float32", 100e-6 + 2e-3),  # 1 MB at half of 1 GB/s
        ((100, 0, 1e9), "float32", 100e-6 + 2e-3),
        ((100, 1e6, 1e9), "float64", 100e-6 + 20e-3),  # the longer of the two
    ],
)
def test_bytes_or_operations_decide_where_they_take_longer(counts, dtype, epoch_s):
    got = predicted_s(SHEET, Counts(*counts, repeats=3, dtype=dtype), "train")
    assert (got.low, got.middle, got.high) == pytest.approx((3 * epoch_s,) * 3)


def test_the_host_runs_its_python_at_best_beside_the_launches():
    counts = Counts(100, 0, 0, host_s=(250e-6, 300e-6), repeats=3)
    got = predicted_s(SHEET, counts, "train")
    assert (got.low, got.high) == pytest.approx((3 * 250e-6, 3 * (400e-6 + 300e-6)))


def test_moving_the_data_is_paid_once():
    counts = Counts(100, 0, 0, copies=2, moved_bytes=16_000)
    moved_s = 2e-3 + 16_000 / (0.5 * 1e8)
    views = [
        predicted_s(SHEET, counts, view).low for view in ("train", "with_transfer")
    ]
    assert views[1] - views[0] == pytest.approx(moved_s)


def line(sizes, per_size, spread=1.0):
    times = [per_size * size for size in sizes]
    return [Predicted(t, t / spread, t * spread) for t in times]


def flat(sizes, seconds, spread=1.0):
    return [Predicted(seconds, seconds / spread, seconds * spread) for _ in sizes]


SIZES = [10, 100, 1000]


def test_a_crossover_is_a_range():
    found = predicted_crossover(SIZES, line(SIZES, 1e-3, 1.1), flat(SIZES, 0.2, 1.5))
    assert found.outcome == "found"
    assert found.at == pytest.approx(200, rel=1e-3)
    assert found.low == pytest.approx(200 / 1.1 / 1.5, rel=1e-3)
    assert found.high == pytest.approx(200 * 1.1 * 1.5, rel=1e-3)


@pytest.mark.parametrize(
    ("seconds", "outcome", "ends"),
    [
        (1e-3, "always", (None, None)),
        (100.0, "never", (None, None)),
        (0.009, "undecided", (None, pytest.approx(18, rel=1e-3))),
        (1.5, "undecided", (pytest.approx(750, rel=1e-3), None)),
    ],
)
def test_what_no_range_can_tell_is_said(seconds, outcome, ends):
    found = predicted_crossover(SIZES, line(SIZES, 1e-3), flat(SIZES, seconds, 2.0))
    assert (found.outcome, (found.low, found.high)) == (outcome, ends)


def test_sizes_that_do_not_fit_are_left_out():
    counts = {
        n: Counts(1, 0, 0, moved_bytes=n * (784 * 4 + 8))
        for n in (10_000, 20_000, 300_000)
    }
    times = dict.fromkeys(counts, Predicted(1.0, 1.0, 1.0))
    found, left_out = compared(SHEET, counts, times, "train")
    assert (found.outcome, left_out) == ("always", 1)
    small = SHEET.model_copy(update={"memory_bytes": 1e6})
    found, left_out = compared(small, counts, times, "train")
    assert (found.outcome, left_out) == ("does not fit", 3)


ROW = Row(
    "batch_size", CASE.without("batch_size"), "train", "cpu/resident@1", "A device",
    "resident",
    Answer("found", 123.4, 50.0, None), 1,
)  # fmt: skip


def test_what_is_written_says_that_it_was_predicted():
    (row,) = csv.DictReader(as_csv([ROW], SOFTMAX).splitlines())
    assert row["label"] == LABEL == "predicted, not measured"
    assert (row["batch_size"], row["samples"], row["at"]) == ("", "1000", "123.4")
    assert (row["low"], row["high"]) == ("50.0", "")
    said = in_words(ROW)
    assert said == ("from 123 (50 to above); at 1 the data do not fit")
    text = as_markdown([ROW], [SHEET], SOFTMAX)
    assert text.startswith("# Crossovers predicted, not measured\n")
    assert (
        "| batch_size: 1,000 samples, 2 features, 3 classes | train | cpu/resident@1 | "
        f"{said} |" in text
    )
    assert "- A device: made up" in text


def test_predictions_of_several_settings_are_told_apart():
    double = replace(ROW, line=ROW.line.at(dtype="float64"))
    lines = csv.DictReader(as_csv([ROW, double], SOFTMAX).splitlines())
    assert [line["dtype"] for line in lines] == ["float32", "float64"]
    text = as_markdown([ROW, double], [SHEET], SOFTMAX)
    assert all(f"3 classes, dtype {one} |" in text for one in ("float32", "float64"))


@pytest.mark.parametrize("name", SHEETS)
def test_every_sheet_that_ships_names_its_source(name):
    sheet = load_sheet(name)
    assert sheet.source.startswith("https://")
    assert sheet.memory_bytes_per_s > 1e11
    assert sheet.operations_per_s["float32"] > sheet.operations_per_s["float64"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("launch_s = [4e-6, 1e-6]", "launch_s = .*must be .lowest, highest"),
        ("bus_bytes_per_s = 0.0", "bus_bytes_per_s = 0.0: must be greater than 0"),
        ("operations_per_s = { float32 = 1e12 }", "float64 is missing"),
        ("speed = 3", "speed: unknown key; must be left out"),
        ("name = ", "not TOML"),
    ],
)
def test_a_bad_sheet_is_one_clear_line(tmp_path, text, message):
    fields = {
        "name": '"x"', "source": '"y"', "memory_bytes": "1e9",
        "memory_bytes_per_s": "1e9", "bus_bytes_per_s": "1e8", "bus_latency_s": "1e-3",
        "operations_per_s": "{ float32 = 1e12, float64 = 1e11 }",
        "launch_s": "[1e-6, 4e-6]", "kernel_s": "[1e-6, 1e-6]", "reached": "[0.5, 0.5]",
    }  # fmt: skip
    fields |= dict([text.split(" = ", 1)])
    path = tmp_path / "device.toml"
    path.write_text("\n".join(f"{k} = {v}" for k, v in fields.items()))
    with pytest.raises(InputError, match=message) as error:
        load_sheet(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["h100", "nowhere.toml"])
def test_a_sheet_that_is_not_there_is_named(name):
    with pytest.raises(InputError, match=f"device = '{name}'"):
        load_sheet(name)

"""Throughput: how many things a second works on, where a user's step says how many."""

import csv
import dataclasses

import pytest
from builders import make_rounds, make_run

from crossover.analysis.frame import derive, frames, read_run
from crossover.report.cells import times_of
from crossover.report.page import page
from crossover.spec.spec import Spec
from crossover.workloads.values import Size
from crossover.workloads.workload import Implementation, Workload

FILE = Workload(
    name="tokens.py",
    sizes=(Size("width", 64), Size("steps", 1000, repeats=True)),
    implementations=(Implementation("train"),),
)
PAIR = "cpu/train@1", "cpu/train@2"
JOB = """
import torch


class Job:
    def __init__(self, device, width):
        self.w = torch.ones(width, width).to(device)
        self.items = 16

    def step(self):
        return (self.w @ self.w).sum()


def train(device, width=64):
    return Job(device, width)
"""


def run_with(items):
    """Return a run whose 1,000 steps take 0.5 s, and moving the data as long."""
    fields = {
        "workload": FILE.name, "contenders": PAIR, "pairs": [PAIR], "control": False,
        "sweep": [{"axis": "width", "values": [64, 128]}],
    }  # fmt: skip
    spec = Spec.model_validate(fields, context={"workload": FILE})
    told = {"samples_s": (0.5,), "transfer_s": 0.5, "setup_s": 1.0, "items": items}
    cases = [FILE.case(width=width) for width in (64, 128)]
    return make_run(spec, make_rounds(cases, PAIR, lambda *_: told))


def test_a_second_works_on_the_items_of_all_steps_over_its_time():
    table = frames(run_with(items=16_000.0)).estimates
    found = table.groupby("view", observed=True).items_per_s.unique().map(list)
    assert dict(found) == {
        "train": [32_000.0], "with_transfer": [16_000.0], "from_scratch": [8_000.0],
    }  # fmt: skip
    assert str(table.items_per_s.dtype) == "float64"


def test_where_nobody_counts_items_no_table_has_a_column_for_them():
    run = run_with(items=None)
    derived = derive(run)
    tables = frames(run, derived)
    assert "items_per_s" not in tables.estimates
    assert "Items a second" not in page(run, derived, tables, [])
    known = {column.field for column in times_of(True)}
    assert known - {column.field for column in times_of(False)} == {"items_per_s"}


def test_one_contender_that_counts_is_told_and_the_other_is_unknown():
    run = run_with(items=16_000.0)
    rows = [
        dataclasses.replace(m, items=None) if m.contender.threads == 2 else m
        for m in run.measurements
    ]
    run = dataclasses.replace(run, measurements=tuple(rows))
    derived = derive(run)
    tables = frames(run, derived)
    said = page(run, derived, tables, [])
    assert said.count(">Items a second</th>") == 1
    assert said.count('data-value="32000.0"') == 2
    unknown = tables.estimates[tables.estimates.contender == "cpu/train@2"]
    assert unknown.items_per_s.isna().all()


@pytest.mark.slow
def test_a_files_object_says_how_many_items_a_step_works_on(
    crossover, undrawn, tmp_path
):
    file, out = tmp_path / "tokens.py", tmp_path / "run"
    file.write_text(JOB)
    code, _, errors = crossover(
        "run", file, "width=8,64", "steps=10", "--grid", "--rounds", "5",
        "--contender", "cpu@1", "--contender", "cpu@2", "--out", out,
    )  # fmt: skip
    assert code == 0, errors
    assert {*read_run(out).measurements["items"]} == {160.0}
    with (out / "estimates.csv").open(newline="") as lines:
        rows = [*csv.DictReader(lines)]
    assert rows
    for row in rows:
        rate = 160 / float(row["median_s"])
        assert float(row["items_per_s"]) == pytest.approx(rate, rel=1e-12)
    assert "Items a second" in (out / "report.html").read_text()

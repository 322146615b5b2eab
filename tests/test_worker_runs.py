"""Whole runs with workers that break: each fault is a row, and the sweep goes on."""

import sys
import time
from pathlib import Path

import pytest
from builders import MACHINE, FakeWorker
from faults import CAUGHT, FAULTS

from crossover.command import new_run
from crossover.measure.pipe import Ended
from crossover.measure.process import WorkerProcess
from crossover.pipeline import Workers, carry_out_unkept
from crossover.spec.spec import parse_spec

pytestmark = pytest.mark.usefixtures("left_over")
NAMES = ("cpu/resident@1", "cpu/manual@1")
ROWS = {name: 30 + n for n, name in enumerate([*FAULTS, *CAUGHT])}
"""By which rows of the case `faulty_worker` knows how to break."""
GOOD = (20, 99)


def spec(sizes, **fields):
    """One contender, as each costs a process."""
    asked = {
        "name": "faults", "rounds": 2, "grid": True, "control": False,
        "contenders": [NAMES[0]], "pairs": [NAMES], "longest_sample_s": 0.01,
        "sweep": [{"axis": "samples", "values": sizes, "batch_size": 10}],
    }  # fmt: skip
    return parse_spec(asked | fields, "test").model_copy(
        update={"pairs": ((NAMES[0],) * 2,)}
    )


@pytest.mark.parametrize(
    "names",
    [
        ["children", *CAUGHT],
        pytest.param([*FAULTS, *CAUGHT], marks=pytest.mark.torture),
    ],
    ids=["few", "all"],
)
def test_each_fault_is_a_row_and_the_sweep_goes_on(names):
    sizes = [*GOOD, *(ROWS[name] for name in names)]
    workers = Workers(
        lambda contender: WorkerProcess(contender.threads, "faulty_worker")
    )
    run = carry_out_unkept(spec(sizes, cell_timeout_s=20.0), MACHINE, workers)
    found = {}
    for m in (m for m in run.measurements if not m.discarded):
        found.setdefault(m.case["samples"], []).append(m)
    for rows in GOOD:
        assert [m.status for m in found[rows]] == ["ok", "ok"]
    for name in names:
        (row,) = found[ROWS[name]]
        _, status, said = (FAULTS | CAUGHT)[name]
        assert (name, row.status) == (name, status)
        assert said in row.notes


class Slow(FakeWorker):
    """Never answers in time."""

    asked_s = ()

    def ask(self, request, timeout_s):
        Slow.asked_s += (timeout_s,)
        time.sleep(timeout_s)
        return Ended(status="timeout", notes="slower")


@pytest.mark.parametrize(
    ("cell_s", "run_s", "statuses"),
    [
        (600.0, 0.2, []),  # cut by the budget: nothing is known of the cell
        (0.05, 600.0, ["timeout", "timeout"]),
        (0.05, 0.07, ["timeout"]),
    ],
)
def test_what_ends_first_is_the_timeout_and_the_budgets_is_no_result(
    cell_s, run_s, statuses
):
    Slow.asked_s = ()
    asked = spec([20, 99], cell_timeout_s=cell_s, budget_s=run_s)
    run = carry_out_unkept(asked, MACHINE, Workers(Slow))
    assert [m.status for m in run.measurements] == statuses
    assert max(Slow.asked_s) <= min(cell_s, run_s)


def test_a_run_whose_workers_cannot_start_ends_with_rows_and_exit_3(
    crossover, monkeypatch
):
    monkeypatch.setattr(sys, "executable", "/missing/python")
    code, _, error = crossover("devices")
    assert code == 2
    said = "worker cannot be started: No such file or directory"
    assert error == f"crossover: torch cannot be asked: {said}\n"
    monkeypatch.setattr(new_run, "snapshot", lambda devices: MACHINE)
    sizes = "10,20", "--grid", "--out", "run"
    contenders = (part for name in NAMES for part in ("--contender", name))
    code, _, _ = crossover("run", *contenders, "--batch-size", *sizes)
    assert code == 3
    rows = Path("run/measurements.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) >= 4
    assert all(said in row for row in rows)

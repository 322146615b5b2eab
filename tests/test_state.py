"""Commands say in what state the runs are that they are given."""

import dataclasses
import os
import shutil
import socket
import subprocess
import sys

import pytest
from builders import cases_of, make_round, make_run

from crossover.record import launched, run_folder
from crossover.record.launched import Launched
from crossover.spec.spec import parse_spec

pytestmark = pytest.mark.usefixtures("undrawn")
PAIR = ["cpu/resident@1", "cpu/resident@2"]
FIELDS = {
    "name": "x", "rounds": 8, "grid": True, "control": False, "contenders": PAIR,
    "pairs": [PAIR], "sweep": [{"axis": "batch_size", "values": [10, 1000]}],
}  # fmt: skip
HOLD = """
import sys, time
from pathlib import Path
from crossover.record.lock import held
with held(Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
"""


def recorded(out, more=(), name="r", **changes):
    """Write a run whose rounds all take about the same time."""
    spec = parse_spec(FIELDS, "test")
    rows = [
        make_round(
            case, who, number, 0.01 * (1 + number / 100), in_round=2, run_id=name
        )
        for case in cases_of(spec)
        for number in range(8)
        for who in PAIR
    ]
    run_folder.put(out, make_run(spec, [*rows, *more], name, **changes))
    return out


@pytest.fixture
def held():
    """Return what lets another process hold a folder; it ends with the test."""
    holders = []

    def hold(out):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(out)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        holders.append(process)
        process.stdout.readline()
        return f"process {process.pid} on {socket.gethostname()}"

    yield hold
    for process in holders:
        process.communicate()


def test_a_run_that_is_still_measured_is_said_to_be(tmp_path, crossover, held):
    out, other = recorded(tmp_path / "run"), recorded(tmp_path / "other", name="o")
    said = f"{held(out)} is still measuring this"
    code, _, error = crossover("report", out)
    assert (code, error) == (0, f"crossover: run = {str(out)!r}: {said}\n")
    code, _, error = crossover("compare", out, other)
    assert error.count(f"crossover: run = {str(out)!r}: {said}\n") == 1
    code, _, error = crossover("run", "--resume", out)
    assert code == 2
    assert error == (
        f"crossover: out = {str(out)!r}: {said}; must be stopped first, or choose "
        "another folder\n"
    )


def test_nobody_measures_into_a_folder_whose_lock_a_killed_run_left(
    tmp_path, crossover
):
    out = recorded(tmp_path / "run")
    (out / "run.lock").write_text(f"process {os.getpid()} on host")
    assert crossover("report", out)[::2] == (0, "")


def test_the_job_of_a_launched_run_that_is_still_measured_is_named(
    tmp_path, crossover, held
):
    spec = parse_spec(FIELDS | {"launch": {"nodes": {"a": {}}}}, "test")
    whole = Launched(
        launch="local", run_id="w", command="x", commit=None, spec=spec
    )  # fmt: skip
    launched.create(tmp_path / "out", whole)
    job = recorded(tmp_path / "out" / "jobs" / "a-1", name="w-a-1")
    said = f"run = {str(job)!r}: {held(job)} is still measuring this\n"
    assert said in crossover("report", tmp_path / "out")[2]


def test_two_folders_of_one_run_are_said_to_be(tmp_path, crossover):
    one, two = recorded(tmp_path / "one"), tmp_path / "two"
    other = recorded(tmp_path / "other", command="y")
    shutil.copytree(one, two)
    said = f"runs = {str(one)!r}, {str(two)!r}: these two folders are one run"
    for command in (("compare", one, two), ("report", one, two, other)):
        assert crossover(*command)[2].count("these two folders are one run") == 1
        assert f"crossover: {said}\n" in crossover(*command)[2]
    assert "are one run" not in crossover("compare", one, other)[2]


@pytest.mark.parametrize(
    ("rows", "said"),
    [(0, ""), (1, "1 row of no sweep was"), (2, "2 rows of no sweep were")],
)
def test_rows_of_no_sweep_are_counted(tmp_path, crossover, rows, said):
    (case, *_) = cases_of(parse_spec(FIELDS, "test"))
    more = [make_round(case.at(samples=77), who, 0, 1.0) for who in PAIR[:rows]]
    more = [dataclasses.replace(m, in_round=rows) for m in more]
    out = recorded(tmp_path / "run", more)
    error = crossover("report", out)[2]
    line = f"crossover: run = {str(out)!r}: {said} left out of the answers\n"
    assert error == (line if said else "")

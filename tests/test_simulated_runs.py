"""Whole runs with simulated accelerators: faults are recorded and the sweep goes on,
and any torch device goes by its name."""

import csv
import json
import subprocess
import sys

import pytest
from builders import MACHINE

from crossover.measure.pipe import Open
from crossover.measure.process import WorkerProcess
from crossover.pipeline import Workers, carry_out_unkept
from crossover.spec.spec import parse_spec

FIRST, SECOND = "simulated:0/resident", "simulated:1/resident"
WARM = Open(
    workload="softmax", device="simulated:0", trainer="resident", threads=None,
    longest_s=0.1,
    case={"samples": 9, "batch_size": 3, "epochs": 1, "dispersion": (6.0, 2.0)},
)  # fmt: skip


def spec(**sweep):
    fields = {
        "name": "faults", "rounds": 2, "grid": True, "control": False,
        "cell_timeout_s": 20.0, "contenders": [FIRST, SECOND],
        "pairs": [[FIRST, SECOND]], "longest_sample_s": 0.01,
        "sweep": [{"axis": "batch_size", "values": [20, 30, 40], "samples": 120}],
    }  # fmt: skip
    fields["sweep"][0] |= sweep
    return parse_spec(fields, "test")


def alone(contender):
    """One contender, as each costs a process."""
    return spec().model_copy(
        update={"contenders": (contender,), "pairs": ((contender,) * 2,)}
    )


@pytest.fixture
def settings(simulated_environment, monkeypatch):
    """Give every process started from here on simulated accelerators."""

    def set_them(**costs):
        for name, value in simulated_environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SIMULATED_ACCELERATOR", json.dumps({"devices": 2, **costs}))

    return set_them


def outcome(measurements, device, axis="batch_size"):
    """Return the statuses of one device's cells by size; discarded rounds aside."""
    found = {}
    for m in measurements:
        if m.contender.device == device and not m.discarded:
            found.setdefault(m.case[axis], []).append(m.status)
    return found


@pytest.mark.slow
def test_out_of_memory_is_a_result_and_the_sweep_goes_on(settings):
    settings(memory_bytes=2**20)
    sizes = {"axis": "samples", "values": [60, 90, 200_000], "batch_size": 200_000}
    rows = carry_out_unkept(spec(**sizes), MACHINE, Workers()).measurements
    whole = ["ok", "ok"]
    for device in ("simulated:0", "simulated:1"):
        assert outcome(rows, device, "samples") == {
            60: whole, 90: whole, 200_000: ["oom"],
        }  # fmt: skip
    assert "out of memory" in next(m.notes for m in rows if m.status == "oom")


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("lost", "crashed", "device lost"),
        pytest.param("abort", "crashed", "killed by SIGABRT", marks=pytest.mark.slow),
        ("wrong", "failed", "WrongResult: weights differ"),
    ],
    ids=["lost", "abort", "wrong"],
)
def test_a_fault_is_recorded_and_the_sweep_goes_on(settings, fault, status, said):
    settings(fault=fault, fault_rows=30, fault_device=1)
    rows = carry_out_unkept(alone(SECOND), MACHINE, Workers()).measurements
    whole = ["ok", "ok"]
    assert outcome(rows, "simulated:1") == {20: whole, 30: [status], 40: whole}
    assert said in next(m.notes for m in rows if m.status == status)


@pytest.mark.slow
def test_a_hang_is_a_timeout_and_the_sweep_goes_on(settings):
    """Processes are started before, so that only the hang is waited for."""
    settings(fault="hang", fault_rows=30)

    def start(contender):
        worker = WorkerProcess(None)
        assert worker.ask(WARM, 60).status == "ok"
        return worker

    short = alone(FIRST).model_copy(update={"cell_timeout_s": 3.0})
    rows = carry_out_unkept(short, MACHINE, Workers(start)).measurements
    whole = ["ok", "ok"]
    assert outcome(rows, "simulated:0") == {20: whole, 30: ["timeout"], 40: whole}


def crossover(*arguments):
    command = "from crossover.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.simulation  # compiles the device once more
def test_a_backend_of_another_name_needs_no_change(settings, monkeypatch, tmp_path):
    """Its devices are listed, swept as contenders of their own, verified, reported."""
    settings()
    monkeypatch.setenv("SIMULATED_ACCELERATOR_NAME", "npu")
    listed = crossover("devices").stdout.splitlines()
    assert [line.split()[0] for line in listed[:3]] == ["cpu", "npu:0", "npu:1"]
    out = tmp_path / "run"
    done = crossover(
        "run", "--contender", "npu:0/resident", "--contender", "npu:1/resident",
        "--samples", "40", "--batch-size", "20,40", "--grid", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with open(out / "measurements.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    statuses = {(row["contender"], row["batch_size"], row["status"]) for row in rows}
    assert {s for s in statuses if "#" not in s[0]} == {
        (f"npu:{n}/resident", batch, "ok") for n in (0, 1) for batch in ("20", "40")
    }
    for name in ("report.html", "report.md"):
        said = (out / name).read_text(encoding="utf-8")
        assert "npu:0, npu:1 are simulated" in said

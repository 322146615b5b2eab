"""Launching without a scheduler: the table in the spec, the batch file, local jobs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossover.files.untrusted import InputError
from crossover.interrupts import Interrupted
from crossover.launch import node, slurm
from crossover.measure.pipe import Close, Ended
from crossover.record import run_folder
from crossover.spec.launch_table import NodeType
from crossover.spec.spec import parse_spec

FIXTURES = Path(__file__).parent / "fixtures"
SPEC = {
    "contenders": ["cpu/resident@1", "cpu/manual@1"],
    "pairs": [["cpu/resident@1", "cpu/manual@1"]],
    "sweep": [{"axis": "samples", "values": [20, 40]}],
}
TOML = """
contenders = ["cpu/resident@1", "cpu/resident@2"]
pairs = [["cpu/resident@1", "cpu/resident@2"]]
rounds = 2
grid = true
control = false
[[sweep]]
axis = "batch_size"
values = [10, 20]
samples = 40
[launch.nodes.left]
"""


def spec(**launch):
    return parse_spec({**SPEC, "launch": launch}, "test")


@pytest.mark.parametrize(
    ("launch", "message"),
    [
        ({"node": {}}, "launch.node: unknown key; must be one of nodes, sweeps_per_job "
         "(did you mean nodes?)"),
        ({"nodes": {"a": {"partitin": "x"}}}, "launch.nodes.a.partitin: unknown key; "
         "must be one of partition, constraint, gpus, limit_minutes, extra (did you "
         "mean partition?)"),
        ({"nodes": {"sweep": {"x": 1}}}, "launch.nodes.sweep.x: unknown key"),
        ({"nodes": {"../a": {}}}, "launch.nodes: name = '../a': must be letters"),
        ({"nodes": {"a": {"partition": "x\n#SBATCH --wrap=y"}}}, "must be a word"),
        ({"nodes": {"a": {"constraint": ""}}}, "must be a word"),
        ({"nodes": {"a": {"gpus": -1}}}, "launch.nodes.a.gpus = -1"),
        ({"nodes": {"a": {"gpus": True}}}, "launch.nodes.a.gpus = True"),
        ({"nodes": {"a": {"limit_minutes": 1}}}, "launch.nodes.a.limit_minutes = 1"),
        ({"nodes": {"a": {"extra": {"time": "5"}}}}, "flag = 'time': must be none of"),
        ({"nodes": {"a": {"extra": {"--qos": "x"}}}}, "without its dashes"),
        ({"nodes": {"a": {"extra": {"qos": "x\ny"}}}}, "qos = 'x\\ny': must be one"),
        ({"sweeps_per_job": 0}, "launch.sweeps_per_job = 0"),
    ],
)  # fmt: skip
def test_a_wrong_launch_table_is_refused_in_one_line(launch, message):
    with pytest.raises(InputError) as refused:
        spec(**launch)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_batch_file_is_the_golden_one():
    kind = NodeType(
        partition="gpu", constraint="h100&nvlink", gpus=2, limit_minutes=90,
        extra={"account": "lab 1", "mem": "64G", "verbose": True, "hold": False},
    )  # fmt: skip
    argv = ["/opt/python", "-P", "-m", "crossover.launch.node", "/shared/a b", "h100-1"]
    log = Path("/shared/a b/logs/h100-1.txt")
    text = slurm.batch_text("crossover-1-h100-1", kind, argv, log)
    assert text == (FIXTURES / "launch" / "batch.sh").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--launch", "slrum"), "launch = 'slrum': must be slurm or local (did you "
         "mean slurm?)"),
        (("--launch", "local", "--out", "/proc/nowhere"), "out = '/proc/nowhere'"),
        (("--launch", "local", "--recover"), "recover: must go with --resume DIR"),
    ],
)  # fmt: skip
def test_a_launch_that_cannot_be_is_one_line(crossover, arguments, message):
    code, _, errors = crossover("run", "--preset", "smoke", *arguments)
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors


def test_slurm_must_be_here(crossover, monkeypatch):
    monkeypatch.setattr(slurm.shutil, "which", lambda name: None)
    code, _, errors = crossover("run", "--preset", "smoke", "--launch", "slurm")
    assert (code, errors.count("\n")) == (2, 1)
    assert "needs Slurm's sbatch and squeue on this machine" in errors


@pytest.fixture
def virtual(monkeypatch):
    paths = f"{FIXTURES / 'virtual'}:{Path(node.__file__).parents[2]}"
    monkeypatch.setenv("PYTHONPATH", paths)


def test_local_jobs_make_one_report_and_go_on_where_they_stopped(
    crossover, virtual, undrawn, tmp_path
):
    (tmp_path / "spec.toml").write_text(TOML)
    code, said, errors = crossover(
        "run", "spec.toml", "--launch", "local", "--out", "o"
    )
    assert code == 0, errors
    assert "Machines: o/machines.html" in said
    out = tmp_path / "o"
    whole = run_folder.load(out / "merged" / "left")
    assert len(whole.measurements) == 8
    journal = out / "jobs" / "left-1" / "measurements.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2]) + lines[2][:50])  # as a power cut leaves it
    (out / "jobs" / "left-1" / "ended").unlink()
    code, said, errors = crossover("run", "--resume", "o")
    assert code == 0, errors
    again = run_folder.load(out / "merged" / "left")
    assert len(again.measurements) == 8
    assert again.measurements[:2] == whole.measurements[:2]


@pytest.mark.slow
def test_an_interrupt_ends_the_local_job_at_work(virtual, tmp_path):
    (tmp_path / "spec.toml").write_text(TOML)
    journal = tmp_path / "o" / "jobs" / "left-1" / "measurements.jsonl"
    heeding = "import signal; signal.signal(2, signal.default_int_handler); "
    process = subprocess.Popen(
        [sys.executable, "-c", f"{heeding}from crossover.cli import main; main()",
         "run", "spec.toml", "--launch", "local", "--out", "o"],
        cwd=tmp_path, env={**os.environ, "VIRTUAL_SLEEP_S": "0.5"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "go on with: crossover run --resume" in said
    log = (tmp_path / "o" / "logs" / "left-1.txt").read_text()
    assert log.splitlines()[-1] == "stopped"
    assert 2 <= len(journal.read_text().splitlines()) < 8


def test_a_job_that_cannot_be_done_says_so(crossover, virtual, tmp_path):
    text = TOML.replace("cpu/resident@2", "cpu/resident@99")
    (tmp_path / "spec.toml").write_text(text)
    code, _, errors = crossover("run", "spec.toml", "--launch", "local", "--out", "o")
    assert code == 2
    assert "job left-1 did not end: crossover: threads = 99" in errors
    assert "no job has measured yet" in errors.splitlines()[-1]


def test_a_worker_that_the_scheduler_ended_has_not_crashed(monkeypatch):
    """The signal that ended it comes to this process within the grace, not later."""

    class Dead:
        def ask(self, request, timeout_s):
            return Ended(status="crashed", notes="")

    def signalled(seconds):
        raise Interrupted

    worker = node.Patient(Dead())
    monkeypatch.setattr(node.time, "sleep", signalled)
    with pytest.raises(Interrupted):
        worker.ask(Close(), 1)


def test_a_limit_too_short_for_a_round_is_not_queued_again(
    tmp_path, monkeypatch, capsys
):
    def no_time(*_):
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(10)

    asked = []
    monkeypatch.setattr(node, "measure", no_time)
    monkeypatch.setattr(node.subprocess, "run", lambda *a, **k: asked.append(a))
    monkeypatch.setattr(sys, "argv", ["node", str(tmp_path), "a-1"])
    before = signal.getsignal(signal.SIGUSR1)
    try:
        with pytest.raises(SystemExit) as end:
            node.main()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (end.value.code, asked) == (2, [])
    assert "limit_minutes" in capsys.readouterr().err

"""A real Slurm with two nodes: jobs, one report, a time limit, a cancelled job."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
import slurm_cluster

ROOT = Path(__file__).parent.parent
VIRTUAL = ROOT / "tests" / "fixtures" / "virtual"
CALL = [sys.executable, "-P", "-c", "from bench.cli import main; main()"]
UNLIKE = ("run_id", "started_utc", "elapsed_s", "load_1min", "throttled_periods")
"""Fields in which a round differs from itself measured again."""
SPEC = """
name = "cluster"
contenders = ["cpu/resident@1", "cpu/resident@2"]
pairs = [["cpu/resident@1", "cpu/resident@2"]]
rounds = 8
grid = true
control = false
[[sweep]]
axis = "batch_size"
values = [10, 1000, 5000]
samples = 10000
[launch.nodes.a]
partition = "main"
extra = {nodelist = "a"}
[launch.nodes.b]
extra = {nodelist = "b"}
"""
ROUNDS = 3 * 2 * 8
SAMPLES_A_ROUND = 2 * 2

pytestmark = pytest.mark.skipif(
    bool(slurm_cluster.missing()), reason=slurm_cluster.missing()
)


@pytest.fixture(scope="module")
def cluster():
    slurm = slurm_cluster.Cluster()
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


@pytest.fixture
def virtual(cluster, monkeypatch, tmp_path):
    """Have the command lines of this test see the cluster, and draw no pictures."""
    from bench.report import write

    (tmp_path / "spec.toml").write_text(SPEC)
    monkeypatch.setenv("SLURM_CONF", str(cluster.config))
    monkeypatch.setenv("PYTHONPATH", f"{VIRTUAL}:{ROOT}")
    monkeypatch.setattr(write, "pictures", lambda *args, **kwargs: [])
    return monkeypatch.setenv


@pytest.fixture
def beside(tmp_path):
    """Start a command line in a process of its own; it ends with the test."""
    started = []

    def start(*arguments):
        started.append(
            subprocess.Popen(
                [*CALL, *map(str, arguments)], cwd=tmp_path, text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def rows(folder):
    path = folder / "measurements.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def alike(folder):
    return [{k: v for k, v in r.items() if k not in UNLIKE} for r in rows(folder)]


def test_jobs_on_two_nodes_measure_what_local_jobs_do(virtual, crossover, tmp_path):
    slurm, local = tmp_path / "slurm", tmp_path / "local"
    asked = "run", "spec.toml", "--out"
    code, said, errors = crossover(*asked, slurm, "--launch", "slurm")
    assert code == 0, errors
    assert crossover(*asked, local, "--launch", "local")[0] == 0
    for node in ("a", "b"):
        assert len(alike(slurm / "jobs" / f"{node}-1")) == ROUNDS
        assert alike(slurm / "merged" / node) == alike(local / "merged" / node)
        assert alike(slurm / "merged" / node) == alike(slurm / "jobs" / f"{node}-1")
    one, other = (tables(folder) for folder in (slurm, local))
    assert one == other
    assert {row[0] for row in one[0][1:]} == {"a", "b"}
    assert said.count("overtakes cpu/resident@1 from batch size 1,000") == 2
    # nothing is pickled, and what the scheduler keeps is a command
    names = {path.name for path in slurm.rglob("*") if path.is_file()}
    assert not [name for name in names if "pkl" in name or "pickle" in name]
    script = (slurm / "slurm" / "a-1.sh").read_text()
    assert script.splitlines()[-1].endswith(f"-m bench.launch.node {slurm} a-1")


def tables(folder):
    """Return machines.csv and placements.csv without what differs by itself."""
    found = []
    for name, left_out in (
        ("machines.csv", ("run_id", "flags")),
        ("placements.csv", ()),
    ):
        head, *body = (
            line.split(",") for line in (folder / name).read_text().splitlines()
        )
        kept = [i for i, column in enumerate(head) if column not in left_out]
        found.append([[row[i] for i in kept] for row in (head, *body)])
    return found


def test_a_job_out_of_time_goes_on_and_a_cancelled_one_is_resumed(
    cluster, virtual, beside, crossover, tmp_path
):
    out, log = tmp_path / "out", tmp_path / "samples"
    virtual("VIRTUAL_SLEEP_S", "0.1")
    virtual("VIRTUAL_LOG", str(log))
    (tmp_path / "spec.toml").write_text(SPEC.partition("[launch.nodes.b]")[0])
    process = beside("run", "spec.toml", "--launch", "slurm", "--out", out)
    job = out / "jobs" / "a-1"

    def until(number):
        deadline = time.monotonic() + 60
        while len(rows(job)) < number:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
        return cluster.ask("squeue", "--noheader", "--format=%i").strip()

    # the warning of a time limit goes to the batch script alone, as Slurm sends it
    cluster.ask("scancel", "--batch", "--signal=USR1", until(4))
    time.sleep(1)
    limited = rows(job)
    cluster.ask("scancel", until(len(limited) + 4))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "job a-1 did not end: stopped" in errors
    assert "is queued again" in (out / "logs" / "a-1.txt").read_text()
    kept = rows(job)
    assert kept[: len(limited)] == limited
    assert len(limited) + 4 <= len(kept) < ROUNDS
    code, _, errors = crossover("run", "--resume", out)
    assert code == 0, errors
    whole = rows(job)
    assert whole[: len(kept)] == kept
    assert len({(r["cell_id"], r["round"]) for r in whole}) == len(whole) == ROUNDS
    assert {r["status"] for r in whole} == {"ok"}
    measured = sum(len(r["samples_s"]) for r in whole)
    # each time the job was ended, at most the round at work was lost
    assert measured <= log.stat().st_size <= measured + 2 * SAMPLES_A_ROUND

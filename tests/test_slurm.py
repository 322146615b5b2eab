"""A real Slurm with two nodes: jobs, one report, a time limit, a cancelled job."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm_cluster

ROOT = Path(__file__).parent.parent
VIRTUAL = ROOT / "tests" / "fixtures" / "virtual"
CALL = [sys.executable, "-P", "-c", "from crossover.cli import main; main()"]
UNLIKE = (
    "run_id", "started_utc", "elapsed_s", "load_1min", "throttled_periods", "check",
)  # fmt: skip
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
    from crossover.report import write

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


@pytest.mark.slow
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
    assert said.count("wo threads are ahead from ") == 2
    # nothing is pickled, and what the scheduler keeps is a command
    names = {path.name for path in slurm.rglob("*") if path.is_file()}
    assert not [name for name in names if "pkl" in name or "pickle" in name]
    script = (slurm / "slurm" / "a-1.sh").read_text()
    assert script.splitlines()[-1].endswith(f"-m crossover.launch.node {slurm} a-1")


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


@pytest.fixture
def one_job(virtual, beside, tmp_path):
    """Launch a run of one job on node a, whose rounds take a second or so."""
    virtual("VIRTUAL_LOG", str(tmp_path / "samples"))

    def launch(sample_s, more=""):
        virtual("VIRTUAL_SLEEP_S", str(sample_s))
        text = SPEC.partition("[launch.nodes.b]")[0]
        (tmp_path / "spec.toml").write_text(text + more)
        out = tmp_path / "out"
        process = beside("run", "spec.toml", "--launch", "slurm", "--out", out)
        return process, out

    return launch


def reached(process, job, number, within_s=60):
    """Wait until a job has recorded so many rounds."""
    deadline = time.monotonic() + within_s
    while len(rows(job)) < number:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)


def nothing_but_rounds_at_work_was_lost(job, tmp_path, stops):
    whole = rows(job)
    assert len({(r["cell_id"], r["round"]) for r in whole}) == len(whole) == ROUNDS
    assert {r["status"] for r in whole} == {"ok"}
    measured = sum(len(r["samples_s"]) for r in whole)
    taken = (tmp_path / "samples").stat().st_size
    assert measured <= taken <= measured + stops * SAMPLES_A_ROUND


@pytest.mark.slow
def test_a_job_told_of_its_time_goes_on_and_a_cancelled_one_is_resumed(
    cluster, one_job, crossover, tmp_path
):
    process, out = one_job(0.1)
    job = out / "jobs" / "a-1"

    def until(number):
        reached(process, job, number)
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
    assert rows(job)[: len(kept)] == kept
    nothing_but_rounds_at_work_was_lost(job, tmp_path, stops=2)


@pytest.mark.slow
def test_a_job_that_another_takes_the_node_from_goes_on_when_it_is_free(
    cluster, one_job, tmp_path
):
    process, out = one_job(0.1)
    job = out / "jobs" / "a-1"
    reached(process, job, 4)
    urgent = "--partition=urgent", "--nodelist=a", "--exclusive", "--job-name=urgent"
    cluster.ask("sbatch", *urgent, "--output=/dev/null", "--wrap=sleep 3")
    while "urgent R" not in cluster.ask("squeue", "--noheader", "--format=%j %t"):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    kept = rows(job)
    assert 4 <= len(kept) < ROUNDS
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert rows(job)[: len(kept)] == kept
    nothing_but_rounds_at_work_was_lost(job, tmp_path, stops=1)


@pytest.mark.torture
def test_a_time_limit_that_runs_out_costs_the_round_at_work(one_job, tmp_path):
    """Slurm counts in minutes: of two, it takes one to say that one is left."""
    process, out = one_job(0.9, "limit_minutes = 2\n")
    _, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    stops = (out / "logs" / "a-1.txt").read_text().count("is queued again")
    assert stops >= 1
    nothing_but_rounds_at_work_was_lost(out / "jobs" / "a-1", tmp_path, stops)

"""A user's file is measured, gone on with, reported and compared; hostile ones too."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from crossover.record import run_folder

HERE = Path(__file__).parent
JOB = """
import torch

def train(device, hidden=64, batch=8):
    w = torch.randn(hidden, hidden).to(device)
    x = torch.randn(batch, hidden).to(device)
    return lambda: (x @ w).relu().sum()

def twice(device, hidden=64, batch=8):
    once = train(device, hidden, batch)
    return lambda: (once() + once()) / 2
"""
SMALL = "--grid", "--rounds", "5", "--contender", "cpu/train@1"


def line_of(text):
    """Return the number of the first line of the hostile file that holds a text."""
    lines = (HERE / "hostile_job.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


HOSTILE = {
    "leaves_work_queued": ("ok", ""),
    "returns_a_tensor_there": ("ok", ""),
    "prints": ("ok", ""),
    "forks": ("ok", ""),
    "uses_globals": ("ok", ""),
    "random_there": ("ok", ""),
    "raises": (
        "failed",
        f"ValueError: not (hostile_job.py:{line_of('raise ValueError')})",
    ),
    "hangs": ("timeout", "slower than 20 s"),
    "leaves": ("crashed", "exit status 7"),
    "exits": ("crashed", "exit status 7"),
    "changes_threads": ("failed", "NotAsLabelled: torch has 3 threads; must have 1"),
    "other_work": ("failed", "differs from that of cpu/fine@1 by 0.21 of the largest"),
    "other_shape": ("failed", "has [64] numbers, that of cpu/fine@1 has [1]"),
    "spends_memory": ("oom", "out of host memory"),
}


def rows_of(folder, name):
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def kept(out):
    return [m for m in run_folder.load(out).measurements if not m.discarded]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    file = tmp_path_factory.mktemp("job") / "my_job.py"
    file.write_text(JOB)
    return file


@pytest.fixture
def run(job, crossover, undrawn, tmp_path):
    out = tmp_path / "run"
    code, said, errors = crossover(
        "run", job, "hidden=8,512", *SMALL, "--contender", "cpu/twice@1", "--out", out
    )
    assert code == 0, errors
    return out, said


def test_it_is_measured_reported_and_compared_and_nothing_is_imported(
    job, run, crossover, undrawn, tmp_path
):
    out, said = run
    assert "Over hidden at batch 8" in said
    assert "nverified" not in said
    recorded = run_folder.load(out)
    assert recorded.user_file.path == str(job)
    assert {m.verified for m in recorded.measurements} == {True}
    assert {m.cell_id.partition(":")[0] for m in recorded.measurements} == {
        "hidden=8,batch=8", "hidden=512,batch=8",
    }  # fmt: skip
    crossed = rows_of(out, "crossovers")
    assert {row["view"] for row in crossed} == {"train", "from_scratch"}
    (row,) = (r for r in crossed if r["view"] == "train")
    assert (row["hidden"], row["batch"]) == ("", "8")
    assert row["outcome"] in ("never", "inconclusive")  # withheld on a busy machine
    # elsewhere, where the file would notice that it is imported
    job.write_text(JOB + "\nraise SystemExit('imported')\n")
    moved = tmp_path / "moved"
    shutil.copytree(out, moved)
    try:
        assert crossover("report", moved)[0] == 0
        assert crossover("compare", out, moved)[0] == 0
        code, _, errors = crossover("run", "--resume", out, "--budget", "10s")
    finally:
        job.write_text(JOB)
    assert code == 2
    assert errors == (
        f"crossover: {job}: was edited since the run began: must be as it was, or a "
        "new run\n"
    )


@pytest.mark.slow
def test_it_goes_on_where_it_stopped(job, crossover, undrawn, tmp_path):
    out = tmp_path / "run"
    asked = "run", job, "hidden=8,64,512", *SMALL, "--contender", "cpu/twice@1"
    code, _, _ = crossover(*asked, "--out", out, "--budget", "0.2s")
    assert code == 3
    before = kept(out)
    assert crossover("run", "--resume", out, "--budget", "60s")[0] == 0
    assert len(kept(out)) == 3 * 2 * 5 > len(before)
    assert kept(out)[: len(before)] == before


@pytest.mark.slow
def test_a_step_that_returns_nothing_is_unverified(crossover, undrawn, tmp_path):
    file, out = tmp_path / "quiet.py", tmp_path / "run"
    file.write_text(
        JOB.replace(".sum()", ".sum() and None").replace(
            "(once() + once()) / 2", "once()"
        )
    )
    code, said, errors = crossover(
        "run", file, "hidden=8,64", *SMALL, "--contender", "cpu/twice@1", "--out", out
    )
    assert code == 0, errors
    lines = [line.strip() for line in said.splitlines()]
    answers = lines[lines.index("Over hidden at batch 8, 1,000 steps:") + 1 :]
    assert answers[0].startswith("Unverified: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.py"], "absent.py: No such file or directory"),
        (["{job}", "hiden=8"], "hiden = '8': workload my_job.py has no such size or"),
        (["{job}", "hidden=8..4"], "hidden = '8..4': must be A..B with 1 <= A <= B"),
        (["{job}", "--samples", "8"], "--samples: is an option of softmax; must be a"),
        (["{job}", "--preset", "smoke"], "preset = 'smoke': is of softmax, not of"),
        (["{job}", "--contender", "cpu/trian"], "trainer = 'trian' in contender"),
        (["nothing"], "job = 'nothing': must be a spec (.toml), a file of Python"),
    ],
)
def test_what_cannot_be_asked_is_one_line(job, crossover, tmp_path, words, said):
    out = tmp_path / "run"
    code, _, errors = crossover(
        "run", *(word.format(job=job) for word in words), "--out", out
    )
    assert (code, errors.count("\n")) == (2, 1)
    assert errors.startswith(f"crossover: {said}")
    assert not out.exists()


def test_a_step_that_is_not_callable_is_refused_with_its_line(crossover, tmp_path):
    file = tmp_path / "none.py"
    file.write_text("\n\ndef train(device, n=8):\n    return 3\n")
    code, _, errors = crossover("run", file, "n=8,64", "--out", tmp_path / "run")
    assert code == 2
    assert errors == (
        "crossover: none.py:3: train returned int: must return a function, or an "
        "object with one called step\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_spec_names_a_file_beside_it(job, crossover, undrawn, tmp_path):
    spec = job.parent / "spec.toml"
    spec.write_text(
        'workload = "my_job.py"\ngrid = true\nrounds = 5\ncontrol = false\n'
        'contenders = ["cpu@1"]\npairs = [["cpu@1", "cpu/twice@1"]]\n'
        '[[sweep]]\naxis = "hidden"\nvalues = [8, 64]\nbatch = 4\n'
    )
    code, said, errors = crossover("run", spec, "--out", tmp_path / "run")
    assert code == 0, errors
    assert "Over hidden at batch 4" in said


@pytest.mark.slow
def test_each_hostile_step_is_measured_right_or_a_row_with_its_reason(
    crossover, undrawn, left_over, tmp_path
):
    spec, out = tmp_path / "spec.toml", tmp_path / "run"
    shutil.copy(HERE / "hostile_job.py", tmp_path)
    pairs = [["cpu/fine@1", f"cpu/{name}@1"] for name in HOSTILE]
    large = ["cpu/fine@1", "cpu/raises_at_large@1"]
    spec.write_text(
        'workload = "hostile_job.py"\ngrid = true\nrounds = 2\ncontrol = false\n'
        "cell_timeout_s = 20.0\ncontenders = ['cpu/fine@1']\n"
        f"pairs = {json.dumps(pairs)}\n"
        '[[sweep]]\naxis = "n"\nvalues = [64]\n'
        f'[[sweep]]\naxis = "n"\nvalues = [32, 128]\npairs = [{json.dumps(large)}]\n'
    )
    code, _, errors = crossover("run", spec, "--out", out)
    assert code == 3, errors
    rows = run_folder.load(out).measurements
    for name, (status, notes) in HOSTILE.items():
        its = [m for m in rows if m.contender.trainer == name]
        assert {m.status for m in its} == {status}, (name, [m.notes for m in its])
        assert all(notes in m.notes for m in its), (name, [m.notes for m in its])
    large = [m for m in rows if m.contender.trainer == "raises_at_large"]
    assert {(m.case["n"], m.status) for m in large} == {(32, "ok"), (128, "failed")}
    line = line_of("raise RuntimeError")
    assert large[-1].notes == f"RuntimeError: too large (hostile_job.py:{line})"
    assert left_over() == []


@pytest.mark.torture  # tests/test_simulated_user.py measures them on the CPU, too
@pytest.mark.parametrize(
    ("name", "sizes", "over"),
    [
        ("mlp", ["hidden=16,64", "batch=4"], "Over hidden at batch 4"),
        ("lstm", ["length=4,16", "batch=4"], "Over length at batch 4"),
        ("attention", ["context=16,64", "dtype=float32,bfloat16"], "Over context at"),
        ("policy", ["envs=1,8"], "Over envs at hidden 64"),
        ("lstm_inference", ["hidden=8,16"], "Over hidden at length 64, batch 1"),
    ],
)
def test_every_example_is_measured_at_small_sizes(
    crossover, undrawn, tmp_path, name, sizes, over
):
    file, out = HERE.parent / "examples" / f"{name}.py", tmp_path / "run"
    code, said, errors = crossover(
        "run", file, *sizes, "--grid", "--rounds", "5", "--contender", "cpu@1",
        "--contender", "cpu@2", "--out", out,
    )  # fmt: skip
    assert code == 0, errors
    assert over in said
    assert "nverified" not in said
    asked = [s.partition("=")[2].split(",") for s in sizes if s.startswith("dtype")]
    for dtype in asked[0] if asked else ():
        assert f"dtype {dtype}" in said
        assert {dtype} <= {row["dtype"] for row in rows_of(out, "crossovers")}


def test_init_writes_a_file_that_is_a_job(crossover, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said, _ = crossover("init", "my_job.py")
    assert code == 0
    plan, run = (line.strip() for line in said.splitlines()[1:])
    assert (plan, run) == (
        "crossover plan my_job.py hidden=16..2048",
        "crossover run my_job.py hidden=16..2048",
    )
    code, said, errors = crossover(*plan.split()[1:])
    assert code == 0, errors
    assert said.count("hidden=16,batch=32") == 1
    code, _, errors = crossover("init", "my_job.py")
    assert (code, errors) == (
        2,
        "crossover: file = 'my_job.py': exists already; must be a new one\n",
    )
    code, _, errors = crossover("init", "class.py")
    assert code == 2
    assert "must be a name such as my_job.py" in errors

"""One cell through three doors: our sampler, asv's runner, pytest-benchmark."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import softmax_core
from crossover.measure import sampler as sampling
from crossover.workloads.softmax import SOFTMAX
from softmax_core import device as devices

ROOT = Path(__file__).parent.parent
CELL = "n150-d2-c3-b10-e1:cpu/resident@1"
ABSENT = CELL.replace("cpu/resident@1", "cuda:99/resident")
TESTS = "bench/pytest_suite/test_cells.py"
OLD_RUNNER = "0.2.5"


def run(*command, before=(), **environment):
    path = os.pathsep.join([*map(str, before), str(ROOT), str(ROOT / "tests")])
    # A pytest that thinks it shares the work with others does not measure.
    inherited = {k: v for k, v in os.environ.items() if "XDIST" not in k}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**inherited, "PYTHONPATH": path, "CROSSOVER_SUITE": "", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def by_asv(tmp_path, *attributes, benchmark="time_train", cell=CELL, before=()):
    result = tmp_path / "result.json"
    name = f"training.Training.{benchmark}"
    command = ROOT / "tests/suites_virtual.py", result, name, cell, *attributes
    told = run(*command, before=before).splitlines()
    return json.loads(result.read_text()), json.loads(told[-1])


@pytest.fixture
def virtual_s(monkeypatch):
    """Seconds of one training by our own sampler, under the same virtual clock."""
    monkeypatch.syspath_prepend(ROOT / "tests")
    import suites_virtual

    from crossover.suites import cells

    monkeypatch.setattr(cells, "now", cells.now)
    monkeypatch.setattr(softmax_core, "get_trainer", softmax_core.get_trainer)
    monkeypatch.setattr(devices, "synchronize", devices.synchronize)
    device = suites_virtual.install()
    case, cpu = SOFTMAX.case(samples=150, batch_size=10, epochs=1), torch.device("cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the worker of cpu/resident@1 has it
    sampler = sampling.Sampler(case, "resident", cpu, 1, 0.0, 1.0, device.now)
    seconds = sampler.sample()[0] / sampler.calls
    sampler.close()
    torch.set_num_threads(threads)
    assert seconds == pytest.approx(suites_virtual.EPOCH_S, rel=0.001)
    return seconds


def by_pytest(tmp_path, **environment):
    kept = tmp_path / "kept.json"
    told = run(
        "-m", "pytest", "-p", "suites_virtual", "--benchmark-only",
        f"--benchmark-json={kept}",
        *(f"{TESTS}::test_{view}[{cell}]" for view in ("train", "transfer")
          for cell in (CELL, ABSENT)),
        CROSSOVER_DEVICES="cuda:99",
    )  # fmt: skip
    return json.loads(kept.read_text()), told


@pytest.mark.slow
def test_the_three_doors_tell_the_same_time(tmp_path, virtual_s):
    result, facts = by_asv(tmp_path)
    assert statistics.median(result["samples"]) == pytest.approx(virtual_s, rel=0.01)
    assert 5 <= len(result["samples"]) <= 10
    assert result["number"] == 9  # 1.2 * 5 ms of 0.7 ms each
    assert facts["builds"] == 1
    assert facts["uses"] > len(result["samples"])

    kept, told = by_pytest(tmp_path)
    train, transfer = kept["benchmarks"]
    extra = train["extra_info"]
    assert extra["calls"] == 9
    assert len(train["stats"]["data"]) >= 10
    median_s = statistics.median(train["stats"]["data"]) / extra["calls"]
    assert median_s == pytest.approx(virtual_s, rel=0.01)
    assert extra["cell_id"] == transfer["extra_info"]["cell_id"] == CELL
    assert (extra["view"], transfer["extra_info"]["view"]) == ("train", "transfer")
    assert transfer["extra_info"]["calls"] == 1
    assert train["params"] == {
        "case": CELL.partition(":")[0],
        "contender": "cpu/resident@1",
    }
    assert train["group"] == "train n150-d2-c3-b10-e1"
    assert extra["threads"] == 1
    assert 0 < extra["loss"] < 2
    assert kept["machine_info"]["blas"]
    assert "accelerators" in kept["machine_info"]
    assert f"{ABSENT}: cuda:99: " in told
    assert "2 passed, 2 skipped" in told


@pytest.mark.slow
def test_asv_quick_takes_one_call_and_says_not_applicable(tmp_path):
    quick = "number=1", "repeat=1", "warmup_time=0", "rounds=1"
    result, facts = by_asv(tmp_path, *quick)
    assert result["number"] == len(result["samples"]) == 1
    assert result["samples"][0] == pytest.approx(0.7e-3, rel=0.01)
    assert facts["builds"] == 1


@pytest.mark.index
def test_both_generations_of_the_runner_agree(tmp_path, virtual_s):
    old = tmp_path / "old"
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", old,
        f"asv_runner=={OLD_RUNNER}")  # fmt: skip
    new_result, new = by_asv(tmp_path)
    old_result, seen = by_asv(tmp_path, before=[old])
    assert (seen["runner"], new["runner"] >= "0.3") == (OLD_RUNNER, True)
    assert old_result["number"] == new_result["number"]
    assert len(old_result["samples"]) == len(new_result["samples"])
    for result, facts in ((old_result, seen), (new_result, new)):
        median_s = statistics.median(result["samples"])
        assert median_s == pytest.approx(virtual_s, rel=0.01)
        assert facts["builds"] == 1
    quick = "number=1", "repeat=1", "warmup_time=0", "rounds=1"
    result, facts = by_asv(tmp_path, *quick, before=[old])
    assert result["samples"] == [pytest.approx(virtual_s, rel=0.01)]
    assert facts["builds"] == 1

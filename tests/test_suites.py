"""The cells of the suites, and what asv and pytest are told about them."""

import gc
import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from asv import config, util
from builders import FakeWorker, make_machine, timed_workers

import softmax_core
from crossover.files.untrusted import InputError
from crossover.suites import cells, choice, crossing
from crossover.workloads.definition import WrongResult

ROOT = Path(__file__).parent.parent
CELL = "n150-d2-c3-b10-e1:cpu/resident@1"


@pytest.fixture(autouse=True)
def usual(monkeypatch):
    monkeypatch.delenv(choice.SUITE, raising=False)
    monkeypatch.delenv(choice.DEVICES, raising=False)
    threads = torch.get_num_threads()
    yield
    cells.release()
    torch.set_num_threads(threads)


def test_asv_knows_every_key_of_its_configuration():
    keys = set(util.load_json(str(ROOT / "asv.conf.json"), 1, js_comments=True))
    assert keys - {"version"} <= set(vars(config.Config()))


def test_asv_configuration_says_what_the_packages_say():
    conf = config.Config.load(str(ROOT / "asv.conf.json"))
    assert (ROOT / conf.benchmark_dir / "training.py").is_file()
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert f"torch=={conf.matrix['req']['torch'][0]}" in pins
    assert f'name = "{conf.project}"' in (ROOT / "pyproject.toml").read_text()
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    for folder in (conf.env_dir, conf.results_dir, conf.html_dir):
        assert folder.split("/")[0] + "/" in ignored


def test_small_is_the_default_and_sweeps_every_axis_within_forty_cells():
    small = cells.cells()
    assert small == cells.cells("small")
    assert len(small) <= 40
    axes = {sweep.axis for sweep in choice.load_profile("small").sweep}
    assert axes == {"samples", "batch_size", "epochs"}
    images = {
        threads: {
            c.case["batch_size"]
            for c in small
            if c.case["features"] == 784 and c.contender.threads == threads
        }
        for threads in (1, 2)
    }
    assert len(images[1]) >= 5
    assert images[1] == images[2]


@pytest.mark.parametrize("profile", choice.PROFILES)
def test_every_profile_is_distinct_cells_of_both_devices(profile):
    measured = cells.cells(profile)
    assert len({c.id for c in measured}) == len(measured)
    assert {c.contender.device for c in measured} == {"cpu", "cuda"}
    assert all(c.contender.threads for c in measured if c.contender.device == "cpu")
    assert all(cells.workload().parse_cell(c.id) == c for c in measured)


def test_asv_gets_the_product_less_what_is_no_cell():
    measured = cells.cells()
    grid = cells.grid(measured)
    pairs = {(case, who) for case in grid.cases for who in grid.contenders}
    kept = pairs - set(grid.skipped)
    assert {f"{case}:{who}" for case, who in kept} == {c.id for c in measured}
    assert len(grid.skipped) == len(pairs) - len(measured)


def test_a_wrong_profile_or_device_is_one_line(monkeypatch):
    monkeypatch.setenv(choice.SUITE, "smal")
    with pytest.raises(InputError, match=r"^CROSSOVER_SUITE = 'smal': .*mean small\?"):
        cells.cells()
    monkeypatch.setenv(choice.SUITE, "smoke")
    monkeypatch.setenv(choice.DEVICES, "xpu,cpu/lesson")
    with pytest.raises(InputError, match=r"^CROSSOVER_DEVICES = 'cpu/lesson': must be"):
        cells.cells()


def test_more_devices_are_measured_as_cuda_is(monkeypatch):
    before = cells.cells()
    monkeypatch.setenv(choice.DEVICES, "xpu, cuda:1,cuda")
    after = cells.cells()
    assert [c for c in after if c in before] == list(before)
    of = {d: sum(c.contender.device == d for c in after) for d in ("cuda", "xpu")}
    assert of["xpu"] == of["cuda"] > 0
    assert "cuda:1/lesson" in {str(c.contender) for c in after}


def test_what_is_not_here_says_why(monkeypatch):
    monkeypatch.setattr(cells, "usable_cores", lambda: 1)
    assert cells.unavailable("cpu/resident@1") is None
    assert cells.unavailable("cpu/resident@2") == (
        "cpu/resident@2: 2 threads, but 1 usable core(s)"
    )
    assert cells.unavailable("cuda:99/resident").startswith("cuda:99: ")


def test_a_cell_is_built_once_and_uses_its_threads():
    builds = cells.kept.builds
    prepared = cells.prepare(CELL)
    assert cells.prepare(CELL) is prepared
    assert cells.kept.builds == builds + 1
    torch.set_num_threads(2)
    prepared.ready()
    assert torch.get_num_threads() == 1 == prepared.threads
    assert 0 < prepared.loss < 2
    assert not gc.isenabled()
    cells.release()
    assert gc.isenabled()
    assert cells.prepare(CELL) is not prepared
    assert cells.kept.builds == builds + 2


def test_ready_goes_back_to_the_initial_weights(monkeypatch):
    trainer, sessions = softmax_core.get_trainer("resident"), []
    prepare = trainer.prepare

    def kept(*arguments, **options):
        sessions.append(prepare(*arguments, **options))
        return sessions[-1]

    trainer.prepare = kept
    monkeypatch.setattr(softmax_core, "get_trainer", lambda *_: trainer)
    prepared = cells.prepare(CELL)
    seen = []
    for _ in range(2):
        prepared.ready()
        seen.append(sessions[0].weights()[0])
        prepared.train()
        seen.append(sessions[0].weights()[0])
    before, after, before_again, after_again = seen
    assert torch.equal(before, before_again)
    assert torch.equal(after, after_again)
    assert not torch.equal(before, after)


def test_wrong_is_not_fast(monkeypatch):
    monkeypatch.setattr("softmax_core.disagreement", lambda *_: 0.5)
    with pytest.raises(WrongResult, match="weights differ"):
        cells.prepare(CELL)
    assert cells.kept.prepared is None


@pytest.mark.parametrize(("truth", "found_at"), [(400, 547), (2e6, math.nan)])
def test_the_crossing_is_one_number(monkeypatch, truth, found_at):
    class Worker(FakeWorker):
        crossing = truth

    monkeypatch.setattr(crossing, "snapshot", lambda devices: make_machine())
    workers = timed_workers(monkeypatch, Worker)
    monkeypatch.setattr(crossing, "Workers", lambda: workers)
    found = crossing.crossover_size("cpu/resident@1", "cpu/resident@2")
    assert found == pytest.approx(found_at, rel=0.1, nan_ok=True)


def test_pytest_measures_only_when_asked_and_then_nothing_else():
    inherited = {k: v for k, v in os.environ.items() if "XDIST" not in k}

    def collected(*options):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-qq", *options],
            cwd=ROOT, capture_output=True, text=True, check=True, env=inherited,
        )  # fmt: skip
        return [line for line in done.stdout.splitlines() if line]

    suite = "bench/pytest_suite"
    (plain,) = collected("tests/test_layers.py", suite)
    assert plain.startswith("tests/test_layers.py: ")
    cells_twice = f"{suite}/test_cells.py: {2 * len(cells.cells())}"
    assert collected("--benchmark-only") == [cells_twice]


def test_the_gate_counts_what_was_measured(tmp_path, capsys, monkeypatch):
    path = ROOT / ".ci/measured.py"
    spec = importlib.util.spec_from_file_location("measured", path)
    gate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gate)

    def told(*arguments):
        monkeypatch.setattr(sys, "argv", ["measured.py", *map(str, arguments)])
        return gate.main(), capsys.readouterr().out

    machine = tmp_path / "results/vm"
    machine.mkdir(parents=True)
    (machine / "machine.json").write_text("{}")
    for values, code, text in (
        ([1.5, math.nan, 2], 0, "asv: 2 measured, 1 n/a, 0 failed\n"),
        ([math.nan], 1, "asv: 0 measured, 1 n/a, 0 failed\n"),
        ([1.0, None], 1, "asv: 1 measured, 0 n/a, 1 failed\n"),
        (None, 1, "asv: 0 measured, 0 n/a, 1 failed\n"),
    ):
        row = {"result_columns": ["result", "params"], "results": {"a": [values]}}
        (machine / "c0ffee.json").write_text(json.dumps(row))
        assert told("asv", tmp_path / "results") == (code, text)
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"benchmarks": []}))
    assert told("pytest", kept) == (1, "pytest: 0 measured, 0 n/a, 0 failed\n")

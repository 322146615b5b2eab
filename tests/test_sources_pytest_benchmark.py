"""pytest-benchmark's files as runs: files that 4.0.0 and 5.3.1 really wrote.

Their tests ran on the virtual clock of tests/test_sources_asv.py, two calls a sample.
"""

import json
import math
from pathlib import Path

import pytest

from crossover.analysis.crossover import crossovers
from crossover.files.untrusted import InputError
from crossover.sources.pytest_benchmark import read_pytest_benchmark

FIXTURES = Path(__file__).parent / "fixtures" / "pytest_benchmark"
TRUTH = 60 / 0.9
CELL = "n4096-d784-c10-b64-e1:cpu/resident@1"


def between(run, challenger="cpu/resident@2", view="train"):
    (found,) = (
        c
        for c in crossovers(run)
        if (c.challenger, c.axis, c.view) == (challenger, "batch_size", view)
    )
    return found


def changed(tmp_path, edit, name="5.3.1"):
    fields = json.loads((FIXTURES / f"{name}.json").read_text())
    edited = edit(fields)
    file = tmp_path / "out.json"
    file.write_text(json.dumps(fields if edited is None else edited))
    return read_pytest_benchmark(file)


def train_of(fields, cell_id=CELL, view="train"):
    for benchmark in fields["benchmarks"]:
        extra = benchmark["extra_info"]
        if (extra.get("cell_id"), extra.get("view")) == (cell_id, view):
            return benchmark
    raise AssertionError


@pytest.mark.parametrize("version", ["4.0.0", "5.3.1"])
def test_every_version_gives_the_known_crossover(version):
    run = read_pytest_benchmark(FIXTURES / f"{version}.json")
    found = between(run)
    assert found.answer.outcome == "found"
    assert found.answer.parity_low < TRUTH < found.answer.parity_high
    assert {"unpaired", "one_process"} < set(found.flags)
    moved = between(run, view="with_transfer")
    assert moved.answer.at == pytest.approx(found.answer.at, rel=0.02)
    assert between(run, view="from_scratch").flags == (
        "cpu/resident@1: set-up time not recorded",
    )
    assert run.machine.versions["pytest-benchmark"] == version


def test_the_rounds_are_pytest_benchmarks():
    file = FIXTURES / "5.3.1.json"
    fields = json.loads(file.read_text())
    run = read_pytest_benchmark(file)
    measured = [m for m in run.measurements if m.cell_id == CELL]
    assert [m.samples_s[0] for m in measured] == train_of(fields)["stats"]["data"]
    first = measured[0]
    assert first.calls_per_sample == 2
    assert (first.loss, first.accuracy, first.threads) == (0.25, 0.875, 1)
    assert first.transfer_s == pytest.approx(1e-4)
    assert first.started_utc.startswith("2026-")
    assert "pytest-benchmark" in run.command


def test_without_the_rounds_nothing_is_decided():
    found = between(read_pytest_benchmark(FIXTURES / "4.0.0-saved.json"))
    of = found.answer
    assert of.outcome == "inconclusive"
    assert of.at is of.low is of.high is None
    assert "no_interval: pytest-benchmark kept no rounds" in found.flags
    assert "one_process" not in found.flags
    assert found.answer.fitted == pytest.approx(TRUTH, rel=0.3)


def test_few_rounds_decide_nothing(tmp_path):
    def quick(fields):
        for benchmark in fields["benchmarks"]:
            benchmark["stats"]["data"] = benchmark["stats"]["data"][:3]

    found = between(changed(tmp_path, quick))
    assert found.answer.outcome == "inconclusive"
    assert "no_interval: 3 samples, fewer than 5" in found.flags


def test_cells_that_were_skipped_leave_their_reason_with_the_machine(tmp_path):
    def as_our_suite(fields):
        fields["machine_info"] |= {
            "unavailable": {"cuda": "no driver"}, "cpu_name": "A", "blas": "mkl",
            "threads": {"torch": 2, "pools": [{"num_threads": 2}, 7], "x": [1]},
        }  # fmt: skip

    run = changed(tmp_path, as_our_suite)
    missing = between(run, "cuda/resident")
    assert missing.answer.outcome == "not_measured"
    assert missing.flags == ("cuda/resident: unavailable: cuda: no driver",)
    assert run.machine.cpu == "A"
    assert run.machine.accelerators == ()
    assert run.machine.threads["blas"] == "mkl"
    assert [pool["num_threads"] for pool in run.machine.threads["pools"]] == ["2"]


def test_what_the_machine_does_not_say_is_unknown(tmp_path):
    machine = changed(tmp_path, lambda f: f.pop("machine_info") and None).machine
    assert machine.hostname == "unknown"
    assert (machine.cores, machine.memory_bytes, machine.load_1min) == (None,) * 3
    assert "not described" in machine.accelerators[0]["description"]


def test_the_commit_names_the_run(tmp_path):
    def committed(fields):
        fields["commit_info"]["id"] = "0123456789abcdef"

    run = changed(tmp_path, committed)
    assert run.commit == "0123456789ab"
    assert run.run_id == "testbox-0123456789ab-out"


def spoil(*path, value):
    def edit(fields):
        place = train_of(fields)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return edit


def drop(*path):
    def edit(fields):
        place = train_of(fields)
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return edit


def twice(fields):
    fields["benchmarks"].append(train_of(fields))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: 7, "must be a JSON object, not a int"),
        (lambda f: {}, "benchmarks: missing; must be a JSON file of pytest-benchmark"),
        (lambda f: {"benchmarks": {}}, r"benchmarks = {}: must be a valid list"),
        (lambda f: {"benchmarks": [3]}, r"benchmarks.0 = 3: must be"),
        (lambda f: {"benchmarks": []}, "with --axis"),
        (spoil("extra_info", "cell_id", value="n1"), "extra_info.cell_id: case = 'n1'"),
        (
            spoil("extra_info", "cell_id", value=3),
            "cell_id = 3: must be a valid string",
        ),
        (spoil("extra_info", "view", value="both"), "view = 'both': must be 'train'"),
        (spoil("extra_info", "calls", value=0), "calls = 0: must be greater than"),
        (spoil("stats", value=None), "stats = None: must be"),
        (drop("stats", "median"), "stats.median: missing; must be given"),
        (spoil("stats", "data", 0, value=0.0), "stats = 0.0: must be seconds > 0"),
        (spoil("stats", "data", 0, value=-1), "data.0.* = -1: must be greater than"),
        (spoil("stats", "data", 0, value=math.nan), "data.0.* = nan: must be"),
        (spoil("stats", "data", 0, value=math.inf), "data.0.* = inf: must be"),
        (spoil("stats", "data", 0, value=10**400), r"data.0.* = 1000+\.\.\.: must be"),
        (spoil("stats", "data", 0, value="fast"), "data.0.* = 'fast': must be"),
        (twice, f"cell_id = '{CELL}': must have one train only"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path, edit, message):
    with pytest.raises(InputError, match=message) as raised:
        changed(tmp_path, edit)
    assert "\n" not in str(raised.value)
    assert "out.json" in str(raised.value)


@pytest.mark.parametrize("text", ["", "x", "[" * 200_000])
def test_what_is_not_json_is_one_clear_line(tmp_path, text):
    file = tmp_path / "out.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"out.json.*(must be JSON|nested too deep)"):
        read_pytest_benchmark(file)
    with pytest.raises(InputError, match="No such file"):
        read_pytest_benchmark(tmp_path / "nowhere.json")


def test_one_contender_alone_is_refused(tmp_path):
    def alone(fields):
        fields["benchmarks"] = [train_of(fields)]

    with pytest.raises(
        InputError, match="contender = cpu/resident@1: must be at least"
    ):
        changed(tmp_path, alone)

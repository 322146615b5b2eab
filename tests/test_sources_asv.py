"""asv's results as runs: files that asv 0.4.2, 0.5.1 and 0.6.6 really wrote.

Their suite ran on a virtual clock: a training costs 100 us a step and 2 us a sample on
one thread, 160 us and 1.1 us on two, so that they cross at a batch size of 60 / 0.9.
"""

import json
import math
import shutil
from pathlib import Path

import pytest

from crossover.analysis.crossover import crossovers
from crossover.analysis.estimate import estimates
from crossover.files.untrusted import InputError
from crossover.sources.asv import read_asv

FIXTURES = Path(__file__).parent / "fixtures" / "asv"
TRUTH = 60 / 0.9
CELL = "n4096-d784-c10-b64-e1:cpu/resident@1"


def only(version):
    (run,) = read_asv(f"{FIXTURES / version}@d389ab64")
    return run


def between(run, challenger="cpu/resident@2", axis="batch_size", view="train"):
    (found,) = (
        c
        for c in crossovers(run)
        if (c.challenger, c.axis, c.view) == (challenger, axis, view)
    )
    return found


def rows(run, cell_id):
    return [m for m in run.measurements if m.cell_id == cell_id]


@pytest.fixture
def store(tmp_path):
    """Return a copy of a results folder with one file, and a function to change it."""
    shutil.copytree(FIXTURES / "0.6.6-median", tmp_path / "results")
    (file,) = (tmp_path / "results" / "testbox").glob("d389*.json")

    def change(edit):
        fields = json.loads(file.read_text())
        edited = edit(fields)
        file.write_text(json.dumps(fields if edited is None else edited))
        return read_asv(str(tmp_path / "results"))

    return change


@pytest.mark.parametrize("version", ["0.4.2", "0.5.1", "0.6.6"])
def test_every_version_gives_the_known_crossover(version):
    run = only(version)
    found = between(run)
    assert found.answer.outcome == "found"
    assert found.answer.parity_low < TRUTH < found.answer.parity_high
    assert found.answer.parity == pytest.approx(TRUTH, rel=0.1)
    assert "unpaired" in found.flags
    assert "one_process" not in found.flags
    moved = between(run, view="with_transfer")
    assert moved.answer.at == pytest.approx(found.answer.at, rel=0.02)
    scratch = between(run, view="from_scratch")
    assert scratch.answer.outcome == "not_measured"
    assert scratch.flags == ("cpu/resident@1: set-up time not recorded",)


@pytest.mark.parametrize("version", ["0.4.2", "0.5.1", "0.6.6"])
def test_the_samples_are_asvs(version):
    file = next((FIXTURES / version / "testbox").glob("d389*.json"))
    results = json.loads(file.read_text())["results"]["softmax.Train.time_train"]
    samples = results["samples"] if version == "0.4.2" else results[11]
    run = only(version)
    measured = rows(run, CELL)
    # 4 contenders a case; the second case's second contender
    assert [m.samples_s for m in measured] == [(s,) for s in samples[5]]
    assert [m.round for m in measured] == list(range(16))
    first = measured[0]
    assert first.accuracy == 0.875
    assert first.peak_bytes["cpu"] > 1e6
    assert first.transfer_s == pytest.approx(1e-4)
    assert first.setup_s is None
    assert first.started_utc.startswith("2026-")


def test_skipped_and_failed_cells_are_told_apart():
    run = only("0.6.6")
    cuda = rows(run, "n4096-d784-c10-b64-e1:cuda/resident")
    assert [(m.status, m.samples_s) for m in cuda] == [("unavailable", ())]
    failed = rows(run, "n4096-d784-c10-b1024-e1:cpu/lesson@1")
    assert [m.status for m in failed] == ["failed"]
    missing = between(run, "cuda/resident")
    assert missing.answer.outcome == "not_measured"
    assert missing.baseline == "cpu/best"
    assert "n/a in asv" in missing.flags[0]
    lesson = between(run, "cpu/resident@1")
    assert lesson.answer.outcome == "always"
    assert "1 sizes not measured" in lesson.flags


def test_without_samples_nothing_is_decided():
    run = only("0.6.6-median")
    found = between(run)
    assert found.answer.outcome == "inconclusive"
    assert (
        found.answer.at,
        found.answer.low,
        found.answer.high,
        found.answer.confidence,
    ) == (None,) * 4
    assert "no_interval: asv kept only its median" in found.flags
    assert found.answer.first_win == 256
    assert found.answer.fitted == pytest.approx(TRUTH, rel=0.2)
    assert found.answer.speedup_largest == pytest.approx(1.6, rel=0.1)
    # four times faster at every size, and still no verdict without an error
    assert between(run, "cpu/resident@1").answer.outcome == "inconclusive"
    estimate = next(e for e in estimates(run) if e.cell_id == CELL)
    assert estimate.confidence == 0
    assert estimate.low_s == estimate.median_s == estimate.high_s


def test_the_best_of_points_is_the_least(store):
    def on_a_gpu(fields):
        values = fields["results"]["softmax.Train.time_train"][0]
        for i in range(3, len(values), 4):
            values[i] = 0.01

    found = between(store(on_a_gpu)[0], "cuda/resident")
    assert found.baseline == "cpu/best"
    assert found.answer.outcome == "inconclusive"
    # b16: one thread is the best CPU with 33.8 ms; b1024: two with 5.1 ms
    assert found.answer.speedup_smallest == pytest.approx(3.38, rel=0.1)
    assert found.answer.speedup_largest == pytest.approx(0.51, rel=0.1)


def test_commits_are_told_apart():
    runs = read_asv(str(FIXTURES / "0.6.6"))
    assert [run.run_id for run in runs] == [
        "testbox-bd16e930-existing-py3.11",
        "testbox-d389ab64-existing-py3.11",
    ]
    assert runs[0].commit.startswith("bd16e930")
    assert all("--from-asv" in run.command for run in runs)
    slower, usual = (rows(run, CELL) for run in runs)
    ratio = slower[0].samples_s[0] / usual[0].samples_s[0]
    assert ratio == pytest.approx(1.3, rel=0.2)
    whole = (
        usual[0].run_id,
        json.loads(next((FIXTURES / "0.6.6/testbox").glob("d389*")).read_text())[
            "commit_hash"
        ],
    )
    (one,) = read_asv(f"{FIXTURES / '0.6.6'}@{whole[1]}")
    assert one.run_id == whole[0]
    (one,) = read_asv(f"{FIXTURES / '0.6.6' / 'testbox'}@bd16e930-existing")
    assert one.run_id == runs[0].run_id
    with pytest.raises(
        InputError, match=r"commit = 'ffff' in .*: must begin one of bd"
    ):
        read_asv(f"{FIXTURES / '0.6.6'}@ffff")


def test_machines_and_environments_are_told_apart(tmp_path):
    shutil.copytree(FIXTURES / "0.6.6", tmp_path / "results")
    machine = tmp_path / "results" / "testbox"
    (file,) = machine.glob("d389*.json")
    shutil.copy(file, machine / f"d389ab64-env-{'0123456789abcdef' * 2}.json")
    shutil.copytree(machine, tmp_path / "results" / "other")
    runs = read_asv(str(tmp_path / "results"))
    assert len({run.run_id for run in runs}) == len(runs) == 6
    assert len({m.run_id for run in runs for m in run.measurements}) == 6


def test_the_machine_is_what_asv_knows():
    machine = only("0.6.6").machine
    assert (machine.hostname, machine.cpu) == ("testbox", "Test CPU")
    assert machine.cores_text == "2 cores"
    assert machine.memory_text == "8.0 GiB"
    assert machine.load_1min is None
    assert machine.quota_cores is None
    assert "not described by asv" in machine.accelerators[0]["description"]


def test_what_a_user_wrote_of_the_machine_is_unknown_not_0(store):
    def by_hand(fields):
        fields["params"] |= {"num_cpu": "four", "ram": "4GB"}

    machine = store(by_hand)[0].machine
    assert (machine.cores, machine.memory_bytes) == (None, None)
    assert machine.cores_text == "an unknown number of cores"
    assert machine.memory_text == "unknown memory"


def test_the_machine_file_and_the_definitions_may_be_missing(tmp_path):
    shutil.copytree(FIXTURES / "0.6.6", tmp_path / "results")
    (tmp_path / "results" / "testbox" / "machine.json").unlink()
    (tmp_path / "results" / "benchmarks.json").unlink()
    assert between(read_asv(str(tmp_path / "results"))[1]).answer.outcome == "found"


def test_samples_of_one_process_are_flagged(tmp_path):
    shutil.copytree(FIXTURES / "0.6.6", tmp_path / "results")
    definitions = tmp_path / "results" / "benchmarks.json"
    known = json.loads(definitions.read_text())
    known["softmax.Train.time_train"]["rounds"] = 1
    definitions.write_text(json.dumps(known))
    assert "one_process" in between(read_asv(str(tmp_path / "results"))[1]).flags


def test_equal_parameters_are_one_cell(store):
    def twice(fields):
        row = fields["results"]["softmax.Train.time_train"]
        row[1][0] = [row[1][0][0] + " (0)", row[1][0][0] + " (1)"]
        row[0] = row[0][:8]

    run = store(twice)[0]
    assert len(rows(run, "n4096-d784-c10-b16-e1:cpu/resident@1")) == 2


def test_more_samples_of_one_contender_span_the_same_time(tmp_path):
    shutil.copytree(FIXTURES / "0.6.6", tmp_path / "results")
    (file,) = (tmp_path / "results" / "testbox").glob("d389*.json")
    fields = json.loads(file.read_text())
    samples = fields["results"]["softmax.Train.time_train"][11]
    samples[5] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    file.write_text(json.dumps(fields))
    (run,) = read_asv(str(file))
    other = [m.samples_s[0] for m in rows(run, CELL.replace("@1", "@2"))]
    assert other == samples[6][::2] + samples[6][1::2]


def spoil(path, value):
    """Return an edit that puts a value where the keys lead."""

    def edit(fields):
        place = fields
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return edit


TRAIN = ("results", "softmax.Train.time_train")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda fields: [fields], "must be a JSON object, not a list"),
        (lambda fields: {}, "results: missing; must be a result file of asv"),
        (spoil(["version"], 3), "version = 3: must be 1 or 2"),
        (spoil(["version"], True), "version = True: must be 1 or 2"),
        (spoil(["commit_hash"], 7), "commit_hash = 7: must be a valid string"),
        (spoil(["results"], []), r"results = \[\]: must be a valid dictionary"),
        (spoil([*TRAIN, 0, 5], "fast"), "result.5"),
        (spoil([*TRAIN, 0, 5], -1.0), "result.5 = -1.0: must be a number > 0, null"),
        (spoil([*TRAIN, 0, 5], math.inf), "result.5 = inf: must be a number > 0, null"),
        (spoil([*TRAIN, 0, 5], 10**400), "must be a number > 0, null"),
        (spoil([*TRAIN, 0], [1.0]), "result: length = 1: must be 24, one for each"),
        (spoil([*TRAIN, 1, 0, 0], "'n0'"), "time_train.params: case = 'n0': must name"),
        (spoil([*TRAIN, 1, 1, 0], "'CPU'"), "time_train.params: contender = 'CPU'"),
        (spoil([*TRAIN, 1, 1], [1, 2, 3, 4]), "params.1.0 = 1: must be a valid string"),
        (spoil(["results"], {}), "must hold a benchmark time_train .*--axis"),
        (spoil(["results"], {"a.time_sum": [[1.0], []]}), "with --axis"),
        (spoil([*TRAIN, 1, 0], ["'a'"] * 6), "with --axis"),
    ],
)
def test_a_broken_file_is_one_clear_line(store, edit, message):
    with pytest.raises(InputError, match=message) as raised:
        store(edit)
    assert "\n" not in str(raised.value)
    assert "d389ab64-existing-py3.11.json" in str(raised.value)


def test_the_same_cell_in_two_benchmarks_is_refused(store):
    def twice(fields):
        results = fields["results"]
        results["old.Train.time_train"] = results["softmax.Train.time_train"]

    with pytest.raises(InputError, match=r"is in results.*time_train too"):
        store(twice)


@pytest.mark.parametrize(
    "text", ["", "nope", "[" * 200_000, '{"a": ' * 200_000, "\xff"]
)
def test_what_is_not_json_is_one_clear_line(store, tmp_path, text):
    file = next((tmp_path / "results" / "testbox").glob("d389*.json"))
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"d389ab64.*(JSON|in UTF-8|nested too deep)"):
        read_asv(str(tmp_path / "results"))


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be asv's results_dir"):
        read_asv(str(tmp_path))
    with pytest.raises(InputError, match="must be a folder that exists"):
        read_asv(str(tmp_path / "nowhere"))


def test_commits_without_our_cells_are_left_out(tmp_path):
    shutil.copytree(FIXTURES / "0.6.6", tmp_path / "results")
    (file,) = (tmp_path / "results" / "testbox").glob("bd16*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "results": {}}))
    assert [run.commit[:4] for run in read_asv(str(tmp_path / "results"))] == ["d389"]


def test_nothing_in_a_file_is_executed(store, tmp_path):
    trap = tmp_path / "trap"
    text = f"__import__('pathlib').Path({str(trap)!r}).touch()"
    with pytest.raises(InputError):
        store(spoil([*TRAIN, 1, 1, 0], text))
    assert not trap.exists()

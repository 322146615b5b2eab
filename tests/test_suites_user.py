"""A user's file in both suites: the same cells, read back without the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import FakeWorker, make_machine, opened, sampled, timed_workers
from suites_job import CASES, JOB, PROFILE, WHO, kept_by_asv, kept_by_pytest, written

from crossover.analysis.crossover import crossovers
from crossover.analysis.frame import read_run
from crossover.files.untrusted import InputError
from crossover.measure.declare import bring_file
from crossover.nouns import Cell
from crossover.sources.asv import read_asv
from crossover.sources.pytest_benchmark import read_pytest_benchmark
from crossover.sources.sweeps_of_cells import sweeps
from crossover.spec.load import load_spec
from crossover.spec.resolve import resolve
from crossover.suites import cells, choice, crossing, facts
from crossover.workloads.values import Size
from crossover.workloads.workload import Workload

ROOT = Path(__file__).parent.parent
SOFTMAX = """
contenders = ["cpu/resident@1"]
pairs = [["cpu/resident@1", "cpu/resident@2"]]
[[sweep]]
axis = "batch_size"
values = [8, 64]
"""


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return written(tmp_path_factory.mktemp("job"))


@pytest.fixture
def chosen(profile, monkeypatch):
    monkeypatch.setenv(choice.SUITE, str(profile))
    monkeypatch.delenv(choice.DEVICES, raising=False)
    yield profile
    cells.release()


@pytest.fixture(scope="module")
def declared(profile):
    """What the suites keep of the workload: JSON, as another machine has it."""
    choice.load_profile(str(profile))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(choice.SUITE, str(profile))
        return json.loads(json.dumps(cells.declaration()["workload"])), cells.version()


def test_the_cells_of_a_profile_are_those_of_a_run_under_the_same_names(chosen):
    ids = [cell.id for cell in cells.cells()]
    assert sorted(ids) == sorted(f"{case}:{who}" for case in CASES for who in WHO)
    spec = resolve(load_spec(chosen, bring_file), (), 2)
    assert {f"{case.id}:{who}" for sweep in spec.sweep
            for case in sweep.cases().values()
            for who in spec.contenders_of(sweep)} == {*ids}  # fmt: skip
    assert [cells.workload().parse_cell(name).id for name in ids] == ids
    assert choice.first_axis() == "width"


def test_a_cell_is_prepared_and_has_no_data_to_move(chosen):
    name = f"{CASES[0]}:cpu/train@1"
    prepared = cells.prepare(name)
    prepared.ready()
    prepared.train_calls()
    assert not prepared.has_data
    kept = facts.cell_facts(prepared, "train")
    assert (kept["cell_id"], kept["items"], kept["loss"]) == (name, 640.0, None)
    assert (kept["width"], kept["dtype"]) == (16, "float64")
    assert cells.unavailable("cpu/twice@1") is None


def test_the_engine_finds_the_crossing_of_a_users_job(chosen, monkeypatch):
    class Worker(FakeWorker):
        def opened(self, request):
            assert request.declared.file.path == str(chosen.parent / "tokens.py")
            return opened(threads=request.threads, verified=True)

        def sampled(self, request):
            width = self.cell.case["width"]
            each_s = 40 if self.cell.trainer == "twice" else width
            return sampled(1e-3 * each_s * self.jittered())

    monkeypatch.setattr(crossing, "snapshot", lambda devices: make_machine())
    workers = timed_workers(monkeypatch, Worker)
    monkeypatch.setattr(crossing, "Workers", lambda: workers)
    found = crossing.crossover_size("cpu@1", "cpu/twice@1")
    assert 16 < found < 64


def test_a_path_is_beside_asvs_configuration_or_in_the_working_folder(
    tmp_path, monkeypatch
):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "profile.toml").write_text(SOFTMAX)
    monkeypatch.setenv(choice.SUITE, "profile.toml")
    monkeypatch.chdir(tmp_path / "there")
    monkeypatch.delenv(choice.BESIDE, raising=False)
    here = cells.cells()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^spec = '.*/profile.toml': No such file"):
        cells.cells()
    monkeypatch.setenv(choice.BESIDE, str(tmp_path / "there"))
    assert cells.cells() == here
    assert len(here) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SOFTMAX.replace("resident@2", "resident@all"),
            "contender = 'cpu/resident@all': must name a number of threads in a",
        ),
        (SOFTMAX.replace("batch_size", "batch"), "axis"),
        pytest.param(
            PROFILE, "tokens.py: No such file or directory", marks=pytest.mark.slow
        ),
    ],
)
def test_a_profile_that_cannot_be_measured_is_one_line(
    tmp_path, monkeypatch, text, said
):
    file = tmp_path / "profile.toml"
    file.write_text(text)
    monkeypatch.setenv(choice.SUITE, str(file))
    with pytest.raises(InputError) as error:
        cells.cells()
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_text_that_no_name_can_hold_is_refused(profile, tmp_path, monkeypatch):
    known = choice.load_profile(str(profile))
    sweep = known.sweep[0].model_copy(update={"dtype": "float 64"})
    spec = known.model_copy(update={"sweep": (sweep,)})
    monkeypatch.setattr(cells, "load_profile", lambda name: spec)
    with pytest.raises(InputError, match=r"^case = 'width=16,.*must have texts of"):
        cells.cells()


@pytest.fixture(params=["asv", "pytest"])
def kept(request, declared, tmp_path):
    """Return a run that a suite kept, where no file of the user's is."""
    workload, version = declared
    if request.param == "asv":
        return read_asv(str(kept_by_asv(tmp_path / "results", version)))[0]
    return read_pytest_benchmark(kept_by_pytest(tmp_path / "kept.json", workload))


def test_what_is_kept_is_read_without_the_file_and_is_unverified(kept, declared):
    assert kept.spec.workload == "tokens.py"
    assert kept.user_file is None
    ok = [m for m in kept.measurements if m.status == "ok"]
    assert len(ok) == 2 * 2 * 8
    assert {m.verified for m in ok} == {False}
    assert {m.cell_id for m in kept.measurements} == {
        f"{case}:{who}" for case in CASES for who in WHO
    }
    found, missing = (c for c in crossovers(kept) if c.view == "train")
    assert (found.axis, found.line["steps"], found.line["dtype"]) == (
        "width", 20, "float64",
    )  # fmt: skip
    assert found.answer.outcome == "never"
    assert {"unverified", "unpaired"} <= set(found.flags)
    assert (missing.challenger, missing.answer.outcome) == (
        "cuda/train", "not_measured",
    )  # fmt: skip


def test_two_suites_results_are_reported_and_compared(
    declared, crossover, undrawn, tmp_path
):
    workload, version = declared
    file = kept_by_pytest(tmp_path / "kept.json", workload)
    folder = kept_by_asv(tmp_path / "results", version)
    for asked in (("--from-pytest-benchmark", file), ("--from-asv", folder)):
        code, said, errors = crossover("report", *asked, "--out", f"out{asked[0]}")
        assert (code, errors) == (0, "")
        assert "Over width at 20 steps, dtype float64:" in said
        assert "Unverified: never" in said
    rates = read_run("out--from-pytest-benchmark").estimates.items_per_s
    assert rates.notna().all()
    assert crossover("report", "out--from-asv")[0] == 0  # read back from its folder
    code, said, errors = crossover("compare", file, f"{folder}@c0ffee")
    assert code == 0, errors
    assert "0 of 7 changed by more than 5 %" in said


def test_a_size_of_nought_is_no_axis():
    seeded = Workload("job.py", (Size("seed", 0, least=0), Size("width", 8)))
    who = [seeded.contender(f"cpu/train@{threads}") for threads in (1, 2)]
    sizes = ((0, 8), (0, 16), (1, 8), (0, 0))
    cases = [seeded.case(seed=seed, width=8).at(width=w) for seed, w in sizes]
    found = sweeps(seeded, [Cell(case, one) for case in cases for one in who])
    told = [(s.axis, s.values, dict(s.line.values)["seed"]) for s in found]
    assert told == [("width", (8, 16), 0), ("seed", (1,), None)]


def test_an_undecided_answer_ends_with_a_command_that_names_the_job(
    declared, crossover, undrawn, tmp_path
):
    file = kept_by_pytest(tmp_path / "kept.json", declared[0])
    fields = json.loads(file.read_text())
    for benchmark in fields["benchmarks"]:
        benchmark["stats"]["data"] = benchmark["stats"]["data"][:2]
    file.write_text(json.dumps(fields))
    _, said, _ = crossover("report", "--from-pytest-benchmark", file, "--out", "out")
    assert (
        "next: crossover run tokens.py width=16,64 steps=20 dtype=float64 "
        "--contender cpu/train@1 --contender cpu/twice@1\n"
    ) in said


def spoil_name(workload):
    workload["name"] = "../tokens.py"


def spoil_sizes(workload):
    workload["sizes"] = []


def spoil_type(workload):
    workload["sizes"][0]["default"] = "64"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_name, "name = '../tokens.py': must be"),
        (spoil_sizes, "sizes and settings = 1: "),
        (spoil_type, "workload.sizes.0.default = '64'"),
        (dict.clear, "workload.name: missing"),
    ],
)
def test_a_declaration_of_a_stranger_is_one_line(declared, tmp_path, spoil, said):
    workload = json.loads(json.dumps(declared[0]))
    spoil(workload)
    file = kept_by_pytest(tmp_path / "kept.json", workload)
    folder = kept_by_asv(tmp_path / "asv", f"1 {json.dumps({'workload': workload})}")
    for read, path in ((read_pytest_benchmark, file), (read_asv, str(folder))):
        with pytest.raises(InputError) as error:
            read(path)
        assert said in str(error.value)
        assert "\n" not in str(error.value)


def measured(folder, *command):
    """Run a tool on the profile, whose path is relative to our folder."""
    inherited = {k: v for k, v in os.environ.items() if "XDIST" not in k}
    path = os.path.relpath(folder / "profile.toml", ROOT)
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**inherited, "CROSSOVER_SUITE": path, "OMP_WAIT_POLICY": "passive",
             "HOME": str(folder)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def elsewhere(folder):
    """Spoil the file, so that whoever imports it would notice."""
    (folder / "tokens.py").write_text(JOB + "\nraise SystemExit('imported')\n")


@pytest.mark.slow
def test_pytest_measures_a_users_profile(crossover, undrawn, tmp_path):
    written(tmp_path)
    file = tmp_path / "kept.json"
    options = "--benchmark-only", f"--benchmark-json={file}", "-p", "no:xdist"
    code, said = measured(tmp_path, "-m", "pytest", *options)
    assert code == 0, said
    assert "4 passed, 8 skipped" in said
    assert "has no data of its own to move" in said
    elsewhere(tmp_path)
    code, said, errors = crossover(
        "report", "--from-pytest-benchmark", file, "--out", "out"
    )
    assert code == 0, errors
    assert "Unverified: " in said
    assert {*read_run("out").measurements.cell_id} >= {
        f"{case}:cpu/{who}@1" for case in CASES for who in ("train", "twice")
    }


@pytest.mark.slow
def test_pytest_refuses_a_users_file_in_one_line(tmp_path):
    written(tmp_path)
    (tmp_path / "tokens.py").write_text("import no_such_module\n")
    options = "--benchmark-only", f"--benchmark-json={tmp_path / 'kept.json'}"
    code, said = measured(tmp_path, "-m", "pytest", *options)
    assert code == 2
    assert "\ntokens.py:1: ModuleNotFoundError: No module named" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_asv_measures_a_users_profile(crossover, undrawn, tmp_path):
    written(tmp_path)
    conf = json.loads(
        "".join(
            line
            for line in (ROOT / "asv.conf.json").read_text().splitlines()
            if not line.strip().startswith("//")
        )
    )
    changed = {
        "repo": str(ROOT), "benchmark_dir": str(ROOT / "bench/asv_suite"),
        "env_dir": str(tmp_path / "env"), "results_dir": str(tmp_path / "results"),
        "html_dir": str(tmp_path / "html"), "branches": ["HEAD"],
    }  # fmt: skip
    (tmp_path / "asv.conf.json").write_text(json.dumps(conf | changed))
    asv = "-m", "asv", "--config", tmp_path / "asv.conf.json"
    code, said = measured(tmp_path, *asv, "machine", "--yes")
    assert code == 0, said
    code, said = measured(tmp_path, *asv, "run", "--python=same",
                          "--set-commit-hash=HEAD", "--record-samples",
                          "--bench=time_", "--attribute=rounds=1")  # fmt: skip
    assert code == 0, said
    elsewhere(tmp_path)
    folder = tmp_path / "results"
    code, said, errors = crossover("report", "--from-asv", folder, "--out", "out")
    assert code == 0, errors
    assert "Unverified: " in said
    assert {*read_run("out").measurements.cell_id} == {
        f"{case}:{who}" for case in CASES for who in WHO
    }

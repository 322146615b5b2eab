"""A workload of alien names through every command: nothing knows the reference's."""

import csv
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from crossover.analysis.frame import read_run
from crossover.record import run_folder
from crossover.spec.spec import Spec
from crossover.suites import cells
from crossover.workloads import registry

SPEC = """
workload = "ladder"
contenders = ["cpu/saw@1", "cpu/laser@1"]
pairs = [["cpu/saw@1", "cpu/laser@1"]]
rounds = 8
grid = true
control = false
[[sweep]]
axis = "width"
values = [16, 64, 1024, 4096]
"""
CODE = "from crossover.cli import main; main()"
HEAD = ["axis", "width", "rungs", "view", "metric", "baseline", "challenger", "outcome"]
THEIRS = re.compile(
    r"\b(\d samples?|number of samples|features?|classe?s|batch(_size)?|epochs?)\b"
)


@pytest.fixture(scope="module")
def site(brought):
    return brought("ladder", "ladder:Ladder")


@pytest.fixture
def installed(site, monkeypatch):
    """Let this process, and those that it starts, find the package."""
    monkeypatch.syspath_prepend(site)
    paths = str(site), *filter(None, [os.environ.get("PYTHONPATH")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    registry._installed.cache_clear()
    yield
    registry._installed.cache_clear()


@pytest.fixture
def command(installed, crossover):
    """Return the program; it must end with the exit code."""

    def run(*arguments, exit_code=0):
        code, out, err = crossover(*arguments)
        assert code == exit_code, err + out
        return out + err

    return run


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    file = tmp_path_factory.mktemp("spec") / "ladder.toml"
    file.write_text(SPEC)
    return file


@pytest.fixture(scope="module")
def run(site, spec, tmp_path_factory):
    """Stop a run by its budget and go on with it, each by a process of its own.

    Return its folder, what was said in the end, and its rounds when it had stopped.
    """
    out = tmp_path_factory.mktemp("runs") / "run"

    def process(*arguments):
        return subprocess.run(
            [sys.executable, "-P", "-c", CODE, "run", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )

    done = process(spec, "--out", out, "--budget", "0.4s")
    assert done.returncode == 3, done.stderr + done.stdout
    rounds = len(run_folder.load(out).measurements)
    done = process("--resume", out, "--budget", "60s")
    assert done.returncode == 0, done.stderr + done.stdout
    return out, done.stdout, rounds


WITHHELD = "withheld: was found"
"""The flag of an answer that was measured beside busy programs, as tests may be."""


def rows_of(folder, name):
    with open(folder / f"{name}.csv", newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.slow
def test_its_crossing_is_found_in_its_own_words(run):
    out, said, _ = run
    assert "Over width of a rung at 8 rungs:" in said
    row = next(r for r in rows_of(out, "crossovers") if r["view"] == "train")
    assert [*row][: len(HEAD)] == HEAD
    assert (row["width"], row["rungs"]) == ("", "8")
    if WITHHELD not in row["flags"]:
        assert row["outcome"] == "found"
        assert 64 < float(row["at"]) < 1024  # 250, and a busy machine moves it
    texts = [said, *(p.read_text("utf-8") for p in out.glob("*.md"))]
    texts += [p.read_text("utf-8") for p in out.glob("*.csv")]
    assert [THEIRS.findall(text) for text in texts] == [[]] * len(texts)


@pytest.mark.slow
def test_every_table_has_its_sizes_and_costs(run):
    tables = read_run(run[0])  # without the package: run.json says what it is
    assert {*tables.estimates} >= {"width", "rungs"}
    assert {*tables.costs} >= {"per_plank_s", "per_rung_s"}
    assert {*tables.breakeven} >= {"width", "rungs", "baseline_rung_s"}
    saw = tables.costs.set_index("contender").loc["cpu/saw@1"]
    assert 0.5e-6 < saw["per_plank_s"] < 2e-6  # a busy machine takes longer


@pytest.mark.slow
def test_a_run_is_reported_where_the_package_is_not_installed(
    run, crossover, undrawn, tmp_path
):
    assert not importlib.metadata.entry_points(group=registry.GROUP)
    out = tmp_path / "run"
    shutil.copytree(run[0], out)
    for file in out.glob("*.csv"):
        file.unlink()
    code, said, _ = crossover("report", out)
    assert code == 0
    assert "Over width of a rung at 8 rungs:" in said
    assert rows_of(out, "crossovers") == rows_of(run[0], "crossovers")
    page = (out / "report.html").read_text("utf-8")
    assert "<th" in page
    assert "Width" in page
    code, said, _ = crossover("compare", run[0], out)
    assert code == 0


@pytest.mark.slow
def test_a_run_that_stopped_goes_on(run):
    out, said, rounds = run
    assert len(run_folder.load(out).measurements) > rounds
    pattern = r"found.*: The laser code is ahead from |Not to be trusted: "
    assert re.search(pattern, said)


@pytest.mark.slow
def test_jobs_are_merged(command, tmp_path):
    launched = tmp_path / "launched.toml"
    launched.write_text(
        SPEC.replace("rounds = 8", "rounds = 4")
        + "[[sweep]]\naxis = 'rungs'\nvalues = [4, 8]\nwood = 'ash'\n"
        "[launch]\nsweeps_per_job = 1\n[launch.nodes.here]\n"
    )
    out = tmp_path / "whole"
    command("run", launched, "--out", out, "--launch", "local")
    merged = run_folder.load(out / "merged" / "here")
    assert {m.case["wood"] for m in merged.measurements} == {"oak", "ash"}
    assert len({m.cell_id for m in merged.measurements}) == 2 * (4 + 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("width", "samples"), "sweep.0.axis = 'samples': must be 'width' or"),
        (("16, 64", "0, 64"), "sweep.0.values.0 = 0: must be greater than"),
        (
            ("cpu/saw@1", "cpu/axe@1"),
            "trainer = 'axe' in contender 'cpu/axe@1': must be",
        ),
        (("ladder", "stairs"), "workload: must be one of softmax, spin, ladder"),
        (("[[sweep]]", "[[sweep]]\nrung = 3"), "(did you mean rungs?)"),
        (("[[sweep]]", "[[sweep]]\nwood = 'elm'"), "sweep.0.wood = 'elm'"),
    ],
)
def test_bad_input_is_one_line_that_names_what_is_allowed(
    command, tmp_path, change, said
):
    file = tmp_path / "spec.toml"
    file.write_text(SPEC.replace(*change))
    lines = command("run", file, exit_code=2)
    assert said in lines
    assert len(lines.splitlines()) == 1


def test_the_default_implementation_is_the_first(command, tmp_path):
    file = tmp_path / "spec.toml"
    file.write_text(SPEC.replace("cpu/saw@1", "cpu@1"))
    assert "cpu/saw@1, cpu/laser@1" in command("plan", file)


def test_the_suites_cells_are_prepared(installed, monkeypatch):
    profile = Spec.model_validate(tomllib.loads(SPEC))
    monkeypatch.setattr(cells, "load_profile", lambda name: profile)
    measured = cells.cells()
    assert len(measured) == 8
    assert measured[0].id == "width=16,rungs=8:cpu/saw@1"
    assert cells.workload().parse_cell(measured[3].id) == measured[3]
    prepared = cells.prepare(measured[0].id)
    prepared.ready()
    prepared.train_calls()
    prepared.transfer()
    assert prepared.loss is None
    assert json.dumps(dict(prepared.cell.case.values)) == (
        '{"width": 16, "rungs": 8, "wood": "oak"}'
    )
    cells.release()

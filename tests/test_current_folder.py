"""The folder that a command is started in configures nothing of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crossover.record import run_folder
from crossover.report.write import write_report

FIXTURES = Path(__file__).parent / "fixtures"
REFERENCE = Path(__file__).parent.parent / "results" / "reference"
STRANGER = "raise SystemExit('a stranger was run')\n"
RC = (
    "text.usetex: True\ntext.latex.preamble: \\\\input{stranger}\n"
    "backend: nothing\nlines.linewidth: 40\nsavefig.dpi: 3\n"
)
MODULES = (
    "sitecustomize", "usercustomize", "torch", "seaborn", "yaml", "json", "typing",
    "crossover/__init__", "numpy/__init__", "bench/__init__", "matplotlib/__init__",
    "softmax_core/__init__",
)  # fmt: skip
TEXTS = {
    "matplotlibrc": RC,
    "stylelib/stranger.mplstyle": RC,
    ".numba_config.yaml": "disable_jit: 1\nnum_threads: 1\n",
    "pyproject.toml": "[tool.crossover]\nrounds = 2\n[tool.pytest\n",
    "setup.cfg": "[crossover]\nrounds = 2\n",
    "asv.conf.json": "{",
    ".netrc": "machine localhost login a password b\n",
    ".env": "OMP_NUM_THREADS=7\n",
    "smoke.toml": "nothing = 1\n",
    "pyvenv.cfg": "home = /nowhere\n",
    ".git/config": "[core]\n\tfsmonitor = touch stranger\n",
    "run.json": "{}",
}
ASKED = (
    "run", "--preset", "smoke", "--contender", "cpu/manual@1", "--contender",
    "cpu/fused@1", "--samples", "64", "--features", "2", "--batch-size", "8,64",
)  # fmt: skip

pytestmark = pytest.mark.torture


@pytest.fixture
def trapped(tmp_path):
    """Return a folder full of traps, and what runs a command in it, watched."""
    folder, elsewhere = tmp_path / "traps", tmp_path / "elsewhere"
    for name in MODULES:
        put(folder / f"{name}.py", STRANGER)
    for name, text in TEXTS.items():
        put(folder / name, text)
    elsewhere.mkdir()
    paths = FIXTURES / "watched", FIXTURES.parent.parent
    environment = {
        **os.environ, "WATCHED": str(folder), "WATCHED_LOG": str(elsewhere / "log"),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }  # fmt: skip

    def run(*arguments, main=("-P", "-c", "from crossover.cli import main; main()")):
        done = subprocess.run(
            [sys.executable, *main, *map(str, arguments)],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = (elsewhere / "log").read_text().splitlines()
        (elsewhere / "log").unlink()
        started = [line for line in lines if line.startswith("started ")]
        return done, started, [line for line in lines if line not in started]

    return folder, elsewhere, environment, run


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")


def test_a_run_reads_nothing_there_and_nor_do_its_workers(trapped):
    _, elsewhere, _, run = trapped
    done, started, opened = run(*ASKED, "--out", elsewhere / "run")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert opened == []
    # the command; for the machine and two contenders, a reaper that forks a worker
    assert [line for line in started if line.endswith("traps")] == started[:1]
    assert len(started) >= 4
    header = (elsewhere / "run" / "run.json").read_text()
    assert "cpu/fused@1" in header


def test_a_report_reads_only_what_was_named(trapped, tmp_path):
    folder, elsewhere, environment, run = trapped
    shutil.copytree(REFERENCE, elsewhere / "run")
    home = elsewhere / "home"
    put(home / ".config" / "matplotlib" / "matplotlibrc", RC)
    bad = home / ".config" / "matplotlib" / "stylelib" / "bad.mplstyle"
    put(bad, "\xff no style")
    environment |= {
        "MPLBACKEND": "stranger", "MATPLOTLIBRC": str(folder), "HOME": str(home),
    }  # fmt: skip
    environment.pop("MPLCONFIGDIR", None)
    done, _, opened = run("report", elsewhere / "run")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert opened == []
    plain = tmp_path / "plain"
    shutil.copytree(REFERENCE, plain)
    write_report(run_folder.load(plain), plain)
    for name in ("sweep1-batch_size.svg", "sweep1-batch_size.png"):
        drawn = (elsewhere / "run" / "plots" / name).read_bytes()
        assert drawn == (plain / "plots" / name).read_bytes()


@pytest.mark.parametrize(
    "command", [("plan",), ("devices",), ("lesson", "--experiment", "worked")]
)
def test_other_commands_read_nothing_there(trapped, command):
    _, elsewhere, _, run = trapped
    out = ("--out", elsewhere / "out") if command[0] == "lesson" else ()
    done, started, opened = run(*command, *out)
    assert (done.returncode, opened) == (0, []), done.stderr
    assert len(started) >= (2 if command == ("devices",) else 1)


def test_a_folder_that_was_named_is_seen_by_the_watch(trapped):
    folder, _, _, run = trapped
    assert run("report", "run.json")[0].returncode == 2
    (folder / "given").mkdir()
    put(folder / "given" / "run.json", "{}")
    assert run("report", "given")[2] != []


def test_a_module_run_by_name_drops_the_folder_from_its_path(trapped):
    """Python itself looks for the package there first; none must be there."""
    folder, _, _, run = trapped
    for name in MODULES:
        if name not in ("torch", "seaborn", "numpy/__init__", "matplotlib/__init__"):
            (folder / f"{name}.py").unlink()
    shutil.rmtree(folder / "crossover")
    done, _, opened = run("devices", main=("-m", "crossover"))
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in opened if "os.listdir" not in line] == []

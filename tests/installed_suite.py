"""What must work of an installed wheel alone: no checkout, no make, no compiler.

`tests/matrix.py` copies it elsewhere and runs it in environments of their own, also in
some without torch; so pytest does not collect it here.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

JOB = '''
import numpy as np

def product(device, n=64):
    """A product of two matrices."""
    x = np.random.standard_normal((n, n))
    return lambda: x @ x

def twice(device, n=64):
    once = product(device, n)
    return lambda: (once() + once()) / 2
'''
ASKED = ("--grid", "--rounds", "3")
WHO = ("--contender", "cpu/product@1", "--contender", "cpu/twice@1")

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="no torch is here")


@pytest.fixture
def crossover(tmp_path):
    """Run the program in a folder whose name has a space and is not ASCII."""
    here = tmp_path / "ein Prüfstand"
    here.mkdir()
    # No compiler: only the environment's own programs are found.
    lean = {"PATH": str(Path(sys.executable).parent), "CC": "no-compiler"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "crossover", *map(str, arguments)], cwd=here,
            env={**os.environ, **lean}, capture_output=True, encoding="utf-8",
            check=False,
        )  # fmt: skip

    run.folder = here
    return run


def test_it_is_the_wheel_that_runs(crossover):
    code = "import crossover, softmax_core; print(crossover.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=crossover.folder, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert Path(done.stdout.strip()).is_relative_to(sys.prefix)


@pytest.mark.parametrize("command", ["--version", "--help"])
def test_it_tells_of_itself(crossover, command):
    done = crossover(command)
    assert done.returncode == 0, done.stderr
    assert "crossover" in done.stdout


@needs_torch
def test_a_file_to_start_from_is_planned(crossover):
    assert crossover("init", "mine.py").returncode == 0
    done = crossover("plan", "mine.py", "hidden=16..64")
    assert done.returncode == 0, done.stderr
    assert "hidden=16,batch=32" in done.stdout


def test_a_users_file_is_measured(crossover):
    (crossover.folder / "job.py").write_text(JOB, encoding="utf-8")
    done = crossover("run", "job.py", "n=8,64", *WHO, *ASKED, "--out", "out")
    assert done.returncode == 0, done.stderr
    assert (crossover.folder / "out/report.html").exists()
    assert crossover("report", "out").returncode == 0


@needs_torch
def test_a_preset_is_measured(crossover):
    done = crossover("run", "--preset", "smoke", "--out", "smoke")
    assert done.returncode in (0, 3), done.stderr
    assert (crossover.folder / "smoke/report.html").exists()
    done = crossover("predict", "smoke", "--trainer", "resident")  # has the sheets
    assert done.returncode == 0 or "two sizes" in done.stderr


@needs_torch
def test_devices_are_listed(crossover):
    done = crossover("devices")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cpu ")


@pytest.mark.skipif(os.name != "nt", reason="this is no Windows")
def test_it_is_windows_own_ways_that_are_taken():
    from crossover.system.ways import is_portable

    assert is_portable()

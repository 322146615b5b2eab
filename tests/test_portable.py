"""Where there is no fork, /proc or SIGKILL, the same is done in ways that all have."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from children import gone
from test_without_torch import NUMPY, SMALL

from crossover.measure.nursery import nurseries
from crossover.measure.pipe import Close, Closed
from crossover.measure.process import WorkerProcess
from crossover.proof.at_work import threads_at_work
from crossover.record import lock, run_folder
from crossover.system.waits import core_delays, stolen_s
from crossover.system.ways import PORTABLE, apart, load_1min

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "tests/fixtures"
IMPORT = """
import importlib, pkgutil
count = 0
for package in ("crossover", "softmax_core"):
    for found in pkgutil.walk_packages([package], package + "."):
        if found.name != "crossover.__main__":
            importlib.import_module(found.name)
            count += 1
print(count)
"""
TOLD = """
import json, os, sys
from crossover.system import ways
lacks = ways.sys.platform, hasattr(ways.os, "fork"), ways.is_portable()
with open(os.environ["TOLD"], "a", encoding="utf-8") as file:
    file.write(json.dumps(lacks) + "\\n")
"""


@pytest.fixture
def no_unix(tmp_path):
    """Return what runs Python where our code finds nothing of Unix."""

    def run(*arguments, cwd=tmp_path):
        paths = FIXTURES / "no_unix", ROOT
        return subprocess.run(
            [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)),
                 "TOLD": str(tmp_path / "told.txt")},
        )  # fmt: skip

    return run


def test_every_module_loads_where_nothing_of_unix_is(no_unix):
    done = no_unix("-c", IMPORT, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    packages = (ROOT / name for name in ("crossover", "softmax_core"))
    files = [path for package in packages for path in package.rglob("*.py")]
    assert int(done.stdout) == len(files) - 3  # two packages, and the command itself


def test_a_file_is_measured_where_nothing_of_unix_is(no_unix, tmp_path):
    (tmp_path / "job.py").write_text(TOLD + NUMPY, encoding="utf-8")
    who = "--contender", "cpu/product@1", "--contender", "cpu/twice@1"
    asked = "job.py", "n=8,64", *SMALL, *who, "--out", "run"
    done = no_unix("-m", "crossover", "run", *asked)
    assert done.returncode == 0, done.stderr
    told = (tmp_path / "told.txt").read_text("utf-8").splitlines()
    assert {*map(str, told)} == {'["win32", false, true]'}  # in its processes, too
    rows = run_folder.load(tmp_path / "run").measurements
    assert {m.status for m in rows} == {"ok"}
    assert {m.waited_s for m in rows} == {None}


@pytest.mark.slow
def test_a_preset_is_measured_where_nothing_of_unix_is(no_unix):
    done = no_unix("-m", "crossover", "run", "--preset", "smoke", "--out", "smoke")
    assert done.returncode in (0, 3), done.stderr
    assert "Report: smoke/report.html" in done.stdout


@pytest.fixture
def portable(monkeypatch):
    monkeypatch.setenv(PORTABLE, "1")


def test_what_the_system_does_not_tell_is_unknown(portable):
    assert core_delays() is None
    assert stolen_s() is None
    assert threads_at_work(lambda: None) is None


def test_a_load_that_is_not_told_is_unknown(monkeypatch):
    monkeypatch.delattr(os, "getloadavg", raising=False)
    assert load_1min() is None


def test_a_process_is_kept_from_the_signals_of_a_terminal(monkeypatch):
    assert apart() == {"start_new_session": True}
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    assert apart() == {"creationflags": 512}


def test_a_lock_that_nobody_may_read_is_held(monkeypatch, tmp_path):
    """As on Windows, where what is locked cannot be read by others."""
    monkeypatch.setattr(lock, "fcntl", None)
    (tmp_path / lock.LOCK).write_text("process 7 on host", encoding="utf-8")
    assert lock.holder(tmp_path) == ""

    def locked(*_, **__):
        return Locked()

    monkeypatch.setattr(lock, "open", locked, raising=False)
    assert lock.holder(tmp_path) == lock.NOBODY


class Locked:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def read(self, _):
        raise PermissionError("the region is locked")


def test_a_run_is_the_same_but_for_what_is_unknown(
    portable, crossover, undrawn, left_over, tmp_path
):
    (tmp_path / "job.py").write_text(NUMPY, encoding="utf-8")
    code, _, errors = crossover(
        "run", "job.py", "n=8,64", *SMALL, "--contender", "cpu/product@1",
        "--contender", "cpu/twice@1", "--out", "run",
    )  # fmt: skip
    assert code == 0, errors
    rows = run_folder.load(tmp_path / "run").measurements
    assert {m.status for m in rows} == {"ok"}
    assert {m.waited_s for m in rows} == {None}
    assert {m.verified for m in rows} == {True}
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "<dt>Waiting</dt><dd>unknown: this system does not tell" in page
    assert left_over() == []


def test_no_worker_is_forked(portable, left_over):
    with nurseries():
        worker = WorkerProcess(1, "light_worker")
        assert worker.ask(Close(), 60) == Closed()
        below = psutil.Process().children()
        (only,) = (p for p in below if "crossover.system.spawned" in p.cmdline())
        assert only.children() == []
        worker.stop()


ALONE = """
import sys
from crossover.measure.pipe import Close
from crossover.measure.process import WorkerProcess
worker = WorkerProcess(1, "light_worker")
worker.ask(Close(), 20)
import psutil
print(*[p.pid for p in psutil.Process().children()], flush=True)
input()
"""


def test_a_worker_ends_with_the_main_process_that_is_killed(portable, left_over):
    main = subprocess.Popen(
        [sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with main:
        pids = [int(word) for word in main.stdout.readline().split()]
        assert pids
        main.kill()
    assert gone(pids)


def test_what_the_portable_ways_skip_is_listed_with_its_reason():
    listed = " ".join((ROOT / "docs/install.md").read_text("utf-8").split())
    files = [*ROOT.glob("tests/test_*.py")]
    found = {
        why: path.name
        for path in files
        for why in re.findall(r'unix_way\("(.+?)"\)', path.read_text("utf-8"))
        if path != Path(__file__)
    }
    assert found
    assert [why for why in found if f"| {why} |" not in listed] == []

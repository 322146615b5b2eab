"""Where there is no fork, /proc or SIGKILL, the same is done in ways that all have."""

import os
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
WINDOWS = """
import ctypes, os, select, signal, socket, subprocess, sys, time

LACKS = {
    os: "fork forkpty killpg setsid setpgid getpgid getsid getuid geteuid fchdir "
        "getloadavg sched_getaffinity sched_setaffinity O_NONBLOCK O_NOFOLLOW O_PATH "
        "O_DIRECTORY mkfifo nice sysconf memfd_create waitstatus_to_exitcode WNOHANG",
    select: "poll epoll",
    signal: "SIGKILL SIGHUP SIGCONT SIGSTOP SIGUSR1 SIGUSR2 SIGCHLD SIGALRM",
    socket: "send_fds recv_fds AF_UNIX SOCK_SEQPACKET",
    time: "CLOCK_BOOTTIME clock_gettime",
}
"""
IMPORT = (
    WINDOWS
    + """
import importlib, pkgutil
import filelock, psutil  # of the present system, before it becomes another one
import numpy, scipy.stats, pandas, matplotlib, seaborn, pydantic, rich.console, typer
import jinja2, threadpoolctl, numba, torch, torch.multiprocessing, torch.distributed
import torch.utils.data, submitit, pytest, IPython.display

for name in ("fcntl", "resource", "termios", "pwd", "grp", "tty", "pty", "posix_ipc"):
    sys.modules[name] = None
for module, names in LACKS.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform, ctypes.WinDLL = "win32", ctypes.CDLL  # where numba looks for CUDA
count = 0
for package in ("crossover", "softmax_core"):
    for found in pkgutil.walk_packages([package], package + "."):
        if found.name != "crossover.__main__":
            importlib.import_module(found.name)
            count += 1
print(count)
"""
)


def test_every_module_loads_where_nothing_of_unix_is():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    packages = (ROOT / name for name in ("crossover", "softmax_core"))
    files = [path for package in packages for path in package.rglob("*.py")]
    assert int(done.stdout) == len(files) - 3  # two packages, and the command itself


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
        assert worker.ask(Close(), 20) == Closed()
        (only,) = psutil.Process().children()
        assert "crossover.system.spawned" in only.cmdline()
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

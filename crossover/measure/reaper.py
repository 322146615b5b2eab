"""The reaper between the main process and a worker: nothing outlives the worker.

`crossover.measure.process` runs it as `python -m crossover.measure.reaper MODULE`. It
forks: the child is the worker, which imports MODULE, and torch with it, and serves. The
parent, the reaper, sleeps without torch until the worker ends or the main process
closes the requests, which also happens when that is killed. Then the reaper kills every
process below it, even those that left the worker's session, and ends as the worker did.
"""

import ctypes
import importlib
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Options of Linux' prctl: die with the parent; adopt orphaned descendants."""
GRACE_S = 5.0
"""Seconds that a killed process may take to end; a stuck driver may take longer."""


def main() -> None:
    """Fork: the child serves as the worker, the parent keeps watch."""
    reaper = os.getpid()
    adopts = _prctl(PR_SET_CHILD_SUBREAPER, 1)
    worker = os.fork()
    if worker:
        _end_alike(_keep(worker, adopts))
    os.setpgid(0, 0)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == reaper:  # else the reaper was killed before the prctl
        requests, replies = _private_pipes()
        with os.fdopen(requests) as lines, os.fdopen(replies, "w") as file:
            importlib.import_module(sys.argv[1]).serve(lines, file)


def _prctl(option: int, value: int) -> bool:
    """Set an option of Linux' prctl; return False on other systems."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def _private_pipes() -> tuple[int, int]:
    """Move the pipes to new descriptors, and return those.

    So only we read requests and write replies: stdin is empty, what is printed goes to
    stderr, and programs that the worker starts do not inherit the pipes.
    """
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _keep(worker: int, adopts: bool) -> int:
    """Wait until the worker ends or must end, end all others, and return its status.

    The status is 0 if the requests were closed before the worker ended.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # or a second core is dumped
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(woken)
    os.dup2(2, 1)  # or the reaper would hold the replies open after the worker's end
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(0, 0)  # reports only that the other end was closed
    status, _ = _reap(worker)
    while status is None:
        events = dict(poll.poll())
        signals = os.read(wake, 4096) if wake in events else b""
        status, _ = _reap(worker)
        if status is None and signal.SIGTERM in signals:
            status = int(signal.SIGTERM)
        elif status is None and 0 in events:
            status = 0
    _end_all(worker, adopts)
    return status


def _reap(worker: int) -> tuple[int | None, bool]:
    """Collect ended children; return the worker's status, and if any are left."""
    status = None
    while True:
        try:
            pid, found = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status, False
        if pid == 0:
            return status, True
        if pid == worker:
            status = found


def _end_all(worker: int, adopts: bool) -> None:
    """Kill all processes below; orphans become our children, killed the next time."""
    any_left = True
    end = time.monotonic() + GRACE_S
    while any_left and time.monotonic() < end:
        if not adopts:
            with suppress(OSError):
                os.killpg(worker, signal.SIGKILL)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                process.kill()
        _, any_left = _reap(worker)
        time.sleep(0.002 if any_left else 0)


def _end_alike(status: int) -> None:
    """End with the exit code or by the signal that the worker ended with."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(OSError):  # SIGKILL's handler cannot be set, and need not be
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()

"""Between the main process and a worker: nothing that a worker starts outlives it.

Run as `python -m crossover.measure.reaper MODULE` by `crossover.measure.process`. It
forks: the child is the worker, which imports MODULE, and torch with it, and serves. The
parent sleeps, without torch, until the worker ends or the main process closes the
requests, as it also does by being killed. Then it kills all that is left below it, also
what has left the worker's session, and ends as the worker ended.
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
GRACE_S = 5.0
"""How long what was killed may take to be gone; longer only in a stuck driver."""


def main() -> None:
    """Fork; serve in the child, keep in the parent."""
    reaper = os.getpid()
    adopts = _prctl(PR_SET_CHILD_SUBREAPER, 1)
    worker = os.fork()
    if worker:
        _end_alike(_keep(worker, adopts))
    os.setpgid(0, 0)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == reaper:  # else it was killed before we asked to follow it
        requests, replies = _private_pipes()
        with os.fdopen(requests) as lines, os.fdopen(replies, "w") as file:
            importlib.import_module(sys.argv[1]).serve(lines, file)


def _prctl(option: int, value: int) -> bool:
    """Set what Linux has for it; return False elsewhere."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def _private_pipes() -> tuple[int, int]:
    """Move the pipes away, so that nobody else reads requests or writes replies.

    What is printed goes to stderr, and nothing is there to be read. Programs that are
    started do not inherit the pipes.
    """
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _keep(worker: int, adopts: bool) -> int:
    """Wait for the first end there is and end the rest.

    Returns the worker's status; 0 where it did not end by itself but was to end.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a signal would leave it twice
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(woken)
    os.dup2(2, 1)  # else the end of the replies would not be seen
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(0, 0)  # only that its other end is closed
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
    """Collect who has ended: the worker's status if it has, and if any are left."""
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
    """Kill all below; those whose parent dies become ours and are found next time."""
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
        with suppress(OSError):  # that of SIGKILL cannot be set, nor need it be
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()

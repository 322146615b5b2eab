"""The reaper between the main process and a worker: nothing outlives the worker.

`crossover.measure.process` runs it as `python -m crossover.measure.reaper MODULE`. It
forks: the child is the worker, which imports MODULE, has it load torch (unless called
with `--light`) and serves. The parent, the reaper, sleeps without torch until the
worker ends or the main process closes the requests, which also happens when that is
killed. Then the reaper kills every process below it, even those that left the worker's
session, and ends as the worker did.

As `python -m crossover.measure.reaper --nursery MODULE`, it imports MODULE first, and
then forks a reaper for each request from `crossover.measure.nursery`.
"""

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psutil

from crossover.measure.nursery import BLAS, GRACE_S, MARK, NURSERY
from crossover.proof.settings import THREADS
from crossover.system.spawned import LIGHT, Serve, loaded, private_pipes

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Options of Linux' prctl: die with the parent; adopt orphaned descendants."""


def main() -> None:
    """Serve as a reaper and its worker, or as a nursery."""
    *flags, module = sys.argv[1:]
    if NURSERY in flags:
        _fork_reapers(module, LIGHT in flags)
        return

    def serve(requests: TextIO, replies: TextIO) -> None:
        loaded(module, LIGHT in flags)(requests, replies)

    _watch_over(serve)


def _watch_over(serve: Serve, told: int | None = None) -> None:
    """Fork: the child serves as the worker, the parent keeps watch.

    Args:
        serve: answers requests.
        told: where the parent writes its status in the end, if anybody reads it there.
    """
    reaper = os.getpid()
    adopts = _prctl(PR_SET_CHILD_SUBREAPER, 1)
    worker = os.fork()
    if worker:
        _end_alike(_keep(worker, adopts), told)
    if told is not None:
        os.close(told)
    os.setpgid(0, 0)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == reaper:  # else the reaper was killed before the prctl
        requests, replies = private_pipes()
        with (
            os.fdopen(requests, encoding="utf-8") as lines,
            os.fdopen(replies, "w", encoding="utf-8") as file,
        ):
            serve(lines, file)


def _fork_reapers(module: str, is_light: bool) -> None:
    """Load a module; fork a reaper for each request, until there are no more."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    channel = socket.socket(fileno=os.dup(0))
    serve = loaded(module, is_light)
    gc.collect()
    gc.freeze()  # no worker then copies what a search for garbage would touch
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no dead reaper is kept
    while True:
        message, pipes, _, _ = socket.recv_fds(channel, 1024, 4)
        # Only the thread that forks goes on in the child, which others would wait for.
        if not message or len(list(Path("/proc/self/task").iterdir())) > 1:
            return
        if not os.fork():
            channel.close()
            return _be_reaper(serve, pipes, **json.loads(message))
        for pipe in pipes:
            os.close(pipe)


def _be_reaper(serve: Serve, pipes: list[int], threads: int | None, mark: str) -> None:
    """Become what would have been started with these pipes and this environment."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for standard, pipe in enumerate(pipes[:3]):
        os.dup2(pipe, standard)
        os.close(pipe)
    told, reaper = pipes[3], os.getpid()
    os.write(told, b"%d\n" % reaper)
    _mark_as(mark)

    def serve_on_threads(requests: TextIO, replies: TextIO) -> None:
        _set_threads(threads)
        serve(requests, replies)

    try:
        _watch_over(serve_on_threads, told)
    except BaseException:
        if os.getpid() != reaper:  # the worker ends as any program does
            raise
        traceback.print_exc()
        os.write(told, b"1\n")
        os._exit(1)


def _mark_as(mark: str) -> None:
    """Change the mark where the system reads this process' environment, too."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    if at := libc.getenv(MARK.encode()):
        ctypes.memmove(at, mark.encode(), len(mark))
    os.environ[MARK] = mark


def _set_threads(threads: int | None) -> None:
    """Give every pool of threads its size; None leaves it to its library."""
    del os.environ[BLAS]
    if threads is not None:
        os.environ |= dict.fromkeys(THREADS, str(threads))
    if "threadpoolctl" in sys.modules:  # what loads torch loads it
        cores = len(os.sched_getaffinity(0))
        api = "blas" if threads is None else None
        sys.modules["threadpoolctl"].threadpool_limits(threads or cores, user_api=api)
    if "torch" in sys.modules and threads is not None:
        sys.modules["torch"].set_num_threads(threads)


def _prctl(option: int, value: int) -> bool:
    """Set an option of Linux' prctl; return False on other systems."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def _keep(worker: int, adopts: bool) -> int:
    """Wait until the worker ends or must end, end all others, and return its status.

    The status is 0 if the requests were closed before the worker ended.
    """
    import resource

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


def _end_alike(status: int, told: int | None) -> None:
    """End with the exit code or by the signal that the worker ended with."""
    if told is not None:
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(OSError):  # SIGKILL's handler cannot be set, and need not be
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()

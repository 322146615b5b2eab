"""The main process' side of a worker: start it, ask with a timeout, notice its death.

Whatever a worker does, a request ends in time, takes bounded memory and no disk, and
tells why there is no reply (docs/workers.md). Between both processes is a reaper, which
`crossover.measure.reaper` runs. `Workers` keeps one for each contender.
"""

import os
import secrets
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.interrupts import unbroken
from crossover.measure.nursery import GRACE_S, MARK, NOWHERE, Forked, command, fork
from crossover.measure.pipe import Declared, Ended, Open, R, Request, read_reply
from crossover.proof.settings import for_worker
from crossover.system.pipes import Pipes, pipes_of
from crossover.system.processes import end_marked, end_tree
from crossover.system.stops import LOOK_S, WATCH, Watch, any_stopped
from crossover.system.ways import KILLED, apart, is_linux, is_portable

PROC = Path("/proc/self/stat")
WORKER = "crossover.measure.worker"
"""The module that serves as a worker."""
MOST_REPLY = 16 * 2**20
"""Largest reply, in bytes."""
SHOWN_WORDS = 200
"""Characters recorded of the last line that a worker printed."""


Process = subprocess.Popen[bytes] | Forked
"""The reaper of a worker."""


class AnyWorker(Protocol):
    """Something that answers requests: a process here, a fake in tests."""

    def ask(self, request: Request[R], timeout_s: float) -> R | Ended:
        """Return the good reply, or how the request ended instead."""

    def stop(self) -> None:
        """End the process, if there is one."""


class WorkerProcess:
    """One worker, forked or spawned as its first request comes.

    If it cannot be started, the answer to every request is `crashed` and the reason.

    Args:
        threads: the size of every pool of threads; None leaves it to each library.
        module: what serves.
        watch: notices when this process was stopped.
        loads_torch: whether torch may be needed; the first request tells more.
    """

    def __init__(
        self,
        threads: int | None,
        module: str = WORKER,
        watch: Watch = WATCH,
        loads_torch: bool = True,
    ) -> None:
        self._watch, self._was_stopped = watch, False
        self._mark, self._module = secrets.token_hex(8), module
        self._threads, self._loads_torch = threads, loads_torch
        check_proc()
        self._environment = worker_environment(threads) | {MARK: self._mark}
        self._process: Process | None = None
        self._pipes: Pipes | None = None
        self._gone = ""

    def _start(self) -> None:
        """Have a nursery fork the process, or spawn one."""
        try:
            forked = fork(
                self._module, self._environment, self._threads, self._mark,
                self._loads_torch,
            )  # fmt: skip
            self._connect(forked or self._spawn())
        except OSError as error:
            self._gone = f"worker cannot be started: {error.strerror}"
            return
        self._gone = "worker stopped"
        self._watch.__enter__()

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start a process that loads what it needs before it serves.

        Raises:
            OSError: when it cannot be started.
        """
        return subprocess.Popen(
            command(self._module, loads_torch=self._loads_torch),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=self._environment,
            cwd=NOWHERE,
            **apart(),
        )

    def _connect(self, process: Process) -> None:
        """Open the pipes to a process.

        Raises:
            OSError: when they cannot be used; the process is killed.
        """
        found = process.stdin, process.stdout, process.stderr
        try:
            self._pipes = pipes_of([pipe for pipe in found if pipe is not None])
        except OSError:
            process.kill()
            process.wait(GRACE_S)
            raise
        self._process = process

    def ask(self, request: Request[R], timeout_s: float) -> R | Ended:
        """Send a request and wait for its reply.

        After a timeout or a crash, the process and all that it started are gone. Time
        in which we were stopped is no part of the timeout; a worker that was stopped
        alone has not shown that it is slow.
        """
        if not self._gone:
            self._loads_torch = self._loads_torch and needs_torch(request)
            with unbroken():  # a process that nobody knows would not be ended
                self._start()
        if self._process is None:
            return Ended(status="crashed", notes=self._gone)
        self._was_stopped = False
        try:
            reply = read_reply(request, self._line(request, timeout_s))
            stopped = {"was_stopped": True} if self._was_stopped else {}
            return reply.model_copy(update=stopped)
        except TimeoutError:
            return self._late(timeout_s)
        except EOFError:
            if self._was_not_forked():
                return self.ask(request, timeout_s)
            why = self._how_it_ended()
            killed = self._process.returncode == KILLED
            return self._ended("crashed", why, killed)
        except ValueError as error:
            return self._ended("crashed", str(error))

    def _line(self, request: Request[R], timeout_s: float) -> bytes:
        """Return the line that answers a request.

        Raises:
            TimeoutError: when there is no line in time.
            EOFError: when the worker is gone.
            ValueError: when the line is no answer.
        """
        assert self._process is not None
        assert self._pipes is not None
        unread = self._pipes.unread
        self._exchange(0)
        if unread:
            raise ValueError("a reply that nobody asked for")
        self._pipes.send(request.model_dump_json().encode() + b"\n")
        looked = self._watch.now()
        deadline = looked + timeout_s - self._watch.look().seconds
        searched = 0
        while (end := unread.find(b"\n", searched)) < 0:
            searched = len(unread)
            if searched > MOST_REPLY:
                raise ValueError(f"a reply longer than {MOST_REPLY // 2**20} MiB")
            now = self._watch.now()
            left_s = deadline + self._watch.look().seconds - now
            if left_s <= 0:
                raise TimeoutError
            if now - looked >= LOOK_S:
                looked = now
                self._was_stopped |= any_stopped(self._process.pid)
            if not self._exchange(min(left_s, LOOK_S)):
                raise EOFError
        line = bytes(unread[:end])
        del unread[: end + 1]
        return line

    def _exchange(self, seconds: float) -> bool:
        """Write and read what the pipes allow; return False if the worker is gone."""
        assert self._process is not None
        assert self._pipes is not None
        ready = self._pipes.exchange(seconds)
        # Processes it forked may hold the pipe open, if the reaper could not end them.
        return self._process.poll() is None if ready is None else ready

    def _was_not_forked(self) -> bool:
        """Tell whether there was no nursery to fork the worker; it is spawned then."""
        if not isinstance(self._process, Forked) or self._process.was_forked():
            return False
        self._process.kill()  # its nursery, which is of no use to anybody
        self._close()
        try:
            self._connect(self._spawn())
        except OSError as error:
            self._process = None
            self._gone = f"worker cannot be started: {error.strerror}"
            self._watch.__exit__()
        return True

    def _how_it_ended(self) -> str:
        assert self._process is not None
        try:
            code = self._process.wait(GRACE_S + 1)
        except subprocess.TimeoutExpired:
            return "closed its replies"
        if code >= 0:
            return f"exit status {code}"
        name = f"signal {-code}"
        with suppress(ValueError):  # a real-time signal has no name
            name = signal.Signals(-code).name
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")

    def _late(self, timeout_s: float) -> Ended:
        assert self._process is not None
        if self._was_stopped or any_stopped(self._process.pid):
            why = f"stopped by a signal, and not done in {timeout_s:g} s"
            return self._ended("crashed", why, was_stopped=True)
        return self._ended("timeout", f"slower than {timeout_s:g} s")

    def _ended(
        self,
        status: Literal["timeout", "crashed"],
        why: str,
        killed: bool = False,
        was_stopped: bool = False,
    ) -> Ended:
        """End the worker; return the reason, with the last line that it printed."""
        assert self._pipes is not None
        self._end()
        self._pipes.drain()
        words = self._pipes.words
        self.stop()
        lines = words.decode(errors="replace").split("\n")
        printable = ("".join(c for c in line if c.isprintable()) for line in lines)
        said = [line.strip() for line in printable if line.strip()]
        if said:
            why += f": {said[-1][:SHOWN_WORDS]}"
        elif status == "crashed":
            why += ": no last words"
        return Ended(status=status, notes=why, killed=killed, was_stopped=was_stopped)

    def stop(self) -> None:
        """End the worker and all that it started, and wait for it."""
        if self._process is not None:
            self._end()
            self._close()
            self._process = None
            self._watch.__exit__()

    def _close(self) -> None:
        assert self._pipes is not None
        self._pipes.close()

    def _end(self) -> None:
        """Let the reaper end the worker; kill the reaper too if it does not end."""
        assert self._process is not None
        assert self._pipes is not None
        if is_portable():  # no reaper does it
            end_tree(self._process.pid)
        self._pipes.close_requests()
        if isinstance(self._process, Forked) and not self._process.has_begun():
            self._process.kill()  # the nursery, which loads for longer than we wait
        try:
            code = self._process.wait(GRACE_S + 1)
        except subprocess.TimeoutExpired:
            self._process.kill()  # if stuck in a driver, it ends when that returns
            code = KILLED
        if code != 0:
            end_marked(MARK, self._mark)  # somebody may have killed the reaper


@dataclass
class Workers:
    """The worker process of each contender, started at its first request."""

    start: Callable[[Contender], AnyWorker] = lambda c: WorkerProcess(c.threads)
    running: dict[Contender, AnyWorker] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    """How their rounds differ from those of a process for each: `one_process`."""

    def ask(
        self, contender: Contender, request: Request[R], timeout_s: float
    ) -> R | Ended:
        """Ask a contender's worker; a dead one is replaced at the next request."""
        if contender not in self.running:
            self.running[contender] = self.start(contender)
        reply = self.running[contender].ask(request, timeout_s)
        if isinstance(reply, Ended) and reply.status in ("timeout", "crashed"):
            self.running.pop(contender).stop()
        return reply

    def end(self, contender: Contender) -> None:
        """End a contender's worker: the next request starts another one."""
        if contender in self.running:
            with unbroken():
                self.running.pop(contender).stop()

    def stop(self) -> None:
        """End every worker."""
        with unbroken():
            while self.running:
                self.running.popitem()[1].stop()


def check_proc() -> None:
    """Refuse a Linux whose processes cannot be listed: none could be ended for sure.

    Raises:
        InputError: when /proc is not mounted.
    """
    if is_linux() and not PROC.exists():
        raise InputError("/proc: must be mounted; it tells of processes and memory")


def needs_torch(request: object) -> bool:
    """Tell whether a worker that gets this first loads torch before it serves."""
    match request:
        case Open(declared=Declared(file=file), device="cpu"):
            return file.loads_torch
    return True


def worker_environment(threads: int | None = None) -> dict[str, str]:
    """Return the variables of a worker, which import the same from another folder.

    What would make it run otherwise than its label says is not among them.
    """
    found = for_worker(os.environ, threads) | {"PYTHONUNBUFFERED": "1"}
    if paths := found.get("PYTHONPATH"):
        absolute = map(os.path.abspath, filter(None, paths.split(os.pathsep)))
        found["PYTHONPATH"] = os.pathsep.join(absolute)
    return found

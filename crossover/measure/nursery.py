"""Workers that need not load torch: forked from a process that has loaded it once.

Loading torch takes seconds of a core, and most workers need it. Inside `nurseries`,
one process loads it and then forks reapers, which fork the workers, in milliseconds;
another one, without torch, does so for jobs that need none. A
worker learns its number of threads when it is forked; nothing of torch has run before.
Where that cannot be (no Linux, a module that starts threads or does not load),
`process` spawns the worker instead, which ends in the same.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from crossover.proof.settings import THREADS
from crossover.system.spawned import LIGHT
from crossover.system.ways import KILLED, is_linux, is_portable

MARK = "CROSSOVER_WORKER"
"""Variable that marks the environment of a worker and of all that it starts."""
NURSERY = "--nursery"
"""Makes a nursery of what would else be a reaper."""
BLAS = "OPENBLAS_NUM_THREADS"
"""Is 1 in a nursery, as numpy's library would start threads as it loads."""
GRACE_S = 5.0
"""Seconds that a killed process may take to end; a stuck driver may take longer."""
NOWHERE = "/"
"""The folder that a worker runs in: numba obeys a file of settings in the user's."""


def command(*arguments: str, loads_torch: bool = True) -> list[str]:
    """Return the command line of a reaper, given its module, or of a nursery.

    Where there is none, it is that of a worker itself.
    """
    light = () if loads_torch else (LIGHT,)
    reaper, spawned = ("measure.reaper",), ("system.spawned", str(os.getpid()))
    module, *main_pid = spawned if is_portable() else reaper
    own = [sys.executable, "-P", "-m", f"crossover.{module}"]
    return [*own, *main_pid, *light, *arguments]


class Forked:
    """A reaper that a nursery forks: what `process` uses of `subprocess.Popen`.

    It tells its process id as it begins and its status in the end, through a pipe that
    nobody else holds.
    """

    def __init__(self, nursery: "Nursery", ends: list[int]) -> None:
        requests, replies, said, self._told = ends
        self.stdin = os.fdopen(requests, "wb", 0)
        self.stdout = os.fdopen(replies, "rb", 0)
        self.stderr = os.fdopen(said, "rb", 0)
        self.pid = 0
        self.returncode: int | None = None
        self._nursery, self._lines = nursery, b""

    def has_begun(self) -> bool:
        """Tell whether it was forked."""
        return self.poll() is not None or self.pid > 0

    def was_forked(self) -> bool:
        """Tell, of a reaper whose pipes are closed, whether it ever began."""
        if not self.has_begun():
            with suppress(subprocess.TimeoutExpired):
                self.wait(GRACE_S)
        return self.pid > 0

    def poll(self) -> int | None:
        """Return the status as `Popen` does; None while the reaper is there."""
        self._listen(0)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait for the end; return the status.

        Raises:
            subprocess.TimeoutExpired: when it is there still.
        """
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if (left_s := end - time.monotonic()) <= 0:
                raise subprocess.TimeoutExpired(command(), timeout)
            self._listen(left_s)
        return code

    def kill(self) -> None:
        """Kill the reaper; if it was not forked yet, the nursery."""
        self.poll()
        if not self.pid:
            self._nursery.end()
        elif self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, -KILLED)

    def _listen(self, seconds: float) -> None:
        """Read what is told; its end is the reaper's."""
        if self.returncode is not None:
            return
        told = select.poll()
        told.register(self._told, select.POLLIN)
        if not told.poll(seconds * 1000):
            return
        chunk = os.read(self._told, 64)
        self._lines += chunk
        numbers = [int(line) for line in self._lines.split(b"\n")[:-1]]
        self.pid = numbers[0] if numbers else 0
        if not chunk:
            os.close(self._told)
            self.returncode = numbers[1] if len(numbers) > 1 else KILLED


class Nursery:
    """The process that has loaded a module, seen from the main process."""

    def __init__(
        self, module: str, environment: Mapping[str, str], loads_torch: bool
    ) -> None:
        with ExitStack() as unless_started:
            ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
            unless_started.callback(ours.close)
            with theirs:
                self._process = subprocess.Popen(
                    command(NURSERY, module, loads_torch=loads_torch),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**environment, MARK: "0" * 16, BLAS: "1"},
                    cwd=NOWHERE,
                    start_new_session=True,
                )
            unless_started.pop_all()
        self._channel = ours

    def fork(self, threads: int | None, mark: str) -> Forked | None:
        """Ask for a worker, which is forked when the module is loaded.

        Args:
            threads: of the worker; None leaves each pool's size to its library.
            mark: 16 characters for the worker's environment.

        Returns:
            The reaper to be; None if the nursery has ended.
        """
        with ExitStack() as unless_sent, ExitStack() as always:
            ours: list[int] = []
            theirs: list[int] = []
            for is_written in (True, False, False, False):
                for end, number in enumerate(os.pipe()):
                    is_ours = end == is_written
                    (unless_sent if is_ours else always).callback(os.close, number)
                    (ours if is_ours else theirs).append(number)
            asked = json.dumps({"threads": threads, "mark": mark}).encode()
            try:
                socket.send_fds(self._channel, [asked], theirs)
            except OSError:
                return None
            unless_sent.pop_all()
        return Forked(self, ours)

    def end(self) -> None:
        """End the process; the reapers that it has forked stay."""
        self._channel.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)


@dataclass
class _State:
    """The nurseries of this process."""

    entered: int = 0
    """Number of `nurseries` blocks that are entered."""
    found: dict[tuple[str, bool, frozenset[tuple[str, str]]], Nursery] = field(
        default_factory=dict
    )
    """By the module that is loaded, with torch or without, and the environment."""


_STATE = _State()


@contextmanager
def nurseries() -> Iterator[None]:
    """Fork workers inside the `with` block, wherever that is possible.

    All nurseries end with it, also in a block around it, where they start anew if need
    be: what follows a block, such as writing a report, may take its time.
    """
    _STATE.entered += 1
    try:
        yield
    finally:
        _STATE.entered -= 1
        while _STATE.found:
            _STATE.found.popitem()[1].end()


def fork(
    module: str, environment: Mapping[str, str], threads: int | None, mark: str,
    loads_torch: bool = True,
) -> Forked | None:  # fmt: skip
    """Return a worker's reaper from a nursery; None where a worker must be spawned.

    Raises:
        OSError: when no process can be started, or no pipe be opened.
    """
    nursery = begin(module, environment, loads_torch)
    return None if nursery is None else nursery.fork(threads, mark)


def begin(
    module: str, environment: Mapping[str, str], loads_torch: bool = True
) -> Nursery | None:
    """Return the nursery of workers to come, which begins to load what they need.

    None outside of `nurseries`, and where there is no fork.

    Raises:
        OSError: when it cannot be started.
    """
    if not _STATE.entered or not is_linux():
        return None
    own = {*THREADS, MARK}
    shared = {k: v for k, v in environment.items() if k not in own}
    key = module, loads_torch, frozenset(shared.items())
    if key not in _STATE.found:
        _STATE.found[key] = Nursery(module, shared, loads_torch)
    return _STATE.found[key]

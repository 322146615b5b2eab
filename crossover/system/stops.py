"""Notice the time in which we did not run: a frozen or stopped program, a suspended
machine, a clock that jumped.

The main process keeps a `Watch` while it has workers. Deadlines and the budget are put
off by what it saw, and what was measured meanwhile is measured again.
"""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from crossover.system.ways import is_linux

LOOK_S = 1.0
"""Seconds between two looks at the clock."""
STOPPED_S = 3.0
"""A longer gap between two looks was no busy machine: we were stopped."""


@dataclass(frozen=True)
class Stopped:
    """How often, and for how many seconds of the clock, a process was stopped."""

    times: int = 0
    seconds: float = 0.0


def suspended_s() -> float:
    """Return how long the machine was suspended, which the clock does not count."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if boot is None else time.clock_gettime(boot) - time.monotonic()


class Watch:
    """Looks at the clock every second, in a thread, while anybody watches."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        suspended: Callable[[], float] = suspended_s,
    ) -> None:
        self.now, self._suspended = now, suspended
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._watching = 0
        self._last = (0.0, 0.0)
        self._seen = Stopped()

    def look(self) -> Stopped:
        """Look at the clock; return all stops so far."""
        with self._lock:
            now_s, slept_s = self.now(), self._suspended()
            gap_s, sleep_s = now_s - self._last[0], slept_s - self._last[1]
            self._last = now_s, slept_s
            has_jumped = not 0 <= gap_s <= STOPPED_S
            if self._watching and (has_jumped or sleep_s > STOPPED_S):
                lost_s = gap_s if has_jumped else 0.0
                self._seen = Stopped(self._seen.times + 1, self._seen.seconds + lost_s)
            return self._seen

    def __enter__(self) -> "Watch":
        """Watch; gaps before do not count."""
        if not self._watching:
            self.look()
            self._ended = threading.Event()
            with suppress(RuntimeError):  # no thread can be started: others look
                threading.Thread(
                    None, self._keep_looking, "watch", (self._ended,), daemon=True
                ).start()
        self._watching += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer, unless somebody else does."""
        self._watching -= 1
        if not self._watching:
            self._ended.set()

    def _keep_looking(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_S):
            self.look()


WATCH = Watch()
"""The watch of this process."""


def any_stopped(pid: int) -> bool:
    """Tell whether a process below one is stopped now, by a signal or a debugger.

    It is known on Linux only.
    """
    below = _children(pid) if is_linux() else []
    while below:
        child = below.pop()
        with suppress(OSError):
            state = Path(f"/proc/{child}/stat").read_bytes().rpartition(b")")[2]
            if state.split()[0] in (b"T", b"t"):
                return True
        below += _children(child)
    return False


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_bytes().split())
    return found


class Continued:
    """Notices when this process goes on after a stop, as the kernel tells by SIGCONT.

    It takes no time from what is measured, and no stop is too short for it.
    """

    def __init__(self) -> None:
        self.come = False
        if hasattr(signal, "SIGCONT"):
            signal.signal(signal.SIGCONT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.come = True

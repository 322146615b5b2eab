"""Handle Ctrl-C, SIGTERM and SIGHUP: a first one stops the work, a second one at once.

Signals that were ignored when the program started, as under `nohup`, stay ignored. The
commands and the jobs of a launch run within `heeded`; workers are started and ended
within `unbroken`.
"""

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
EXIT_CODE = 130
SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(BaseException):
    """Raised in the main thread by the first signal; no library catches it."""


class _State:
    """The state of this process, which is the only one that gets its signals."""

    come = False
    """Whether a signal has come."""
    held = 0
    """Number of `unbroken` blocks that are entered."""


@contextmanager
def heeded() -> Iterator[None]:
    """Make the signals raise `Interrupted` inside the `with` block."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, _handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.come = False


@contextmanager
def unbroken() -> Iterator[None]:
    """Delay the first signal to the end of the `with` block, of milliseconds."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
    check()


def check() -> None:
    """Raise `Interrupted` again, in case an `except` of others has swallowed it.

    Raises:
        Interrupted: when a signal has come.
    """
    if _State.come and not _State.held:
        raise Interrupted


def _handle(number: int, frame: FrameType | None) -> None:
    if number == getattr(signal, "SIGHUP", None):
        _leave_terminal()
    if _State.come:
        _stop_at_once()
    _State.come = True
    check()


def _leave_terminal() -> None:
    """Discard what would be printed to a terminal that is gone."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _stop_at_once() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()
    if os.isatty(2):
        os.write(2, SHOW_CURSOR)
    os._exit(EXIT_CODE)

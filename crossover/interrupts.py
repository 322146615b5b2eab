"""Ctrl-C, SIGTERM and SIGHUP: the first stops the work, the second the process at once.

A signal that was ignored when the program started, as under `nohup`, stays ignored.
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
    """Of this process: signals are its own."""

    come = False
    held = 0


@contextmanager
def heeded() -> Iterator[None]:
    """Have the signals raise `Interrupted` in what is done within."""
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
    """Let the first signal wait until what is done within is done: milliseconds."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
    check()


def check() -> None:
    """Raise what a signal raised, in case it was lost in somebody's `except`.

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
    """Write nowhere what would go to a terminal that is gone."""
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

"""A worker as every system can start one: without a fork, and without a reaper.

`python -m crossover.system.spawned MAIN [--light] MODULE` imports MODULE, has it load
what it may need (unless it is to be light), and serves. A thread looks every second
whether the process with the number MAIN is there, and ends the worker, with all below
it, if it is not.
"""

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

import psutil

from crossover.system.processes import end_tree

LIGHT = "--light"
"""Keeps a worker from loading torch before it serves."""
LOOK_S = 1.0
Serve = Callable[[TextIO, TextIO], None]


def main() -> None:
    """Serve, until the requests end."""
    main_pid, *flags, module = sys.argv[1:]
    requests, replies = private_pipes()
    threading.Thread(target=_end_with, args=(int(main_pid),), daemon=True).start()
    with (
        os.fdopen(requests, encoding="utf-8") as lines,
        os.fdopen(replies, "w", encoding="utf-8", newline="\n") as file,
    ):
        loaded(module, LIGHT in flags)(lines, file)


def loaded(module: str, is_light: bool) -> Serve:
    """Return what serves; unless it is to be light, it has loaded all it may need."""
    found = importlib.import_module(module)
    if not is_light:
        getattr(found, "load", lambda: None)()
    serve: Serve = found.serve
    return serve


def private_pipes() -> tuple[int, int]:
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


def _end_with(pid: int) -> None:
    """End this process when another has ended, be it before this one began."""
    with suppress(psutil.NoSuchProcess):
        other = psutil.Process(pid)
        while other.is_running() and other.status() != psutil.STATUS_ZOMBIE:
            time.sleep(LOOK_S)
    end_tree(os.getpid())


if __name__ == "__main__":
    main()

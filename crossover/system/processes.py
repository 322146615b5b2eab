"""End processes by what they are below, or by a mark in their environment."""

from contextlib import suppress

import psutil


def end_tree(pid: int) -> None:
    """Kill all processes below one, which are found from it, and then itself."""
    with suppress(psutil.Error):
        top = psutil.Process(pid)
        for process in (*top.children(recursive=True), top):
            with suppress(psutil.Error):
                process.kill()


def end_marked(name: str, value: str) -> None:
    """Kill all processes that have a variable of this value in their environment."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(name) == value:
                process.kill()

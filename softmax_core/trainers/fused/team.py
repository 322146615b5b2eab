"""The further threads of this process that train with the one that asks for it."""

import ctypes
import functools
import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

import torch

Work = Callable[[int], object]
_core_now: Callable[[], int] = getattr(ctypes.CDLL(None), "sched_getcpu", lambda: -1)
"""Returns the core that this thread runs on; -1 if the system does not say."""


def _leave(core: int) -> None:
    """Go to another core if this thread runs on that one, and may run on others.

    A system tends to wake a thread up where the one is that wakes it, and as both wait
    for each other, only one of them is seen to need a core.
    """
    if core == -1 or _core_now() != core:
        return
    allowed = os.sched_getaffinity(0)
    if others := allowed - {core}:
        os.sched_setaffinity(0, others)
        os.sched_setaffinity(0, allowed)


class Team:
    """Threads that do the same work as the one that calls `run`, each its own part.

    They wait in between, and end with the process. Kernels let go of Python's lock.
    """

    def __init__(self, threads: int) -> None:
        self._lock = Lock()
        self._asked: list[
            SimpleQueue[tuple[Work, int, SimpleQueue[BaseException | None]]]
        ]
        self._asked = [SimpleQueue() for _ in range(1, threads)]
        for number in range(1, threads):
            Thread(target=self._serve, args=(number,), daemon=True).start()

    def _serve(self, number: int) -> None:
        torch.set_num_threads(1)  # of this thread: its products take no others
        while True:
            work, core, done = self._asked[number - 1].get()
            try:
                _leave(core)
                work(number)
            except BaseException as error:  # raised in the thread that asked
                done.put(error)
            else:
                done.put(None)

    def run(self, work: Work) -> None:
        """Call `work` with the number of each thread, 0 in this one, at a time."""
        done: SimpleQueue[BaseException | None] = SimpleQueue()
        with self._lock:
            core = _core_now()
            for asked in self._asked:
                asked.put((work, core, done))
            work(0)
            for error in [done.get() for _ in self._asked]:
                if error is not None:
                    raise error


@functools.cache
def team(threads: int) -> Team:
    """Return the team of that many threads, the calling one among them."""
    return Team(threads)


os.register_at_fork(after_in_child=team.cache_clear)

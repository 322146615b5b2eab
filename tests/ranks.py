"""What the tests of ranks share: a long training, and whether processes have ended."""

import threading
import time

import psutil

from softmax_core import Case, get_trainer, make_data

LONG = Case(4096, 784, 10, 64, 100_000, 1e-3, 0.0, (0.5, 2.0))
"""Some hours of training: what a rank is killed amid."""
NOTICED_S = 10.0
"""Within seconds, on a machine that does other things too."""


def prepared(ranks, case):
    return get_trainer("data_parallel", ranks).prepare(case, make_data(case), "cpu", 1)


def gone(pids):
    end = time.monotonic() + NOTICED_S
    while any(map(running, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(running, pids))


def running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def soon(work, seconds=0.3):
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer

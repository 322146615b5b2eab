"""The processes below this one, and whether they have ended."""

import time

import psutil

NOTICED_S = 10.0
"""Within seconds, on a machine that does other things too."""


def newest_child():
    """Return the process that was started last: the keeper of the newest worker."""
    return max(psutil.Process().children(), key=psutil.Process.create_time)


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

"""The processes below this one, and whether they have ended."""

import os
import time

import psutil

NOTICED_S = 10.0
"""Within seconds, on a machine that does other things too."""


def newest_reaper(main=None):
    """Return the keeper of the newest worker: each one leads a session."""
    below = psutil.Process(main).children(recursive=True)
    leaders = [p for p in below if os.getsid(p.pid) == p.pid]
    return max(leaders, key=psutil.Process.create_time)


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

"""Processes to be killed, forked from one that has loaded all: they start at once.

They find `virtual_worker` for their workers, and write what they print to a file.
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
PATHS = HERE, HERE.parent, HERE.parent.parent
os.environ["PYTHONPATH"] = os.pathsep.join(map(str, PATHS))


class Life:
    """A forked process that calls `target` with a pipe to tell of what it does."""

    def __init__(self, target, log):
        self.told, end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.told)
            self._live(target, log, end)
        os.close(end)
        self.process, self.status = psutil.Process(self.pid), None

    def _live(self, target, log, end):
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(written, 1)
        os.dup2(written, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = 70
        try:
            code = target(end)
        except SystemExit as stopped:
            code = stopped.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    def below(self):
        try:
            return self.process.children(recursive=True)
        except psutil.Error:
            return []

    def ended(self, until):
        """Wait for its end; return the exit status, None where it goes on."""
        while self.status is None and time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
            time.sleep(0.002)
        return self.status

    def tale(self):
        with os.fdopen(self.told, "rb") as pipe:
            return pipe.read().decode()

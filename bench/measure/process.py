"""The parent's side of a worker: start, ask with a timeout, notice its death."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Protocol

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class Asked(Protocol):
    """Whatever answers requests: a process here, a fake in tests."""

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Return the reply; its `status` tells a timeout or a crash."""

    def stop(self) -> None:
        """End it."""


class WorkerProcess:
    """One spawned worker; `threads` sets every thread pool before torch loads."""

    def __init__(self, threads: int | None) -> None:
        environment = dict(os.environ, PYTHONUNBUFFERED="1")
        if threads is not None:
            environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        self._last_words = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bench.measure.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._last_words,
            env=environment,
            start_new_session=True,
        )
        self._unread = b""

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Send a request and wait for its reply.

        Returns the reply, or a dict whose status is `timeout` or `crashed`; after
        either the process is gone.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return self._crashed()
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._unread:
            chunk = self._read(deadline - time.monotonic())
            if chunk is None:
                self.stop()
                return {"status": "timeout", "notes": f"slower than {timeout_s:g} s"}
            if not chunk:
                return self._crashed()
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _read(self, seconds: float) -> bytes | None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], max(0.0, seconds))
        return os.read(descriptor, 65536) if ready else None

    def _crashed(self) -> dict[str, Any]:
        self._kill()
        self._last_words.seek(0)
        text = self._last_words.read().decode(errors="replace").strip()
        last = text.splitlines()[-1] if text else "no last words"
        code = self._process.returncode
        self.stop()
        return {"status": "crashed", "notes": f"exit status {code}: {last[:200]}"}

    def stop(self) -> None:
        """Kill the worker and all it started, and collect it."""
        self._kill()
        self._last_words.close()

    def _kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                assert pipe is not None
                pipe.close()
            except OSError:
                pass
        self._process.wait()

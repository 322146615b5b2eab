"""The pipes between this process and one that it started.

Nothing blocks: neither a process that does not read what it is sent, nor one that
prints gigabytes, of which the end is kept.
"""

import errno
import os
import queue
import select
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Protocol

from crossover.system.ways import is_portable

CHUNK = 65536
"""Bytes read at a time."""
KEPT_WORDS = 4096
"""Bytes kept of what a process printed."""
MOST_CHUNKS = 16
"""Most chunks that are read ahead of who takes them."""
JOINED_S = 1.0
"""Longest time that is waited for threads at the pipes of a process that has ended."""


class Pipes(Protocol):
    """What is sent, what came back, and the end of what was printed."""

    unread: bytearray
    words: bytes

    def send(self, line: bytes) -> None:
        """Have a line sent; whatever of it the pipe does not take yet goes later."""

    def exchange(self, seconds: float) -> bool | None:
        """Write and read what the pipes allow, after waiting for it.

        Returns:
            False if nothing more can come back; None if nothing came in these seconds.
        """

    def drain(self) -> None:
        """Read what was printed by a process that has ended."""

    def close_requests(self) -> None:
        """Send nothing more; the process learns of it."""

    def close(self) -> None:
        """Close all pipes."""


class PolledPipes:
    """Pipes that the system tells of when they are ready; see `Pipes`.

    Args:
        pipes: of requests, of replies and of what is printed.
    """

    def __init__(self, pipes: Sequence[IO[bytes]]) -> None:
        self.unread, self.words = bytearray(), b""
        self._pipes, self._unsent = pipes, b""
        numbers = [pipe.fileno() for pipe in pipes]
        for number in numbers:
            os.set_blocking(number, False)
        self._requests, self._replies, self._said = numbers
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self._poll.register(self._said, select.POLLIN)

    def send(self, line: bytes) -> None:
        """See `Pipes`."""
        self._unsent = line
        self._poll.register(self._requests, select.POLLOUT)

    def exchange(self, seconds: float) -> bool | None:
        """See `Pipes`."""
        ready = dict(self._poll.poll(seconds * 1000))
        if self._requests in ready:
            try:
                sent = os.write(self._requests, self._unsent)
            except OSError:
                return False
            self._unsent = self._unsent[sent:]
            if not self._unsent:
                self._poll.unregister(self._requests)
        if self._said in ready and not self._hear():
            self._poll.unregister(self._said)
        if self._replies in ready:
            chunk = os.read(self._replies, CHUNK)
            self.unread += chunk
            return bool(chunk)
        return True if ready else None

    def _hear(self) -> bool:
        """Read what was printed and keep its end; return False when all is read."""
        self.words += (chunk := os.read(self._said, CHUNK))
        self.words = self.words[-KEPT_WORDS:]
        return bool(chunk)

    def drain(self) -> None:
        """See `Pipes`."""
        with suppress(BlockingIOError):
            while self._hear():
                pass

    def close_requests(self) -> None:
        """See `Pipes`."""
        self._pipes[0].close()

    def close(self) -> None:
        """See `Pipes`."""
        for pipe in self._pipes:
            pipe.close()


class ReadPipes:
    """Pipes that a thread reads, each; see `Pipes`. Every system has threads.

    Args:
        pipes: of requests, of replies and of what is printed.
    """

    def __init__(self, pipes: Sequence[IO[bytes]]) -> None:
        self.unread, self.words = bytearray(), b""
        self._pipes = pipes
        self._requests, self._replies, self._said = (p.fileno() for p in pipes)
        self._come: queue.Queue[tuple[int, bytes]] = queue.Queue(MOST_CHUNKS)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._is_closed = False
        self._threads = [
            _begun(self._write),
            _begun(lambda: self._read(self._replies)),
            _begun(lambda: self._read(self._said)),
        ]

    def _write(self) -> None:
        """Write what is sent, until nothing more is."""
        with suppress(OSError, ValueError):
            while (line := self._lines.get()) is not None:
                while line:
                    line = line[os.write(self._requests, line) :]
        with suppress(OSError):
            self._pipes[0].close()

    def _read(self, number: int) -> None:
        """Read a pipe to its end."""
        chunk = b"-"
        while chunk and not self._is_closed:
            try:
                chunk = os.read(number, CHUNK)
            except OSError:
                chunk = b""
            self._come.put((number, chunk))

    def send(self, line: bytes) -> None:
        """See `Pipes`."""
        self._lines.put(line)

    def exchange(self, seconds: float) -> bool | None:
        """See `Pipes`."""
        try:
            number, chunk = self._come.get(timeout=max(seconds, 1e-3))
        except queue.Empty:
            return None
        if number == self._replies:
            self.unread += chunk
            return bool(chunk)
        self.words = (self.words + chunk)[-KEPT_WORDS:]
        return True

    def drain(self) -> None:
        """See `Pipes`."""
        while any(t.is_alive() for t in self._threads[1:]) or not self._come.empty():
            if self.exchange(JOINED_S) is None:
                break

    def close_requests(self) -> None:
        """See `Pipes`."""
        self._lines.put(None)

    def close(self) -> None:
        """See `Pipes`; a pipe that others still hold is left to its thread."""
        self._is_closed = True
        self.close_requests()
        self.drain()
        for thread in self._threads:
            thread.join(JOINED_S)
        if not any(thread.is_alive() for thread in self._threads):
            for pipe in self._pipes:
                pipe.close()


def _begun(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name="pipe", daemon=True)
    thread.start()
    return thread


def pipes_of(pipes: Sequence[IO[bytes]]) -> Pipes:
    """Return the pipes of requests, replies and what is printed, in this system's way.

    Raises:
        OSError: when no thread can be started.
    """
    if not is_portable():
        return PolledPipes(pipes)
    try:
        return ReadPipes(pipes)
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error

"""The pipes between this process and one that it started.

Nothing blocks: neither a process that does not read what it is sent, nor one that
prints gigabytes, of which the end is kept.
"""

import os
import select
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Protocol

CHUNK = 65536
"""Bytes read at a time."""
KEPT_WORDS = 4096
"""Bytes kept of what a process printed."""


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

"""What is printed: to streams that may be full, closed, or short of characters.

A reader that leaves, as `| head -1` does, or a terminal that closes costs no report:
what is printed is then discarded, and the work goes on.
"""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import TextIO


class Lasting(io.TextIOBase):
    r"""A text stream that lets no error pass and discards all after the first.

    Characters that its encoding lacks are written out, such as `\u2264`.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._is_terminal = stream is not None and _is_terminal(stream)
        self.lost = ""
        """Why something that was to be kept is not, or ""."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Name what its characters are encoded in."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Tell whether it is a terminal, and still there."""
        return self._stream is not None and _is_terminal(self._stream)

    def fileno(self) -> int:
        """Return its descriptor.

        Raises:
            OSError: when it has none.
        """
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def writable(self) -> bool:
        """Tell that it takes texts."""
        return True

    def write(self, text: str) -> int:
        """Write a text, or discard it; return its length."""
        if self._stream is not None:
            self._try(self._stream, lambda stream: _write(stream, text))
        return len(text)

    def flush(self) -> None:
        """Let go of what is buffered."""
        if self._stream is not None:
            self._try(self._stream, lambda stream: stream.flush())

    def _try(self, stream: TextIO, do: Callable[[TextIO], object]) -> None:
        try:
            do(stream)
        except ValueError:  # it was closed
            self._stream = None
        except OSError as error:
            if error.errno != errno.EPIPE and not self._is_terminal:
                self.lost = error.strerror or str(error)
            self._stream = None
            _discard(stream)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError as error:
        known = text.encode(error.encoding, "backslashreplace")
        stream.write(known.decode(error.encoding))


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (OSError, ValueError):
        return False


def _discard(stream: TextIO) -> None:
    """Lead a stream to nowhere, as Python flushes its buffer again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def lasting() -> Iterator[Lasting]:
    """Let stdout and stderr last inside the `with` block; give the former.

    Standard descriptors that are closed lead to nowhere: the next file that is opened
    would take their place, and what is printed would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    before = sys.stdout, sys.stderr
    said = Lasting(sys.stdout)
    sys.stdout, sys.stderr = said, Lasting(sys.stderr)
    try:
        yield said
    finally:
        sys.stderr.flush()
        sys.stdout, sys.stderr = before

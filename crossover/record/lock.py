"""One run at a time in a folder: a lock that ends with its process, however it ends."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crossover.record.journal import StoreError

LOCK = "run.lock"
LONGEST = 200
"""Bytes read of who holds a lock."""
TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
TRIES = 100


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold a folder, so that no other run writes to it.

    Where its file system keeps no locks, one line on stderr says so, and nothing is
    held: the journal still notices a second writer.

    Raises:
        StoreError: when another process holds it, by its number and machine; or when
            the lock's file cannot be written.
    """
    path = out / LOCK
    try:
        descriptor = _take(path)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {LOCK}: {error.strerror}") from error
    try:
        yield
    finally:
        with suppress(OSError):  # the folder may be gone
            path.unlink()  # first: whoever waits for it looks again
        os.close(descriptor)


def _take(path: Path) -> int:
    for attempt in range(TRIES):
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, 0o666)
        try:
            _lock(descriptor, path.parent)
            # Its last holder may have removed the file since it was opened.
            there = os.path.samestat(os.fstat(descriptor), os.stat(path))
            if there or attempt == TRIES - 1:  # some file systems number anew
                break
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    with suppress(OSError):  # a full disk: nobody will know who it is
        os.ftruncate(descriptor, 0)
        os.write(
            descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode()
        )
    return descriptor


def _lock(descriptor: int, out: Path) -> None:
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        _say_unlocked(out, "no locks on this system")
    except OSError as error:
        if error.errno not in TAKEN:
            _say_unlocked(out, str(error.strerror))
            return
        holder = os.read(descriptor, LONGEST).decode(errors="replace")
        raise StoreError(
            f"out = {str(out)!r}: {holder or 'another process'} uses it; "
            "must be stopped first, or choose another folder"
        ) from error


def _say_unlocked(out: Path, why: str) -> None:
    print(
        f"crossover: out = {str(out)!r}: cannot be locked ({why}): start no second run "
        "there",
        file=sys.stderr,
    )

"""One run at a time in a folder: a lock that ends with its process, however it ends."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

from crossover.files.untrusted import InputError, printable

try:
    import fcntl
except ImportError:  # Windows, which lets nobody read what is locked
    fcntl = None  # type: ignore[assignment]

LOCK = "run.lock"
LONGEST = 200
"""At most this many characters are read of who holds a lock."""
NOBODY = "another process"
PATIENCE_S = 0.1
"""How long a lock is waited for: its last holder may be just removing the file."""
UNKEPT = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""How a file system says that it keeps no locks."""


MEASURING = "is still measuring this"
"""What is said of who holds a folder."""
OTHERS = f"{MEASURING}; must be stopped first, or choose another folder"


def held(out: Path) -> AbstractContextManager[None]:
    """Hold a folder, so that no other run writes to it; see `holding`."""
    return holding(out / LOCK, f"out = {str(out)!r}")


@contextmanager
def holding(path: Path, who: str, does: str = OTHERS, at: str = "") -> Iterator[None]:
    """Hold a lock.

    Where its file system keeps no locks, one line on stderr says so, and nothing is
    held: the journal still notices a second writer.

    Args:
        path: its file.
        who: what is held, for messages.
        does: what is said of another process that holds it, after its number.
        at: where this process is, as other ones are told.

    Raises:
        InputError: when another process holds it, by its number and machine; or when
            the lock's file cannot be written.
    """
    from filelock import FileLock, Timeout  # slow to load

    # No soft lock, a file that is there: it would outlive a process that is killed.
    sign = partial(_sign, at)
    lock = FileLock(path, PATIENCE_S, fallback_to_soft=False, on_acquired=sign)
    try:
        lock.acquire(poll_interval=PATIENCE_S / 5)
    except Timeout as error:
        raise InputError(f"{who}: {_holder(path) or NOBODY} {does}") from error
    except OSError as error:
        if error.errno not in UNKEPT:
            raise InputError(f"{who}: {path.name}: {error.strerror}") from error
        why = f"cannot be locked ({error.strerror}): start no second run there"
        print(f"crossover: {who}: {why}", file=sys.stderr)
    try:
        yield
    finally:
        with suppress(OSError):  # the folder may be gone
            path.unlink()  # first: whoever waits for it looks again
        lock.release()


def holder(out: Path) -> str:
    """Return who holds a folder, such as `process 12 on host`; "" if nobody does.

    Nothing is written, and no link is followed: the folder may be a stranger's.
    """
    path = out / LOCK
    if path.is_symlink() or not path.is_file():
        return ""
    with suppress(OSError), open(path, "rb") as file:
        try:
            if fcntl is None:
                file.read(1)
            else:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return _holder(path) or NOBODY
    return ""


def _sign(at: str, descriptor: int) -> None:
    """Write who holds the lock into its file; on a full disk nobody will know."""
    said = f"process {os.getpid()} on {socket.gethostname()}{at}"
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, said.encode(errors="replace"))


def _holder(path: Path) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return printable(file.read(LONGEST))
    return ""

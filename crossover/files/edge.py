"""Where a command ends: bad input and faults of its surroundings are one line, code 2.

Every command runs within `one_line_always`. Other exceptions are errors of ours and
show where they come from.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossover.files.streams import lasting
from crossover.files.untrusted import InputError, one_line, shown

REFUSED = 2
"""The exit code."""


@contextmanager
def one_line_always() -> Iterator[None]:
    """End the process as the `with` block says, by its `SystemExit` or its error.

    What could not be printed, as on a full disk, is an error, too; a reader or a
    terminal that has left is none.

    Raises:
        SystemExit: always, but for an error of ours, which passes through.
    """
    with lasting() as said:
        try:
            yield
            code: str | int | None = 0
        except SystemExit as end:
            code = end.code
        except Exception as error:
            why = fault(error)
            if not why or sys.flags.dev_mode:
                raise
            code = _say(why)
        said.flush()
        if said.lost:
            code = code or _say(f"stdout: {said.lost}")
    sys.exit(code)


def fault(error: Exception) -> str:
    """Return what is wrong with the input or the machine; "" for an error of ours."""
    psutil = sys.modules.get("psutil")  # it reads /proc
    why = ""
    if isinstance(error, InputError):
        why = str(error)
    elif isinstance(error, MemoryError):
        why = "out of memory"
    elif isinstance(error, UnicodeEncodeError):
        why = f"{shown(error.object)}: cannot be written in {error.encoding}"
    elif isinstance(error, UnicodeError):
        why = f"must be text in UTF-8: {error}"
    elif isinstance(error, ValueError) and "embedded null" in str(error):
        why = "a path holds the character NUL; must not"
    elif isinstance(error, OSError):
        why = _refused_by_system(error)
    elif psutil is not None and isinstance(error, psutil.Error):
        why = f"the system does not tell of its processes: {error}"
    return why


def _refused_by_system(error: OSError) -> str:
    """Return what the operating system refused, with the file if there is one."""
    if error.filename is None and not _is_there():
        return "the current folder is gone; change to one that exists"
    why = error.strerror or str(error) or type(error).__name__
    names = [os.fsdecode(n) if isinstance(n, bytes) else n
             for n in (error.filename, error.filename2) if n is not None]  # fmt: skip
    return f"{', '.join(map(shown, names))}: {why}" if names else why


def _is_there() -> bool:
    try:
        return Path.cwd().exists()
    except OSError:
        return False


def _say(why: str) -> int:
    print(f"crossover: {one_line(why)}", file=sys.stderr)
    return REFUSED

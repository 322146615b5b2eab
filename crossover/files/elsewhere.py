"""Another current folder for a moment, for libraries that read their settings there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME_ONLY = getattr(os, "O_PATH", os.O_RDONLY)
"""Opens also a folder that may not be listed."""


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Make a folder the current one inside the `with` block.

    The one before may be deleted or unreadable; it is the current one again after.
    """
    if not hasattr(os, "fchdir"):  # Windows lets no current folder be deleted
        path = Path.cwd()
        try:
            os.chdir(folder)
            yield
        finally:
            os.chdir(path)
        return
    before = os.open(os.curdir, _NAME_ONLY)
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(before)
        os.close(before)

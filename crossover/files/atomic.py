"""Files written so that a reader sees the old one or the new one, whole."""

import os
from contextlib import suppress
from pathlib import Path

PART = ".part"
"""Ends the name of a file that is being written."""


def write_atomically(path: Path, text: str | bytes, synced: bool = False) -> None:
    """Write a file so that a reader sees the old one or the new one, whole.

    A link under either name, as a folder from a stranger may hold, is not followed.
    Nothing is left of a file that cannot be written.

    Args:
        path: the file.
        text: all that it is to hold.
        synced: wait until the disk has it, name included.
    """
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    try:
        with open(part, "xb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if synced:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder, where folders can be synced."""
    with suppress(OSError):  # some networked file systems refuse
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

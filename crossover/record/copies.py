"""Notice that a run is measured in two folders, one of which is a copy of the other.

Where the user's programs keep their state is a small file for each run that is measured
on this machine: which folder measured last, and the lock of who does. Copies on other
machines are noticed by their circumstances.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crossover.files.atomic import write_atomically
from crossover.files.untrusted import InputError, read_text
from crossover.nouns import Run
from crossover.record.journal import JOURNAL
from crossover.record.lock import holding
from crossover.record.run_folder import load_header

MOST_PATH = 8192
"""At most this many bytes are read of where a run was measured."""

MEASURES = "measures a copy of it; must be stopped first"
"""What is said of who holds a run in another folder."""


def identity(run: Run) -> str:
    """Return a name that only a run and its copies have."""
    begun = run.run_id, run.command, dataclasses.asdict(run.machine)
    return hashlib.sha256(json.dumps(begun).encode()).hexdigest()[:32]


def went_on_elsewhere(out: Path, run: Run) -> Path | None:
    """Return the folder of a copy that holds rounds which this one has not."""
    with suppress(OSError, RuntimeError, InputError):
        other = Path(read_text(_note(run), MOST_PATH, link=False).rstrip("\n"))
        if other == out.resolve() or identity(load_header(other)) != identity(run):
            return None
        mine, its = (out / JOURNAL).read_bytes(), (other / JOURNAL).read_bytes()
        return None if mine.startswith(its) else other
    return None


def note(out: Path, run: Run) -> None:
    """Note that a run goes on in a folder, where that can be kept."""
    with suppress(OSError, RuntimeError):
        write_atomically(_note(run), f"{out.resolve()}\n")


@contextmanager
def alone(out: Path, run: Run) -> Iterator[None]:
    """Hold a run, so that no copy of it is measured meanwhile.

    Where the user has no folder for that, nothing is held.

    Raises:
        InputError: when another process measures a copy, by its number and folder.
    """
    try:
        lock = _note(run).with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        yield
        return
    here = f", in {str(out.resolve())!r},"
    with holding(lock, f"run = {str(out)!r}", MEASURES, here):
        yield


def _note(run: Run) -> Path:
    """Return the file about a run; without a home, `Path.home` raises RuntimeError."""
    state = os.environ.get("XDG_STATE_HOME", "")
    root = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return root / "crossover" / "runs" / identity(run)

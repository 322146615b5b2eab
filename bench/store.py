"""The run directory: `run.json` once, `measurements.jsonl` after every round."""

import dataclasses
import os
from pathlib import Path

from bench import stored
from bench.nouns import InputError, Measurement, Run
from bench.untrusted import Unreadable, parse_json, read_text

HEADER = "run.json"
JOURNAL = "measurements.jsonl"


class StoreError(InputError):
    """A run directory that cannot be created, written or read."""


def create(out: Path, run: Run) -> None:
    """Make the directory of a new run and write its header.

    Raises:
        StoreError: when `out` holds something already or cannot be written.
    """
    try:
        if out.exists() and any(out.iterdir()):
            what = "another run" if (out / HEADER).exists() else "other files"
            raise StoreError(
                f"out = {str(out)!r}: holds {what}; must be new or empty"
                + (", or add --resume" if what == "another run" else "")
            )
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / HEADER, stored.header(run))
        (out / JOURNAL).touch()
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def put(out: Path, run: Run) -> None:
    """Write a whole run, over one of the same name where `out` holds it.

    Raises:
        StoreError: when `out` holds anything else or cannot be written.
    """
    if not _holds(out, run):
        create(out, run)
    try:
        lines = "".join(map(stored.line, run.measurements))
        write_atomically(out / JOURNAL, lines)
        write_atomically(out / HEADER, stored.header(run))
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def _holds(out: Path, run: Run) -> bool:
    try:
        header = parse_json(read_text(out / HEADER, stored.MOST_HEADER, link=False))
    except (OSError, Unreadable):
        return False
    return isinstance(header, dict) and header.get("run_id") == run.run_id


def append(out: Path, measurements: list[Measurement]) -> None:
    """Add a round to the journal and wait until the disk has it.

    Raises:
        StoreError: when the disk is full or the folder is gone.
    """
    lines = "".join(map(stored.line, measurements))
    try:
        with open(out / JOURNAL, "r+b") as journal:
            journal.seek(0, os.SEEK_END)
            journal.write(lines.encode())
            journal.flush()
            os.fsync(journal.fileno())
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def load(out: Path) -> Run:
    """Read a run directory back; a half-written last line is left out.

    Raises:
        StoreError: for a missing, foreign, newer or garbled directory.
    """
    where = f"run = {str(out)!r}: {HEADER}"
    try:
        run = stored.read_header(_text(out, HEADER, stored.MOST_HEADER))
    except StoreError:
        raise
    except InputError as error:
        raise StoreError(f"{where}: {error}") from error
    return dataclasses.replace(run, measurements=rounds(out))


def rounds(out: Path) -> tuple[Measurement, ...]:
    """Read what is recorded so far; a half-written last line is left out.

    Raises:
        StoreError: for a missing or garbled journal.
    """
    where = f"run = {str(out)!r}: {JOURNAL}"
    try:
        lines = _text(out, JOURNAL, stored.MOST_JOURNAL).split("\n")
        rows = []
        for number, line in enumerate(lines[:-1], start=1):  # a whole one ends in "\n"
            where = f"run = {str(out)!r}: line {number} of {JOURNAL} is garbled"
            rows.append(stored.read_line(line))
        where = f"run = {str(out)!r}: {JOURNAL}"
        stored.check_rounds(rows)
    except StoreError:
        raise
    except InputError as error:
        raise StoreError(f"{where}: {error}") from error
    return tuple(rows)


def _text(out: Path, name: str, most: int) -> str:
    try:
        return read_text(out / name, most, link=False)
    except FileNotFoundError as error:
        raise StoreError(f"run = {str(out)!r}: holds no {name}") from error
    except OSError as error:
        raise StoreError(
            f"run = {str(out)!r}: {name} is not readable: {error.strerror}"
        ) from error


def truncate_torn_line(out: Path) -> None:
    """Cut a half-written last line off the journal, before appending to it."""
    with open(out / JOURNAL, "r+b") as journal:
        whole = journal.read().rpartition(b"\n")
        journal.truncate(len(whole[0]) + len(whole[1]))


def write_atomically(path: Path, text: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, whole.

    A link under either name, as a folder from a stranger may hold, is not followed.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(part, "xb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
    os.replace(part, path)

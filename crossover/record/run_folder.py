"""The run directory: `run.json`, and `measurements.jsonl` after every round."""

import dataclasses
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

from crossover.files.atomic import PART, write_atomically
from crossover.files.untrusted import Unreadable, parse_json, read_bytes, read_text
from crossover.nouns import InputError, Measurement, Run
from crossover.record import codec, journal
from crossover.record.journal import JOURNAL, StoreError
from crossover.record.lock import LOCK, held

HEADER = "run.json"


def entered(out: Path, new: bool) -> AbstractContextManager[None]:
    """Make or find the folder of a run, and hold it against other runs.

    Raises:
        StoreError: when another run holds it, when a new one cannot be made there, or
            when there is none.
    """
    try:
        if not new and not (out / HEADER).exists():
            raise StoreError(f"run = {str(out)!r}: holds no {HEADER}")
        if new and not (out / LOCK).exists():  # who holds it is said before what it is
            check_new(out)
        if new:
            out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error
    return held(out)


def create(out: Path, run: Run) -> None:
    """Make the directory of a new run and write its header.

    The header comes last: a folder that holds one is a run, however it was stopped.

    Raises:
        StoreError: when `out` holds something already or cannot be written.
    """
    try:
        check_new(out)
        out.mkdir(parents=True, exist_ok=True)
        (out / JOURNAL).touch()
        write_atomically(out / HEADER, codec.header(run), synced=True)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def rewrite_header(out: Path, run: Run) -> None:
    """Write the header of a run again, at once: it was given more to do.

    Raises:
        StoreError: when it cannot be written.
    """
    try:
        write_atomically(out / HEADER, codec.header(run), synced=True)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def check_new(out: Path) -> None:
    """Refuse a folder that holds more than what a killed `create` leaves.

    Raises:
        StoreError: when it does, or cannot be listed.
    """
    try:
        left = {p.name for p in out.iterdir()} - {LOCK, HEADER + PART}
        if JOURNAL in left and not (out / JOURNAL).stat().st_size:
            left.discard(JOURNAL)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error
    if left:
        what = "another run" if HEADER in left else "other files"
        resume = f", or go on with it: crossover run --resume {out}"
        raise StoreError(
            f"out = {str(out)!r}: holds {what}; must be new or empty"
            + (resume if what == "another run" else "")
        )


def put(out: Path, run: Run) -> None:
    """Write a whole run, over one of the same name where `out` holds it.

    Raises:
        StoreError: when `out` holds anything else or cannot be written.
    """
    if not _holds(out, run):
        create(out, run)
    try:
        with held(out):
            lines = "".join(map(codec.line, run.measurements))
            write_atomically(out / JOURNAL, lines)
            write_atomically(out / HEADER, codec.header(run))
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def _holds(out: Path, run: Run) -> bool:
    try:
        header = parse_json(read_text(out / HEADER, codec.MOST_HEADER, link=False))
    except (OSError, Unreadable):
        return False
    return isinstance(header, dict) and header.get("run_id") == run.run_id


def append(out: Path, measurements: list[Measurement]) -> None:
    """Add a round to a run that nobody measures; see `Journal.append`."""
    with closing(journal.Journal(out)) as opened:
        opened.append(measurements)


def load(out: Path) -> Run:
    """Read a run directory back; a torn last round is left out, and `lost` says so.

    Raises:
        StoreError: for a missing, foreign, newer or garbled directory.
    """
    return _load(out)[0]


def reopen(out: Path) -> Run:
    """Read a run directory to go on with it: a torn last round is cut off its journal.

    Raises:
        StoreError: as `load` does, or when it cannot be written.
    """
    run, read = _load(out)
    try:
        os.truncate(out / JOURNAL, read.whole_bytes)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {JOURNAL}: {error.strerror}") from error
    return run


def recover(out: Path) -> list[str]:
    """Leave out of the journal what cannot be read, and return in words what it was.

    The journal as it was is kept beside it. Nothing is changed where all can be read.

    Raises:
        StoreError: when the folder cannot be read or written.
    """
    data = _bytes(out, JOURNAL, codec.MOST_JOURNAL)
    rows, said = journal.salvage(data, load_header(out).spec.declared)
    if not said:
        return []
    number = 1
    while (backup := out / f"{JOURNAL}.{number}").exists():
        number += 1
    try:
        write_atomically(backup, data, synced=True)
        lines = "".join(map(codec.line, rows))
        write_atomically(out / JOURNAL, lines, synced=True)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error
    return [*said, f"the journal as it was is kept in {backup}"]


def rescue(out: Path, run: Run, kept: journal.Journal, error: StoreError) -> StoreError:
    """Return why a run cannot be recorded any more, and how to go on.

    Where its folder is gone, what was recorded is written to a new one beside it.
    """
    if not kept.is_there():
        beside = out.with_name(f"{out.name}-rescued")
        try:
            create(beside, run)
            write_atomically(beside / JOURNAL, kept.contents(), synced=True)
        except (OSError, StoreError):
            return error
        out = beside
        error = StoreError(f"{error}, in {str(beside)!r}")
    return StoreError(f"{error}; go on with: crossover run --resume {out}")


def rounds(out: Path) -> tuple[Measurement, ...]:
    """Read what is recorded so far.

    Raises:
        StoreError: for a missing or garbled journal.
    """
    return _load(out)[1].rows


def load_header(out: Path) -> Run:
    """Read a run without its measurements; see `load`."""
    where = f"run = {str(out)!r}: {HEADER}"
    try:
        return codec.read_header(_text(out, HEADER, codec.MOST_HEADER))
    except StoreError:
        raise
    except InputError as error:
        raise StoreError(f"{where}: {error}") from error


def load_lines(out: Path, header: Run) -> Iterator[tuple[str, Measurement]]:
    """Read a journal's whole rounds, each line with what it holds; see `load`.

    Args:
        out: the run directory.
        header: its run.json, as `load_header` returns it.
    """
    data, read = _read(out, header)
    lines = data[: read.whole_bytes].decode("utf-8-sig").split("\n")
    return zip(lines[:-1], read.rows, strict=True)


def _load(out: Path) -> tuple[Run, journal.Read]:
    run = load_header(out)
    _, read = _read(out, run)
    return dataclasses.replace(run, measurements=read.rows, lost=read.lost), read


def _read(out: Path, header: Run) -> tuple[bytes, journal.Read]:
    data = _bytes(out, JOURNAL, codec.MOST_JOURNAL)
    try:
        return data, journal.read(data, header.spec.declared)
    except StoreError:
        raise
    except InputError as error:
        raise StoreError(f"run = {str(out)!r}: {error}") from error


def _bytes(out: Path, name: str, most: int) -> bytes:
    try:
        return read_bytes(out / name, most, link=False)
    except FileNotFoundError as error:
        raise StoreError(f"run = {str(out)!r}: holds no {name}") from error
    except OSError as error:
        raise StoreError(
            f"run = {str(out)!r}: {name} is not readable: {error.strerror}"
        ) from error
    except Unreadable as error:
        raise StoreError(f"run = {str(out)!r}: {error}") from error


def _text(out: Path, name: str, most: int) -> str:
    try:
        return _bytes(out, name, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"must be UTF-8, which byte {error.start + 1} is not") from (
            error
        )

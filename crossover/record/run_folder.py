"""The run directory: `run.json`, and `measurements.jsonl` after every round."""

import dataclasses
import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from crossover.files.atomic import PART, write_atomically
from crossover.files.refusals import refusing
from crossover.files.untrusted import (
    InputError,
    Unreadable,
    decoded,
    parse_json,
    read_bytes,
    read_text,
)
from crossover.nouns import SCHEMA, Measurement, Run
from crossover.record import codec, journal
from crossover.record.chain import sealed
from crossover.record.journal import JOURNAL
from crossover.record.lock import LOCK, held

HEADER = "run.json"


def entered(out: Path, new: bool) -> AbstractContextManager[None]:
    """Make or find the folder of a run, and hold it against other runs.

    Raises:
        InputError: when another run holds it, when a new one cannot be made there, or
            when there is none.
    """
    with refusing("out", out):
        if not new and not (out / HEADER).exists():
            raise InputError(f"run = {str(out)!r}: holds no {HEADER}")
        if new and not (out / LOCK).exists():  # who holds it is said before what it is
            check_new(out)
        if new:
            out.mkdir(parents=True, exist_ok=True)
    return held(out)


def create(out: Path, run: Run) -> None:
    """Make the directory of a new run and write its header.

    The header comes last: a folder that holds one is a run, however it was stopped.

    Raises:
        InputError: when `out` holds something already or cannot be written.
    """
    with refusing("out", out):
        check_new(out)
        out.mkdir(parents=True, exist_ok=True)
        (out / JOURNAL).touch()
        write_atomically(out / HEADER, codec.header(run), synced=True)


def rewrite_header(out: Path, run: Run) -> None:
    """Write the header of a run again, as the run was given more to do.

    Raises:
        InputError: when it cannot be written.
    """
    with refusing("out", out):
        write_atomically(out / HEADER, codec.header(run), synced=True)


def check_new(out: Path) -> None:
    """Refuse a folder that holds anything but what `create` leaves when it is killed.

    Raises:
        InputError: when it does, or cannot be listed.
    """
    with refusing("out", out), suppress(FileNotFoundError):
        left = {p.name for p in out.iterdir()} - {LOCK, HEADER + PART}
        if HEADER in left:
            raise Unreadable(
                "holds another run; must be new or empty, or go on with it: crossover "
                f"run --resume {out}"
            )
        if left - {JOURNAL} or (left and (out / JOURNAL).stat().st_size):
            raise Unreadable("holds other files; must be new or empty")


def put(out: Path, run: Run) -> None:
    """Write a whole run; `out` may hold an older version of the same run.

    Raises:
        InputError: when `out` holds anything else or cannot be written.
    """
    if not _holds(out, run):
        create(out, run)
    with refusing("out", out), held(out):
        lines = "".join(sealed(map(codec.line, run.measurements)))
        write_atomically(out / JOURNAL, lines)
        write_atomically(out / HEADER, codec.header(run))


def _holds(out: Path, run: Run) -> bool:
    with suppress(OSError, Unreadable):
        header = parse_json(read_text(out / HEADER, codec.MOST_HEADER, link=False))
        return isinstance(header, dict) and header.get("run_id") == run.run_id
    return False


def load(out: Path) -> Run:
    """Read a run directory back; a torn last round is left out, and `lost` says so.

    Raises:
        InputError: for a missing, foreign, newer or garbled directory.
    """
    return _load(out)[0]


def reopen(out: Path) -> Run:
    """Read a run directory to go on with it: a torn last round is cut off its journal.

    Raises:
        InputError: as `load` does, or when it cannot be written.
    """
    run, read = _load(out)
    with refusing("out", out, JOURNAL):
        os.truncate(out / JOURNAL, read.whole_bytes)
    return run


def recover(out: Path) -> list[str]:
    """Take unreadable lines out of the journal, and return a sentence about each.

    The journal as it was is kept beside it. Nothing is changed where all can be read.

    Raises:
        InputError: when the folder cannot be read or written.
    """
    data = _bytes(out, JOURNAL, codec.MOST_JOURNAL)
    rows, said = journal.salvage(data, load_header(out))
    if not said:
        return []
    beside = (out / f"{JOURNAL}.{number}" for number in itertools.count(1))
    backup = next(path for path in beside if not path.exists())
    with refusing("out", out):
        write_atomically(backup, data, synced=True)
        lines = "".join(sealed(map(codec.line, rows)))
        write_atomically(out / JOURNAL, lines, synced=True)
    return [*said, f"the journal as it was is kept in {backup}"]


def rescue(out: Path, run: Run, kept: journal.Journal, error: InputError) -> InputError:
    """Return why a run cannot be recorded any more, and how to go on.

    Where its folder is gone, what was recorded is written to a new one beside it.
    """
    why = f"{error}; every round before is kept"
    if not kept.is_there():
        beside = out.with_name(f"{out.name}-rescued")
        try:
            create(beside, run)
            write_atomically(beside / JOURNAL, kept.contents(), synced=True)
        except (OSError, InputError):
            return error
        out, why = beside, f"{why}, in {str(beside)!r}"
    return InputError(f"{why}; go on with: crossover run --resume {out}")


def load_header(out: Path) -> Run:
    """Read a run without its measurements; see `load`."""
    data = _bytes(out, HEADER, codec.MOST_HEADER)
    with refusing("run", out, HEADER):
        return codec.read_header(decoded(data))


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
    whole = dataclasses.replace(run, measurements=read.rows, lost=read.lost)
    return dataclasses.replace(whole, schema=SCHEMA), read


def _read(out: Path, header: Run) -> tuple[bytes, journal.Read]:
    data = _bytes(out, JOURNAL, codec.MOST_JOURNAL)
    with refusing("run", out):
        return data, journal.read(data, header)


def _bytes(out: Path, name: str, most: int) -> bytes:
    with refusing("run", out):
        try:
            return read_bytes(out / name, most, link=False)
        except FileNotFoundError as error:
            raise Unreadable(f"holds no {name}") from error
        except OSError as error:
            raise Unreadable(f"{name} is not readable: {error.strerror}") from error

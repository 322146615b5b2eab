"""The run directory: `run.json` once, `measurements.jsonl` after every round."""

import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.nouns import SCHEMA, Contender, InputError, Machine, Measurement, Run
from softmax_core.case import Case

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
        write_atomically(out / HEADER, _header(run))
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
        write_atomically(out / JOURNAL, _lines(run.measurements))
        write_atomically(out / HEADER, _header(run))
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def _holds(out: Path, run: Run) -> bool:
    try:
        header = json.loads((out / HEADER).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(header, dict) and header.get("run_id") == run.run_id


def _header(run: Run) -> str:
    fields = dataclasses.asdict(dataclasses.replace(run, measurements=()))
    del fields["measurements"]
    return json.dumps(fields, indent=2) + "\n"


def _lines(measurements: Iterable[Measurement]) -> str:
    return "".join(json.dumps(dataclasses.asdict(m)) + "\n" for m in measurements)


def append(out: Path, measurements: list[Measurement]) -> None:
    """Add a round to the journal and wait until the disk has it.

    Raises:
        StoreError: when the disk is full or the folder is gone.
    """
    lines = _lines(measurements)
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
    try:
        header = json.loads((out / HEADER).read_text())
        lines = (out / JOURNAL).read_text().split("\n")
    except FileNotFoundError as error:
        raise StoreError(f"run = {str(out)!r}: holds no {HEADER}") from error
    except (OSError, ValueError) as error:
        raise StoreError(f"run = {str(out)!r}: {HEADER} is not readable") from error
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise StoreError(
            f"run = {str(out)!r}: must have schema {SCHEMA}, which this version reads"
        )
    rows = []
    for number, line in enumerate(lines[:-1], start=1):  # a whole line ends in "\n"
        try:
            rows.append(_measurement(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"run = {str(out)!r}: line {number} of {JOURNAL} is garbled"
            ) from error
    machine = header.pop("machine")
    machine["accelerators"] = tuple(machine["accelerators"])
    return Run(**header, machine=Machine(**machine), measurements=tuple(rows))


def truncate_torn_line(out: Path) -> None:
    """Cut a half-written last line off the journal, before appending to it."""
    with open(out / JOURNAL, "r+b") as journal:
        whole = journal.read().rpartition(b"\n")
        journal.truncate(len(whole[0]) + len(whole[1]))


def _measurement(row: dict[str, Any]) -> Measurement:
    case = _case(row.pop("case"))
    contender = Contender(**row.pop("contender"))
    for name in ("positions", "samples_s", "warmup_s"):
        row[name] = tuple(row[name])
    for name in ("samples_j", "flags"):  # older journals have neither
        row[name] = tuple(row.get(name, ()))
    return Measurement(case=case, contender=contender, **row)


def _case(fields: dict[str, Any]) -> Case:
    mean, std = fields.pop("dispersion")
    return Case(**fields, dispersion=(mean, std))


def write_atomically(path: Path, text: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(text.encode() if isinstance(text, str) else text)
    os.replace(part, path)

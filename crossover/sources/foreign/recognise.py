"""Which tool wrote a file -> what it holds, by its reader.

`crossover analyse` asks this first; what is recognised by nobody is a table.
"""

import csv
import io
from pathlib import Path
from typing import Any

from crossover.files.refusals import refusing
from crossover.files.untrusted import (
    Unreadable,
    clean,
    parse_json,
    printable,
    read_bytes,
)
from crossover.sources.foreign import (
    asv_store,
    google,
    hyperfine,
    julia,
    nvbench,
    pytest_files,
)
from crossover.sources.foreign.held import Held

MOST_BEFORE = 60
"""At most this many lines stand before the head of google-benchmark's CSV."""
MOST_HEAD = 65_536
"""At most this many characters are searched for it."""
Record = dict[str, Any]


def recognised(path: Path, command: str) -> Held | None:
    """Read a file if it is another tool's; None if it is none, or a pipe.

    Raises:
        InputError: when it is a tool's file that cannot be read.
    """
    if not path.is_file():
        return None
    with refusing("file", path):
        try:
            text = read_bytes(path).decode("utf-8-sig")
        except UnicodeDecodeError:
            return None
        return recognise(text, str(path), command)


def recognise(text: str, name: str, command: str) -> Held | None:
    """Return what a text holds if a tool that is known wrote it, else None.

    Args:
        text: the whole file.
        name: how the user named it.
        command: how commands begin that ask of it.

    Raises:
        Unreadable: when it is a tool's file that holds too much, or is broken.
    """
    start = text[:200].lstrip()
    if start[:1] in ("{", "["):
        return _json(text, name, command)
    return _csv(text, name, command)


def _json(text: str, name: str, command: str) -> Held | None:
    marks = ('"benchmarks"', '"results"', '"BenchmarkTools"')
    if not any(mark in text for mark in marks):
        return None
    try:
        fields = clean(parse_json(text))
    except Unreadable as error:
        if "Extra data" in str(error):  # a file of JSON lines
            return None
        raise
    if julia.is_julia(fields):
        return julia.read(fields, name, command)
    return _object(fields, name, command) if isinstance(fields, dict) else None


def _object(fields: Record, name: str, command: str) -> Held | None:
    """Return what a JSON object holds, told by its fields."""
    benchmarks, results = _dicts(fields, "benchmarks"), _dicts(fields, "results")
    found = None
    if benchmarks is not None and "machine_info" in fields:
        rows = pytest_files.rows_of(fields, Path(name).stem)
        found = pytest_files.held(rows, name, command)
    elif benchmarks and any("states" in record for record in benchmarks):
        found = nvbench.read_json(fields, name, command)
    elif benchmarks and all("name" in record for record in benchmarks):
        found = google.read(benchmarks, google.JSON, name, command)
    elif results and all("command" in record for record in results):
        found = hyperfine.read(results, hyperfine.JSON, name, command)
    elif isinstance(fields.get("results"), dict) and "commit_hash" in fields:
        found = asv_store.read_store([name], command)
    return found


def _dicts(fields: Record, key: str) -> list[Record] | None:
    """Return a field that is a list of objects; None if it is none."""
    found = fields.get(key)
    is_list = isinstance(found, list) and all(isinstance(item, dict) for item in found)
    return found if is_list else None


def _csv(text: str, name: str, command: str) -> Held | None:
    head = _head(text)
    if head is None:
        return None
    heads, rest, before = head
    try:
        table = [row for row in csv.reader(io.StringIO(rest, newline="")) if row]
    except csv.Error as error:
        raise Unreadable(f"not a CSV table: {error}") from error
    table = [[printable(cell) for cell in row] for row in table]
    for number, row in enumerate(table, before + 2):
        if len(row) != len(heads):
            raise Unreadable(
                f"not a CSV table: line {number} has {len(row)} fields; must have "
                f"{len(heads)} as the head"
            )
    if heads[:3] == [*nvbench.HEADS]:
        return nvbench.read_csv(heads, table, name, command)
    records = [dict(zip(heads, row, strict=True)) for row in table]
    read, tool = (
        (google.read, google.CSV)
        if {*heads} >= google.HEADS
        else (hyperfine.read, hyperfine.CSV)
    )
    return read(records, tool, name, command)


def _head(text: str) -> tuple[list[str], str, int] | None:
    """Return the head of a known tool's table, what follows, and the lines before.

    google-benchmark prints what machine it runs on before its table.
    """
    start = 0
    for before, line in enumerate(text[:MOST_HEAD].split("\n")[:MOST_BEFORE]):
        start += len(line) + 1
        heads = [head.strip().strip('"') for head in line.strip().split(",")]
        is_first = before == 0 and (
            heads[:3] == [*nvbench.HEADS] or {*heads} >= hyperfine.HEADS
        )
        if is_first or {*heads} >= google.HEADS:
            return heads, text[start:], before
    return None

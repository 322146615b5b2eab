"""A table's file, of any usual kind -> its rows as texts.

Text is decoded here and laid out by `layout`. JSON, Parquet and Excel are read through
pandas.
"""

import io
import sys
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from crossover.files.refusals import refusing
from crossover.files.untrusted import (
    MIB,
    MOST_BYTES,
    InputError,
    Unreadable,
    clean,
    parse_json,
    read_bytes,
)
from crossover.sources.table.text.grid import MOST_FIELDS, MOST_ROWS, Rows
from crossover.sources.table.text.layout import laid_out

MOST_UNPACKED = 512 * MIB
"""An Excel file holds at most this many bytes when it is unpacked."""
STANDARD_INPUT = "-"
MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""Byte order marks, the longest first."""


def read_file(path: Path, wanted: Sequence[str] = ()) -> Rows:
    """Read a table from a file, or from standard input if it is called `-`.

    Args:
        path: the file.
        wanted: columns that it is said to have, which tell the delimiter.

    Raises:
        InputError: for a file that is no table or too large a one.
    """
    with refusing("file", path):
        data = _bytes(path)
        if data[:4] == b"PAR1" or data[:4] == b"PK\x03\x04":
            return rows_of(_packed(data))
        text, said = decoded_any(data)
        if (found := _from_json(text)) is not None:
            return found
        return laid_out(text, wanted, said)


def _bytes(path: Path) -> bytes:
    if str(path) != STANDARD_INPUT:
        return read_bytes(path, pipe=True)
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unreadable(f"too large; must be at most {MOST_BYTES // MIB} MiB")
    return data


def decoded_any(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return a text in UTF-8, UTF-16 or Windows' western encoding, and which it was.

    Raises:
        Unreadable: for what is no text.
    """
    encoding = next((e for mark, e in MARKS.items() if data.startswith(mark)), None)
    if encoding is None and (halves := data[:4000]) and b"\0" in halves:
        # without a mark: every second byte of plain letters is 0
        for name, zeros in (("utf-16-le", halves[1::2]), ("utf-16-be", halves[::2])):
            if zeros.count(0) > 0.7 * len(zeros):
                encoding = name
    names = (encoding,) if encoding else ("utf-8", "cp1252")
    for name in names:
        try:
            text = data.decode(name)
        except UnicodeDecodeError as error:
            at = error.start + 1
            continue
        plain = name in ("utf-8", "utf-8-sig")
        return text, (() if plain else (f"text in {_encoding_words(name)}",))
    raise Unreadable(
        f"must be text in UTF-8, UTF-16 or Windows-1252, which byte {at} is not"
    )


def _encoding_words(name: str) -> str:
    return "Windows-1252" if name == "cp1252" else name.upper().removesuffix("-LE")


def _from_json(text: str) -> Rows | None:
    """Return the rows of a list of JSON objects, or of one a line; None for no JSON."""
    start = text.lstrip()[:1]
    if start == "[":
        found = clean(parse_json(text))
    elif start == "{":
        first = text.lstrip().partition("\n")[0]
        if not (first.rstrip().endswith("}") and _is_object(first)):
            raise Unreadable(_NO_TABLE)
        found = [clean(parse_json(line)) for line in text.splitlines() if line.strip()]
    else:
        return None
    if not found or not all(isinstance(row, dict) for row in found):
        raise Unreadable("is JSON, and must be a list of objects, one for each row")
    if any(map(_has_rows, found[0].values())):
        raise Unreadable(_NO_TABLE)
    return rows_of(pd.json_normalize(found), ("JSON",))


_NO_TABLE = (
    "is JSON and no table; must be a list of objects, or one a line, one for each row; "
    "results of asv and pytest-benchmark are read by `crossover report`"
)


def _has_rows(value: object) -> bool:
    """Tell whether a value is a list of objects."""
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except Unreadable:
        return False


def _packed(data: bytes) -> pd.DataFrame:
    """Read Parquet or an Excel file.

    Raises:
        Unreadable: when it cannot be read, or what reads it is not installed.
    """
    is_parquet = data[:4] == b"PAR1"
    kind, package = ("Parquet", "pyarrow") if is_parquet else ("Excel", "openpyxl")
    if find_spec(package) is None:
        raise Unreadable(f"is {kind}, which needs {package}: pip install {package}")
    try:
        if is_parquet:
            return pd.read_parquet(io.BytesIO(data), engine="pyarrow")
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_UNPACKED:
            raise Unreadable("holds too much; must be at most 512 MiB unpacked")
        return pd.read_excel(io.BytesIO(data), engine="openpyxl")
    except Unreadable:
        raise
    except Exception as error:  # pandas lets through whatever its engines raise
        raise Unreadable(f"no {kind} file that can be read: {error}") from error


def rows_of(frame: pd.DataFrame, said: Sequence[str] = ()) -> Rows:
    """Return a table of pandas as rows of texts, numbered from 1.

    Raises:
        InputError: when it is too large.
    """
    if frame.index.names != [None]:
        frame = frame.reset_index()
    if len(frame) > MOST_ROWS or frame.size > MOST_FIELDS:
        raise InputError(
            f"table has {len(frame):,} rows: must be at most {MOST_ROWS:,}, and "
            f"{MOST_FIELDS:,} fields"
        )
    columns = [_texts(frame.iloc[:, i]) for i in range(frame.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    heads = [_head(name) for name in frame.columns]
    return Rows(heads, rows, [*range(1, len(rows) + 1)], None, ".", tuple(said))


def _head(name: object) -> str:
    parts = name if isinstance(name, tuple) else (name,)
    return " ".join(str(part) for part in parts if str(part)).strip()


def _texts(column: "pd.Series[Any]") -> list[str]:
    """Return the cells of a column as texts; a missing one is empty."""
    if pd.api.types.is_timedelta64_dtype(column):
        seconds = column.dt.total_seconds()
        return ["" if pd.isna(s) else f"{s!r} s" for s in seconds]
    return [_text(value) for value in column.tolist()]


def _text(value: object) -> str:
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)

"""Files from strangers are data: read with limits, their texts made printable.

Every reader reads through here; docs/hostile.md lists the limits.
"""

import difflib
import json
import os
import re
import stat
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

MIB = 2**20
MOST_BYTES = 64 * MIB
"""A file of JSON or CSV has at most this many bytes."""
MOST_VALUES = 3_000_000
"""A file of JSON holds at most this many values; each takes 100 bytes of memory."""
MOST_DOTS = 5000
"""A file of TOML holds at most this many dots."""
MOST_SHOWN = 60
"""At most this many characters of a wrong value are shown in a message."""
LONGEST_LINE = 2000
"""A message has at most this many characters."""
LONGEST_NAME = 120
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Matches names that Windows keeps for devices, whatever follows their first dot."""
_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its writer
Value = TypeVar("Value")


class InputError(ValueError):
    """Bad input: one line that names the field, the value and what is allowed."""


class Unreadable(InputError):  # noqa: N818
    """Why a file is not read or written; `refusing` puts its name in front."""


def read_bytes(
    path: Path, most: int = MOST_BYTES, *, pipe: bool = False, link: bool = True
) -> bytes:
    """Read a whole file of at most `most` bytes.

    Args:
        path: the file.
        most: what it may hold.
        pipe: it may be a pipe, as the user named it.
        link: it may be a symbolic link.

    Raises:
        OSError: when it cannot be opened or read.
        Unreadable: when it is too large, or no file.
    """
    if not link and path.is_symlink():
        raise Unreadable(f"{path.name} is a link; must be a file")
    flags = os.O_RDONLY | _BINARY | (0 if link else _NO_LINK)
    with os.fdopen(os.open(path, flags | (0 if pipe else _NO_WAIT)), "rb") as file:
        found = os.fstat(file.fileno())
        if not (stat.S_ISREG(found.st_mode) or (pipe and stat.S_ISFIFO(found.st_mode))):
            raise Unreadable(f"{path.name} is no file; must be one")
        whole = file.read(most + 1) if found.st_size <= most else b""
    if len(whole) > most or found.st_size > most:
        raise Unreadable(f"{path.name} is too large; must be at most {_size(most)}")
    return whole


def _size(number: int) -> str:
    return f"{number // MIB} MiB" if number >= MIB else f"{number // 1024} KiB"


def read_text(
    path: Path, most: int = MOST_BYTES, *, pipe: bool = False, link: bool = True
) -> str:
    """Read a file of UTF-8, with or without a byte order mark; see `read_bytes`."""
    return decoded(read_bytes(path, most, pipe=pipe, link=link))


def decoded(data: bytes, encoding: str = "utf-8-sig") -> str:
    """Return a text in UTF-8.

    Raises:
        Unreadable: naming the first byte that is none.
    """
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"must be text in UTF-8, which byte {error.start + 1} is not"
        ) from error


def parse_json(text: str, most_values: int = MOST_VALUES) -> Any:
    """Read JSON whose objects hold each key once.

    Raises:
        Unreadable: when it is not JSON, or too much of it.
    """
    if sum(map(text.count, ",[{")) > most_values:
        raise Unreadable(f"too many values; must be at most {most_values:,}")
    try:
        return json.loads(text, object_pairs_hook=_once)
    except Unreadable:
        raise
    except RecursionError as error:
        raise Unreadable("nested too deep to be read") from error
    except ValueError as error:
        if "digits" in str(error):
            raise Unreadable("holds a number of too many digits") from error
        raise Unreadable(f"must be JSON: {' '.join(str(error).split())}") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML.

    Raises:
        Unreadable: when it is not TOML, or too much of it.
    """
    if text.count(".") > MOST_DOTS:  # tomllib's time is the square of a key's parts
        raise Unreadable(f"too many dots; must be at most {MOST_DOTS:,}")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise Unreadable("nested too deep to be read") from error
    except ValueError as error:
        raise Unreadable(f"not TOML: {' '.join(str(error).split())}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = Counter(key for key, _ in pairs)
        twice = shown(max(keys, key=keys.__getitem__))
        raise Unreadable(f"key {twice} is there more than once; must be once")
    return found


def printable(text: str) -> str:
    r"""Return a text whose characters that a terminal obeys are written as `\x1b`.

    Control characters, line ends, marks of direction and halves of surrogate pairs.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def clean(value: Value) -> Value:
    """Return what JSON holds with every text and key printable.

    Raises:
        Unreadable: when it is nested too deep.
    """
    try:
        return _clean(value)  # type: ignore[no-any-return]
    except RecursionError as error:
        raise Unreadable("nested too deep to be read") from error


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        # Most lists hold numbers, of which there may be millions.
        return [v if v.__class__ is float else _clean(v) for v in value]
    if isinstance(value, dict):
        return {printable(key): _clean(item) for key, item in value.items()}
    return value


def one_line(text: str) -> str:
    """Return a message as one line that a terminal only shows."""
    line = printable(text[: LONGEST_LINE + 1])
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "..."


def shown(value: object) -> str:
    """Return how a wrong value is written in a message."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deep, or too many digits
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "..."


def refused(field: str, value: object, must: str) -> InputError:
    """Return the error that a field holds another value than it must."""
    return InputError(f"{field} = {shown(value)}: must {must}")


def near(word: str, known: tuple[str, ...]) -> str:
    """Return `(did you mean X?)` for the known word nearest to a wrong one."""
    folded = {name.casefold(): name for name in reversed(known)}
    close = difflib.get_close_matches(word.casefold(), [*folded], n=1)
    return f" (did you mean {folded[close[0]]}?)" if close else ""


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return names for a message, the first of many."""
    more = ", ..." if len(names) > most else ""
    return ", ".join(name[:40] for name in names[:most]) + more


def check_known(field: str, name: str, known: Sequence[str]) -> None:
    """Check that a name is one of those known.

    Raises:
        InputError: listing them, the nearest one last.
    """
    if name not in known:
        hint = near(name, tuple(known[:1000]))
        raise InputError(f"{field} = {name!r}: must be one of {listed(known)}{hint}")


def file_name(text: str) -> str:
    """Return a name for a file or folder that is like a text and leads nowhere else.

    Every system takes it: Windows drops dots at the end of names.
    """
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "_", text).lstrip(".")[:LONGEST_NAME]
    name = name.rstrip(".") or "run"
    return f"_{name}" if DEVICE.match(name) else name

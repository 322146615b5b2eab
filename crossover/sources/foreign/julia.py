"""BenchmarkTools.jl's JSON -> rows of times.

The keys of its nested groups are columns. `recognise` calls this.
"""

import re
from collections.abc import Iterator
from typing import Any

from crossover.sources.foreign.held import Held, Row, as_text, checked, with_parts

TOOL = "BenchmarkTools.jl's JSON"
METRICS = ("times", "time")
NANOSECONDS = 1e-9
MOST_DEPTH = 50
_PREFIX = "BenchmarkTools."
_NAMED = re.compile(r"([A-Za-z_]\w*) ?= ?([^=]+)")
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^,()"]+')
_STATISTIC = "one estimate"


def is_julia(fields: object) -> bool:
    """Tell whether JSON is what `BenchmarkTools.save` writes."""
    return (
        isinstance(fields, list)
        and len(fields) == 2
        and isinstance(fields[0], dict)
        and "BenchmarkTools" in fields[0]
        and isinstance(fields[1], list)
    )


def read(fields: list[Any], source: str, command: str) -> Held:
    """Return what a file holds, of any version."""
    found = [(path, value) for item in fields[1] for path, value in _leaves(item, ())]
    rows = [_row(path, value) for path, value in found]
    return Held(TOOL, source, command, with_parts(rows), METRICS)


def _leaves(
    item: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Go through the trials of a group and the groups in it."""
    if not (isinstance(item, list) and len(item) == 2 and isinstance(item[1], dict)):
        return
    kind, fields = str(item[0]).removeprefix(_PREFIX), item[1]
    if kind == "BenchmarkGroup" and len(path) < MOST_DEPTH:
        data = fields.get("data")
        for key, value in data.items() if isinstance(data, dict) else ():
            yield from _leaves(value, (*path, *_parts(str(key))))
    elif kind in ("Trial", "TrialEstimate"):
        yield path, fields


def _parts(key: str) -> tuple[str, ...]:
    """Return the parts of a key, which may be a tuple or a symbol in Julia."""
    if key.startswith("(") and key.endswith(")"):
        return tuple(_plain(part) for part in _PART.findall(key[1:-1]) if part.strip())
    return (_plain(key),)


def _plain(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text.removeprefix(":")


def _row(path: tuple[str, ...], fields: dict[str, Any]) -> Row:
    keys: dict[str, str] = {}
    for level, part in enumerate(path, 1):
        match = _NAMED.fullmatch(part)
        if match and match[1] not in keys:
            keys[match[1]] = match[2].strip()
        else:
            keys[f"level{level}"] = as_text(part)
    values = fields.get("times")
    if isinstance(values, list):
        kept, why = checked(values, NANOSECONDS)
        why = why or ("" if kept else "no times")
        return Row(keys, {"times": kept} if kept else {}, why)
    kept, why = checked([fields.get("time")], NANOSECONDS)
    return Row(keys, {"time": kept} if kept else {}, why, statistic=_STATISTIC)

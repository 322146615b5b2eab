"""Tables of other forms -> one time a row: a column for each contender or size, names.

In: rows whose times stand side by side, or whose names hold the size (`BM_cpu/1024`).
Out: rows with a column of contenders, one of sizes and one of times.
"""

import dataclasses
import re
from collections.abc import Sequence

from crossover.files.untrusted import InputError
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.units import (
    SECONDS,
    TIMES,
    is_rate,
    is_rate_word,
    named_unit,
    seconds_of,
    words,
)

_WITH_UNIT = re.compile(r"([^()\[\]]+?) ?[(\[]([^()\[\]]+)[)\]]")
"""A name with a unit in brackets, as triton writes it: `Torch (GB/s)`."""
TYPICAL = {"mean", "median", "avg", "average"}


def bare_name(head: str) -> str:
    """Return who a column of times is of: `cpu` of `cpu_ms`, `Time CPU [s]`."""
    match = _WITH_UNIT.fullmatch(head)
    if match and (is_rate(match[2]) or seconds_of(match[2])):
        head = match[1]
    said = words(head)
    if is_rate(head):
        kept = [w for w in said if not is_rate_word(w) and w not in (*SECONDS, "per")]
    else:
        rest = said[:-1] if named_unit(head) is not None else said
        kept = [w for w in rest if w not in TIMES and w not in TYPICAL and w != "in"]
    if not kept:
        return head
    pattern = r"[\W_]*".join(map(re.escape, kept))
    found = re.search(pattern, head, re.IGNORECASE)
    return found[0] if found else " ".join(kept)


def melted(rows: Rows, columns: Sequence[str]) -> tuple[Rows, str, str]:
    """Return a row for each of the columns of times; name contender and time.

    A unit that a column's name holds is written behind each of its numbers.

    Raises:
        InputError: where some columns name a unit and others none, or only some are
            rates.
    """
    names = [bare_name(column) for column in columns]
    if len({*names}) < len(names):
        names = list(columns)
    units = [named_unit(column) for column in columns]
    rates = [is_rate(column) for column in columns]
    for kinds, what in (([u is not None for u in units], "a unit"), (rates, "a rate")):
        if any(kinds) and not all(kinds):
            one, other = columns[kinds.index(True)], columns[kinds.index(False)]
            raise InputError(
                f"columns = {one!r}, {other!r}: the first names {what} and the second "
                "none; write both alike"
            )
    spelled = [f" {words(c)[-1]}" if u is not None else "" for c, u in
               zip(columns, units, strict=True)]  # fmt: skip
    if len({*units}) == 1:
        spelled = [""] * len(columns)
    places = [rows.heads.index(column) for column in columns]
    kept = [i for i in range(len(rows.heads)) if i not in places]
    heads = [rows.heads[i] for i in kept]
    contender = _free("contender", heads)
    time = _free(columns[0] if rates[0] else _time_head(units), [*heads, contender])
    made, lines = [], []
    for row, line in zip(rows.rows, rows.lines, strict=True):
        rest = [row[i] for i in kept]
        for name, place, unit in zip(names, places, spelled, strict=True):
            cell = row[place].strip()
            made.append([*rest, name, f"{cell}{unit}" if cell[-1:].isdigit() else cell])
            lines.append(line)
    found = dataclasses.replace(
        rows, heads=[*heads, contender, time], rows=made, lines=lines
    )
    return found, contender, time


def _time_head(units: Sequence[float | None]) -> str:
    unit = units[0] if len({*units}) == 1 else None
    spelled = next((word for word, seconds in SECONDS.items() if seconds == unit), None)
    return f"time_{spelled}" if spelled else "time"


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name


def spread_sizes(
    rows: Rows, columns: Sequence[str], axis: str | None
) -> tuple[Rows, str, str]:
    """Return a row for each column that is named as a size; name axis and time."""
    places = [rows.heads.index(column) for column in columns]
    kept = [i for i in range(len(rows.heads)) if i not in places]
    heads = [rows.heads[i] for i in kept]
    name = _free(axis or "size", heads)
    time = _free("time", [*heads, name])
    made, lines = [], []
    for row, line in zip(rows.rows, rows.lines, strict=True):
        rest = [row[i] for i in kept]
        for place, size in zip(places, columns, strict=True):
            made.append([*rest, size, row[place]])
            lines.append(line)
    found = dataclasses.replace(
        rows, heads=[*heads, name, time], rows=made, lines=lines
    )
    return found, name, time


def split_names(rows: Rows, head: str) -> tuple[Rows, str, str]:
    """Split names such as `BM_cpu/1024` into who ran and the size; name both columns.

    Raises:
        InputError: where names hold no number, or several that vary.
    """
    place = rows.heads.index(head)
    texts = rows.column(place)
    parts = {
        text: re.split(r"(\d[\d.,]*(?:[kKMG](?![a-zA-Z]))?)", text) for text in texts
    }
    counts = {len(found) for found in parts.values()}
    most = max(counts, default=1)
    numbers = range(1, most, 2)
    whole = [found for found in parts.values() if len(found) == most]
    by_rest: dict[int, int] = {}
    for i in numbers:
        groups: dict[tuple[str, ...], set[str]] = {}
        for found in whole:
            groups.setdefault((*found[:i], *found[i + 1 :]), set()).add(found[i])
        by_rest[i] = max(map(len, groups.values()), default=0)
    varying = [i for i, values in by_rest.items() if values > 1]
    if len(varying) != 1:
        many = "several numbers that vary" if varying else "no number that varies"
        raise InputError(
            f"{head} = {next(iter(parts), '')!r}: names hold {many}; write the size in "
            "a column of its own"
        )
    at = varying[0]
    who: dict[str, str] = {}
    size: dict[str, str] = {}
    for text, found in parts.items():
        if len(found) <= at:
            who[text], size[text] = text, ""
            continue
        before = found[:at]
        rest = "".join(found[at + 1 :])
        stem = "".join(before).rstrip(" /_:=-([,")
        who[text] = stem + (rest.rstrip(" )]") if rest.strip(" )]") else "")
        size[text] = found[at]
    heads = list(rows.heads)
    heads[place] = _free("contender", heads)
    axis = _free("size", heads)
    made = [
        [*row[:place], who[text], *row[place + 1 :], size[text]]
        for row, text in zip(rows.rows, texts, strict=True)
    ]
    split = dataclasses.replace(rows, heads=[*heads, axis], rows=made)
    return split, axis, heads[place]

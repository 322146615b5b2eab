"""A line of measurements.jsonl as crossover writes it, parted without parsing it.

A journal names its few cells in every line: `stored` checks a cell's text once, and the
rest of each line. So a merge of a million lines takes half the time.
"""

import dataclasses
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from crossover.nouns import Contender, Measurement, field_names
from crossover.workloads.workload import MOVED, Workload

CELL = ("case", "contender")
"""The fields of a measurement that name its cell; they follow each other."""
EXTRA = (
    "waited_s", "latency", "verified", "discarded", "settings", "items", "affinity",
)  # fmt: skip
"""What a line holds only where it says something; in this order, at its end."""
EMPTY: tuple[object, ...] = (None, "", (), {})
"""What says nothing."""
TEXT = r'"[ !#-\[\]-~]*+"'
VALUE = rf"(?:{TEXT}|\[[ -Z^-z|~]*+\]|[-+.\w]{{1,30}}+)"
"""A text of ASCII without escapes, a list of such values, a number or a word."""


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return dataclasses.field(default=None)  # told from what was recorded as empty
    return dataclasses.field(default=field.default)


Rest = dataclasses.make_dataclass(
    "Rest",
    [
        (f.name, f.type, _default(f))
        for f in dataclasses.fields(Measurement)
        if f.name not in CELL
    ],
)
"""A measurement without its cell."""


def _table(names: Iterable[str]) -> str:
    pairs = ", ".join(f'"{name}": {VALUE}' for name in names)
    return rf"\{{{pairs}\}}"


@cache
def _plain(workload: Workload) -> re.Pattern[str]:
    """Return what a line of a workload is; it holds each key once, all printable."""
    pairs = {name: f'"{name}": {VALUE}' for name in field_names(Measurement)}
    case, who = _table(workload.names), _table(field_names(Contender))
    pairs["case"] = f'(?P<cell>"case": {case}, "contender": {who})'
    counted = (*workload.costs, MOVED), workload.costs, ()
    work = "|".join(map(_table, counted))  # none of a cell that did not run
    pairs["work"] = f'"work": (?:{work})'
    pairs["peak_bytes"] = rf'"peak_bytes": (?:\{{\}}|\{{{TEXT}: \d{{1,19}}\}})'
    del pairs["contender"]
    extra = "".join(f"(?:, {pairs.pop(name)})?" for name in EXTRA)
    return re.compile(rf"\{{{', '.join(pairs.values())}{extra}\}}", re.ASCII)


def parted(text: str, workload: Workload) -> tuple[str, str] | None:
    """Return the JSON of a line's cell, and of its rest; None for any other line."""
    match = _plain(workload).fullmatch(text)
    if match is None:
        return None
    start, end = match.span("cell")
    return f"{{{text[start:end]}}}", text[:start] + text[end + len(", ") :]

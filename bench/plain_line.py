"""A line of measurements.jsonl as crossover writes it, parted without parsing it.

A journal names its few cells in every line: `stored` checks a cell's text once, and the
rest of each line. So a merge of a million lines takes half the time.
"""

import dataclasses
import re

from bench.nouns import Contender, Measurement, field_names
from softmax_core.case import Case

CELL = {"case": Case, "contender": Contender}
"""The fields of a measurement that name its cell; they follow each other."""
VALUE = r'(?:"[ !#-\[\]-~]*+"|\[[ -Z^-z|~]*+\]|[-+.\w]{1,30}+)'
"""A text of ASCII without escapes, a list of such values, a number or a word."""

Rest = dataclasses.make_dataclass(
    "Rest",
    [
        (f.name, f.type, dataclasses.field(default=f.default))
        for f in dataclasses.fields(Measurement)
        if f.name not in CELL
    ],
)
"""A measurement without its cell."""


def _table(noun: type) -> str:
    pairs = ", ".join(f'"{name}": {VALUE}' for name in field_names(noun))
    return rf"\{{{pairs}\}}"


def _line() -> str:
    cell = ", ".join(f'"{name}": {_table(noun)}' for name, noun in CELL.items())
    pairs = {name: f'"{name}": {VALUE}' for name in field_names(Measurement)}
    pairs["case"] = f"(?P<cell>{cell})"
    del pairs["contender"]
    return rf"\{{{', '.join(pairs.values())}\}}"


PLAIN = re.compile(_line(), re.ASCII)
"""What it matches holds each key once, and nothing that a terminal acts on."""


def parted(text: str) -> tuple[str, str] | None:
    """Return the JSON of a line's cell, and of its rest; None for any other line."""
    match = PLAIN.fullmatch(text)
    if match is None:
        return None
    start, end = match.span("cell")
    return f"{{{text[start:end]}}}", text[:start] + text[end + len(", ") :]

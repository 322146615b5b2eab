"""A line of measurements.jsonl: its cell and the rest of it, each number within bounds.

A journal names its few cells in every line. A line as crossover writes it is parted
without parsing it, and `codec` checks a cell's text once and the rest of each line: a
merge of a million lines takes half the time.
"""

import dataclasses
import math
import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, FailFast, Field, TypeAdapter

from crossover.contender import Contender
from crossover.nouns import STATUSES, Measurement, field_names
from crossover.spec.bounds import LARGEST
from crossover.workloads.workload import MOVED, Workload

CELL = ("case", "contender")
"""The fields of a measurement that name its cell; they are neighbours in a line."""
EXTRA = (
    "waited_s", "latency", "verified", "discarded", "settings", "items", "affinity",
    "machine_id",
)  # fmt: skip
"""Fields that a line holds only if they are not empty; in this order, at its end."""
EMPTY: tuple[object, ...] = (None, "", (), {})
"""The values of such a field that are left out."""
TEXT = r'"[ !#-\[\]-~]*+"'
VALUE = rf"(?:{TEXT}|\[[ -Z^-z|~]*+\]|[-+.\w]{{1,30}}+)"
"""A text of ASCII without escapes, a list of such values, a number or a word."""


LEAST_S = 1e-12
"""The shortest time that a sample can have taken."""
LEAST = dict.fromkeys(("calls_per_sample", "epochs_run", "in_round"), 1.0) | {
    "round": 0, "setup_s": 0, "transfer_s": 0, "bound_s": 0, "waited_s": 0,
    "items": 0,
    "load_1min": 0, "elapsed_s": 0, "launches_per_step": -LARGEST, "threads": -LARGEST,
    "throttled_periods": -LARGEST, "clock_share": -LARGEST,
}  # fmt: skip
"""The least that a number is; loss and accuracy are not finite where it diverged."""
KEYED = ("peak_bytes",)
"""The fields that hold numbers by name."""
SERIES = ("positions", "samples_s", "samples_j", "warmup_s", "latency")
TOOK = ("samples_s", "latency")
"""Series of times that something took."""


def _as_calls(value: object) -> object:
    """Return single calls; the quantiles that a file may hold instead are of none."""
    if isinstance(value, dict):
        return ()
    return tuple(value) if isinstance(value, list) else value


def _bounded(field: "dataclasses.Field[Any]") -> Any:
    """Return the type of a field, with its bounds."""
    if field.name in LEAST:
        whole = field.type in (int, int | None)
        ends = LEAST[field.name], LARGEST
        low, high = map(math.ceil, ends) if whole else ends
        return Annotated[field.type, Field(ge=low, le=high)]
    if field.name in SERIES:
        kind: Any = int if field.type == tuple[int, ...] else float
        least = LEAST_S if field.name in TOOK else -LARGEST
        one = Annotated[kind, Field(ge=kind(least), le=kind(LARGEST))]
        series: Any = Annotated[tuple[one, ...], FailFast()]
        if field.name == "latency":
            return Annotated[series, BeforeValidator(_as_calls)]
        return series
    if field.name in KEYED:
        kind = int if field.type == dict[str, int] else float
        return dict[str, Annotated[kind, Field(ge=0, le=kind(LARGEST))]]
    return Literal[STATUSES] if field.name == "status" else field.type


def _default(field: "dataclasses.Field[Any]") -> Any:
    """Return a field's default; None for `work`, which older lines do not tell."""
    if field.name == "work":
        return dataclasses.field(default=None)
    made = field.default_factory
    return dataclasses.field(default=field.default, default_factory=made)


Rest = dataclasses.make_dataclass(
    "Rest",
    [
        (f.name, _bounded(f), _default(f))
        for f in dataclasses.fields(Measurement)
        if f.name not in CELL
    ],
)
"""A measurement without its cell."""
REST: TypeAdapter[Any] = TypeAdapter(Rest)


def _table(names: Iterable[str]) -> str:
    pairs = ", ".join(f'"{name}": {VALUE}' for name in names)
    return rf"\{{{pairs}\}}"


@cache
def plain(workload: Workload) -> re.Pattern[str]:
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


def parted(text: str, plain: re.Pattern[str]) -> tuple[str, str] | None:
    """Return the JSON of a line's cell, and of its rest; None for any other line.

    Args:
        text: the line.
        plain: what such a line is; see `plain`.
    """
    match = plain.fullmatch(text)
    if match is None:
        return None
    start, end = match.span("cell")
    return f"{{{text[start:end]}}}", text[:start] + text[end + len(", ") :]

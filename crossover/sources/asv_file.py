"""One result file of asv, in either format, as the rows that may hold our cells.

`asv` makes runs of them. Nothing in the files is executed.
"""

import itertools
import re
from pathlib import Path
from typing import Any

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from crossover.nouns import Cell, Contender, InputError
from crossover.sources.as_run import MOST_CELLS
from crossover.sources.json_file import List, Part, part, read_object, wrong
from crossover.workloads.softmax import SOFTMAX

VERSIONS = (1, 2)
BENCHMARKS = ("time_train", "time_transfer", "track_accuracy", "peakmem_train")
_QUOTED = re.compile(r"'([^'\\]{1,300})'(?: \(\d+\))?")
"""A parameter as asv writes it; equal ones are numbered."""
Number = StrictFloat | StrictInt


class Result(Part):
    """One file: a commit in an environment on a machine."""

    commit_hash: StrictStr
    env_name: StrictStr = ""
    params: dict[str, Any] = Field(default={})
    python: StrictStr = ""
    requirements: dict[str, Any] = Field(default={})
    env_vars: dict[str, Any] = Field(default={})
    result_columns: List[StrictStr] = Field(default=[])
    results: dict[str, Any]
    started_at: dict[str, Any] = Field(default={})
    benchmark_version: dict[str, Any] = Field(default={})


class Row(Part):
    """One benchmark's results, a value for each combination of its parameters."""

    result: List[Number | None] | None
    params: List[List[StrictStr]]
    samples: List[List[Number] | None] | None = None
    started_at: Number | None = None
    version: StrictStr | None = None


def load(file: Path) -> tuple[Result, dict[str, Row]]:
    """Read a result file and its benchmarks that may be ours, by name.

    Raises:
        InputError: naming file, field and what is allowed.
    """
    fields = read_object(file)
    for name in ("results", "commit_hash"):
        if name not in fields:
            raise InputError(f"{file}: {name}: missing; must be a result file of asv")
    version = fields.get("version")
    if version not in VERSIONS or isinstance(version, bool):
        raise wrong(file, "version", version, "must be 1 or 2: asv up to 0.6 is read")
    result = part(Result, fields, file)
    rows = {
        name: row
        for name, value in result.results.items()
        if name.rpartition(".")[2] in BENCHMARKS
        and (row := _row(file, result, name, value)) is not None
    }
    return result, rows


def _row(file: Path, result: Result, name: str, value: Any) -> Row | None:
    """Return a benchmark in the newer format's terms, None if it is none of ours."""
    if isinstance(value, list):  # trailing columns without values are left out
        value = dict(zip(result.result_columns, value, strict=False))
    elif isinstance(value, dict):
        started, version = (
            of.get(name) for of in (result.started_at, result.benchmark_version)
        )
        value = {**value, "started_at": started, "version": version}
    params = value.get("params") if isinstance(value, dict) else None
    if not (isinstance(params, list) and len(params) == 2 and all(params)):
        return None
    row = part(Row, value, file, ("results", name))
    if not any(_is_case(text) for text in row.params[0]):
        return None
    combinations = len(row.params[0]) * len(row.params[1])
    if combinations > MOST_CELLS:
        must = f"must be at most {MOST_CELLS:,}"
        raise wrong(file, f"results.{name}.params: combinations", combinations, must)
    for field, values in (("result", row.result), ("samples", row.samples)):
        if values is not None and len(values) != combinations:
            must = f"must be {combinations}, one for each case and contender"
            raise wrong(file, f"results.{name}.{field}: length", len(values), must)
    return row


def _is_case(text: str) -> bool:
    try:
        SOFTMAX.parse_case(_unquoted(text))
    except ValueError:
        return False
    return True


def _unquoted(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    return match[1] if match else text


def cells_of(file: Path, name: str, row: Row) -> list[Cell]:
    """Return the cell of each of a row's values.

    Raises:
        InputError: for a parameter that is none of ours.
    """
    try:
        cases = [SOFTMAX.parse_case(_unquoted(text)) for text in row.params[0]]
        contenders = [Contender.parse(_unquoted(text)) for text in row.params[1]]
    except ValueError as error:
        raise InputError(f"{file}: results.{name}.params: {error}") from error
    return [Cell(*pair) for pair in itertools.product(cases, contenders)]

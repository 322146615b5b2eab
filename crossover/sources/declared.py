"""What a suite kept of its workload, as data -> the workload, without its code.

`asv` and `pytest_benchmark` call it. Softmax regression is meant if nothing was kept.
"""

import re
from pathlib import Path
from typing import Any

from crossover.files.untrusted import InputError, Unreadable, clean, parse_json
from crossover.record.codec import read_workload
from crossover.workloads.softmax import SOFTMAX
from crossover.workloads.workload import Workload

_VERSION = re.compile(r"\d{1,9} (\{.*\})", re.ASCII | re.DOTALL)
"""The version of asv's benchmarks, if it holds a declaration."""


def in_file(file: Path, fields: dict[str, Any]) -> Workload:
    """Return the workload that a file's fields declare.

    Raises:
        InputError: naming the file, the field, its value and what is allowed.
    """
    try:
        return read_workload({"workload": fields.get("workload")}) or SOFTMAX
    except Unreadable as error:
        raise InputError(f"{file}: {error}") from error


def in_version(file: Path, field: str, version: str | None) -> Workload:
    """Return the workload that the version of a benchmark declares; see `in_file`."""
    match = _VERSION.fullmatch(version or "")
    if match is None:
        return SOFTMAX
    try:
        return read_workload(clean(parse_json(match[1]))) or SOFTMAX
    except Unreadable as error:
        raise InputError(f"{file}: {field}: {error}") from error

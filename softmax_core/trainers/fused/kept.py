"""The ways that were found fastest, kept on disk beside numba's compiled kernels.

One file holds what all machines found that share the folder, by the processor and the
versions of what was measured. It is never trusted: what cannot be read is not there.
"""

import dataclasses
import json
import math
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import llvmlite
import numba
import torch
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name

from softmax_core.case import Case
from softmax_core.trainers.fused.rows import train_rows

NAME = "fused_ways.json"
MOST_BYTES = 1 << 20
"""A larger file is not read, and begun anew."""


@cache
def _machine() -> str:
    """Return what must be the same for a measurement to count here."""
    features = get_host_cpu_features().flatten()
    versions = numba.__version__, llvmlite.__version__, torch.__version__
    written = max(p.stat().st_mtime_ns for p in Path(__file__).parent.glob("*.py"))
    name, cores = get_host_cpu_name(), os.cpu_count()
    return " ".join((name, features, f"{cores} {written}", *versions))


def _file() -> Path | None:
    folder = train_rows.stats.cache_path
    return Path(folder) / NAME if folder else None


def _key(like: Case) -> str:
    return f"{_machine()} {dataclasses.astuple(like)}"


def _all() -> dict[str, object]:
    with suppress(OSError, ValueError, RecursionError):
        path = _file()
        if path is not None and path.stat().st_size <= MOST_BYTES:
            found = json.loads(path.read_text("utf-8"))
            return found if isinstance(found, dict) else {}
    return {}


def read(like: Case, candidates: Sequence[str]) -> dict[str, float] | None:
    """Return the seconds that each candidate took of a measured case, None if unknown.

    Args:
        like: the case that was measured.
        candidates: the ways that must be known, and no others.
    """
    found = _all().get(_key(like))
    if not isinstance(found, dict) or set(found) != set(candidates):
        return None
    seconds = {way: found[way] for way in candidates}
    is_good = all(type(s) is float and 0 < s < math.inf for s in seconds.values())
    return seconds if is_good else None


def write(like: Case, seconds: dict[str, float]) -> None:
    """Keep what each candidate took; where no file can be written, nothing happens."""
    path = _file()
    if path is None:
        return
    text = json.dumps(_all() | {_key(like): seconds}, indent=0)
    with suppress(OSError):
        number, part = tempfile.mkstemp(dir=path.parent, prefix=NAME)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(part, path)

"""pytest-benchmark's files of any suite -> rows of times.

A test's parameters are columns, beside its name, machine, commit and file. Files of
every version since 3.0 are read. `crossover report` and `recognise` call this.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossover.files.untrusted import InputError
from crossover.sources.foreign.held import (
    BENCHMARK,
    WHERE,
    Held,
    Row,
    as_text,
    checked,
    column_name,
    with_parts,
)
from crossover.sources.json_file import read_object
from crossover.sources.pytest_benchmark import saved_files

TOOL = "pytest-benchmark's JSON"
METRICS = ("data", "median", "mean")
GROUP = "group"
OWN = (BENCHMARK, GROUP, *WHERE)
_STATISTICS = ("median", "mean", "min", "max")
_ID = re.compile(r"([^\[]*)\[(.*)\]", re.DOTALL)
_COMMIT = 8


def read_files(paths: Sequence[Path], command: str) -> Held:
    """Read files, and the folders in which pytest-benchmark keeps them.

    A file of a folder that cannot be read is left out.

    Raises:
        InputError: when nothing can be read.
    """
    rows: list[Row] = []
    left_out: list[str] = []
    found = [
        (file, path.is_dir())
        for path in paths
        for file in (saved_files(path) if path.is_dir() else [path])
    ]
    for file, is_optional in found:
        try:
            fields = read_object(file)
            if not isinstance(fields.get("benchmarks"), list):
                raise InputError(f"{file}: benchmarks: missing; must be a list")
            rows += rows_of(fields, file.stem)
        except InputError as error:
            if not is_optional:
                raise
            left_out.append(str(error))
    if not rows and left_out:
        raise InputError(left_out[0])
    return held(rows, " ".join(map(str, paths)), command, left_out)


def held(
    rows: Sequence[Row], source: str, command: str, left_out: Sequence[str] = ()
) -> Held:
    """Return what the rows of some files hold."""
    return Held(
        TOOL, source, command, with_parts(rows), METRICS,
        synonyms={"contender name": BENCHMARK, "contender fullname": BENCHMARK},
        left_out=tuple(left_out),
    )  # fmt: skip


def rows_of(fields: dict[str, Any], file: str) -> list[Row]:
    """Return the rows of a file."""
    machine, commit = fields.get("machine_info"), fields.get("commit_info")
    machine = machine if isinstance(machine, dict) else {}
    commit = commit if isinstance(commit, dict) else {}
    hashed = as_text(commit.get("id") or "")[:_COMMIT]
    where = {
        "machine": as_text(machine.get("node") or ""),
        "python": as_text(machine.get("python_version") or ""),
        "commit": hashed + ("+dirty" if commit.get("dirty") is True else ""),
        "file": file,
    }
    records = [r for r in fields["benchmarks"] if isinstance(r, dict)]
    return [_row(record, where) for record in records]


def _row(record: dict[str, Any], where: dict[str, str]) -> Row:
    full = as_text(record.get("fullname") or record.get("name") or "")
    match = _ID.fullmatch(full)
    params = record.get("params")
    if isinstance(params, dict):
        named = {str(key): as_text(value) for key, value in params.items()}
    elif match:
        named = {f"param{i}": text for i, text in enumerate(match[2].split("-"), 1)}
    else:
        named = {}
    keys: dict[str, str] = {}
    for name, text in named.items():
        keys[column_name(name, [*OWN, *keys])] = text
    keys[BENCHMARK] = match[1] if match else full
    keys |= where
    extra = record.get("extra_info")
    others = {GROUP: as_text(record.get("group") or "")}
    if isinstance(extra, dict):
        others |= {
            str(key): as_text(value)
            for key, value in extra.items()
            if isinstance(value, str | int | float) and key not in keys
        }
    times, why = _times(record.get("stats"))
    is_single = "data" not in times
    return Row(keys, times, why, others, "median" if is_single else "")


def _times(stats: Any) -> tuple[dict[str, tuple[float, ...]], str]:
    """Return the rounds that were kept, or the statistics of them."""
    if not isinstance(stats, dict):
        return {}, "failed: no stats"
    times: dict[str, tuple[float, ...]] = {}
    why = ""
    data = stats.get("data")
    if isinstance(data, list) and data:
        kept, why = checked(data)
        times |= {"data": kept} if kept else {}
    for name in _STATISTICS:
        kept, _ = checked([stats.get(name)])
        times |= {name: kept} if kept else {}
    if not times:
        why = f"failed: stats.median = {stats.get('median')!r}"
    return times, why

"""asv's results folder -> a `Run` for every machine, commit and environment in it.

Result files of either format are read. Only benchmarks called `time_train` and the
like, with a case and a contender for parameters, hold our cells (docs/sources.md).
Nothing in the files is executed.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.nouns import Cell, Machine, Run
from crossover.sources import declared
from crossover.sources.as_run import (
    MOST_CELLS,
    Found,
    NoCellsError,
    Origin,
    machine_of,
    run_of,
    unrecorded,
)
from crossover.sources.asv_files import (
    MACHINE,
    check_version,
    result_files,
    unknown_commit,
)
from crossover.sources.json_file import List, Part, part, read_object, wrong
from crossover.spec.bounds import LARGEST
from crossover.workloads.workload import Workload

BENCHMARKS = ("time_train", "time_transfer", "track_accuracy", "peakmem_train")
_QUOTED = re.compile(r"'([^'\\]{1,3000})'(?: \(\d+\))?")
"""A parameter as asv writes it; equal ones are numbered."""
Number = StrictFloat | StrictInt
MEDIAN_ONLY = "asv kept only its median"
SKIPPED = "n/a in asv: skipped there, or not selected"
FAILED = "failed in asv, which keeps no reason"
TINY = 1e-12
"""The least that seconds or bytes may be."""
MACHINE_FIELDS = ("machine", "cpu", "num_cpu", "ram", "os", "arch")


class Result(Part):
    """One file: a commit in an environment on a machine."""

    commit_hash: StrictStr
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


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of ours: what the file holds of it, and the cell of each value."""

    name: str
    row: Row
    cells: tuple[Cell, ...]

    @property
    def kind(self) -> str:
        """The last part of its name, one of `BENCHMARKS`."""
        return self.name.rpartition(".")[2]

    def values(self) -> "Iterator[_Value]":
        """Go through its values."""
        missing = [None] * len(self.cells)
        values, samples = self.row.result or missing, self.row.samples or missing
        pairs = zip(self.cells, values, samples, strict=True)
        for i, (cell, value, raw) in enumerate(pairs):
            field = f"results.{self.name}.result.{i}"
            yield _Value(cell, field, value, tuple(raw or ()))


def load(file: Path) -> tuple[Result, list[Benchmark]]:
    """Read a result file and its benchmarks that may be ours.

    Raises:
        InputError: naming file, field and what is allowed, as for a parameter that is
            none of ours.
    """
    fields = read_object(file)
    check_version(file, fields)
    result = part(Result, fields, file)
    return result, [
        Benchmark(name, row, _cells(file, name, row))
        for name, value in result.results.items()
        if name.rpartition(".")[2] in BENCHMARKS
        and (row := _row(file, result, name, value)) is not None
    ]


def _row(file: Path, result: Result, name: str, value: Any) -> Row | None:
    """Return a benchmark in the newer format's terms, None if it is none of ours."""
    if isinstance(value, list):  # trailing columns without values are left out
        value = dict(zip(result.result_columns, value, strict=False))
    elif isinstance(value, dict):
        started = result.started_at.get(name)
        version = result.benchmark_version.get(name)
        value = {**value, "started_at": started, "version": version}
    params = value.get("params") if isinstance(value, dict) else None
    if not (isinstance(params, list) and len(params) == 2 and all(params)):
        return None
    row = part(Row, value, file, ("results", name))
    workload = declared.in_version(file, f"results.{name}.version", row.version)
    if not any(_is_case(text, workload) for text in row.params[0]):
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


def _is_case(text: str, workload: Workload) -> bool:
    try:
        workload.parse_case(_unquoted(text))
    except ValueError:
        return False
    return True


def _unquoted(text: str) -> str:
    match = _QUOTED.fullmatch(text)
    return match[1] if match else text


def _cells(file: Path, name: str, row: Row) -> tuple[Cell, ...]:
    workload = declared.in_version(file, f"results.{name}.version", row.version)
    try:
        cases = [workload.parse_case(_unquoted(text)) for text in row.params[0]]
        contenders = [Contender.parse(_unquoted(text)) for text in row.params[1]]
    except ValueError as error:
        raise InputError(f"{file}: results.{name}.params: {error}") from error
    return tuple(itertools.starmap(Cell, itertools.product(cases, contenders)))


def read_asv(reference: str, left_out: list[str] | None = None) -> list[Run]:
    """Read `DIR`, `DIR/MACHINE` or one file of it, each with `@COMMIT` or without.

    Args:
        reference: what the user named.
        left_out: gets in words which files of a folder cannot be read; if None, or for
            a file or a commit that was named, they are refused.

    Raises:
        InputError: naming file, field and what is allowed.
    """
    files, commit = result_files(reference)
    found, empty = [], []
    broken: list[InputError] = []
    for file in files:
        try:
            run = _read_file(file, commit)
        except NoCellsError as error:
            empty.append(error)
            continue
        except InputError as error:
            if left_out is None or commit or len(files) == 1:
                raise
            broken.append(error)
            continue
        found += [run] if run is not None else []
    if not (found or empty) and broken:
        raise broken[0]
    if left_out is not None:
        left_out += map(str, broken)
    if not found and empty:
        raise empty[0]
    if not found:
        raise unknown_commit(commit, reference, files)
    return found


def _read_file(file: Path, commit: str) -> Run | None:
    """Read a file; None where it is of another commit."""
    result, benchmarks = load(file)
    if not (result.commit_hash.startswith(commit) or file.stem.startswith(commit)):
        return None
    found = _found(file, benchmarks)
    if not found:
        must = "a benchmark time_train of a case and a contender"
        raise NoCellsError(f"{file}: results", must)
    cells = list(found.values())
    origin = Origin(
        tool="asv",
        name=f"{file.parent.resolve().name}-{file.stem}",
        file=str(file),
        commit=result.commit_hash[:12],
        machine=_machine(file, result, cells),
    )
    return run_of(origin, cells)


@dataclass(frozen=True)
class _Value:
    """What a row holds of one cell; `samples` empty where only the value was kept."""

    cell: Cell
    field: str
    value: float | None
    samples: tuple[float, ...]

    @property
    def ran(self) -> bool:
        """Whether there is a number: neither failed nor skipped."""
        is_nan = isinstance(self.value, float) and math.isnan(self.value)
        return self.value is not None and not is_nan

    def number(self, file: Path, value: float | None, least: float = TINY) -> float:
        """Return the value or a sample, which must be finite and not below `least`."""
        if value is None or not least <= value <= LARGEST:
            raise wrong(file, self.field, value, "must be a number > 0, null or NaN")
        return float(value)

    def times(self, file: Path, least: float = TINY) -> list[float]:
        """Return the samples, or the value alone, in seconds."""
        kept = self.samples or (self.value,)
        return [self.number(file, seconds, least) for seconds in kept]


def _found(file: Path, benchmarks: list[Benchmark]) -> dict[Cell, Found]:
    """Gather what the file holds of each cell that `time_train` names."""
    known = _read_if_there(file.parent.parent / "benchmarks.json")
    found: dict[Cell, Found] = {}
    of: dict[Cell, str] = {}
    for benchmark in benchmarks:
        if benchmark.kind != "time_train":
            continue
        name, started = benchmark.name, _utc(benchmark.row.started_at)
        one_process = _is_of_one_process(known.get(name), benchmark.row)
        for value in benchmark.values():
            if of.setdefault(value.cell, name) != name:
                too = f"is in results.{of[value.cell]} too"
                raise wrong(file, f"results.{name}", value.cell.id, too)
            new = Found(value.cell, notes=SKIPPED, started_utc=started)
            cell = found.setdefault(value.cell, new)
            cell.one_process = one_process
            if value.ran:
                cell.samples_s += value.times(file)
                cell.no_interval = None if value.samples else MEDIAN_ONLY
                cell.notes = ""
            elif value.value is None and not cell.samples_s:
                cell.status, cell.notes = "failed", FAILED
    for benchmark in benchmarks:
        _add(file, benchmark, found)
    return found


def _add(file: Path, benchmark: Benchmark, found: dict[Cell, Found]) -> None:
    """Add what another benchmark than `time_train` knows of the cells."""
    for value in benchmark.values():
        cell = found.get(value.cell)
        if cell is None or not value.ran:
            continue
        match benchmark.kind:
            case "time_transfer":
                cell.transfer_s += value.times(file, 0.0)
            case "track_accuracy":
                cell.accuracy = value.number(file, value.value, 0.0)
            case "peakmem_train":
                cell.peak_bytes = round(value.number(file, value.value))


def _utc(milliseconds: float | None) -> str:
    try:
        when = datetime.fromtimestamp((milliseconds or math.nan) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return when.isoformat(timespec="milliseconds")


def _is_of_one_process(entry: object, row: Row) -> bool:
    """Tell whether benchmarks.json says so of a benchmark, in the row's version."""
    if not isinstance(entry, dict) or entry.get("version") != row.version:
        return False
    rounds: object = entry.get("rounds", entry.get("processes"))  # so asv 0.4 calls it
    return rounds == 1


def _read_if_there(file: Path) -> dict[str, Any]:
    return read_object(file) if file.exists() else {}


def _machine(file: Path, result: Result, found: list[Found]) -> Machine:
    """Describe the machine by the six texts of asv, which knows no accelerator."""
    known = _read_if_there(file.parent / MACHINE)
    texts = {
        name: str(result.params.get(name) or known.get(name) or "")
        for name in MACHINE_FIELDS
    }
    used = [f.cell.contender for f in found if f.samples_s]
    packages = {name: v for name, v in result.requirements.items() if v}
    return machine_of(
        tuple(texts.values()),
        hostname=texts["machine"],
        cpu=texts["cpu"],
        cores=_integer(texts["num_cpu"]),
        memory_bytes=_integer(texts["ram"]),
        accelerators=unrecorded(used, "asv"),
        versions={"python": result.python, **{n: str(v) for n, v in packages.items()}},
        threads={f"{n} asked": str(v) for n, v in result.env_vars.items()},
    )


def _integer(text: str) -> int | None:
    """Read what a user may have written; asv writes cores and bytes in digits."""
    is_count = text.isascii() and text.isdigit() and len(text) < 20
    return (int(text) or None) if is_count else None

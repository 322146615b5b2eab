"""A JSON file of pytest-benchmark -> a `Run`.

Only benchmarks whose extra_info names a cell are read (docs/sources.md). Nothing in the
file is executed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from crossover.files.untrusted import InputError
from crossover.nouns import Cell, Machine, Run
from crossover.sources import declared
from crossover.sources.as_run import (
    UNKNOWN,
    Found,
    NoCellsError,
    Origin,
    machine_of,
    run_of,
    unrecorded,
)
from crossover.sources.json_file import List, Part, Texts, part, read_object, wrong
from crossover.spec.bounds import LARGEST
from crossover.spec.contenders import STAND_IN
from crossover.workloads.workload import Workload

Number = StrictFloat | StrictInt
Count = Annotated[StrictInt, Field(ge=1, le=int(LARGEST))]
Seconds = Annotated[Number, Field(ge=0, le=LARGEST)]
TINY = 1e-12
MEDIAN_ONLY = "pytest-benchmark kept no rounds"
FAILED = "pytest-benchmark recorded no statistics (stats.median = null)"
UNVERSIONED = "unversioned"


class Stats(Part):
    """The times of one benchmark; `data` only where the rounds were kept."""

    median: Seconds | None
    data: List[Seconds] | None = None


class Extra(Part):
    """What our suite adds to a benchmark."""

    cell_id: StrictStr
    view: Literal["train", "transfer"]
    calls: Count = 1
    loss: Number | None = None
    accuracy: Number | None = None
    threads: Count | None = None
    items: Seconds | None = None


class Benchmark(Part):
    """One benchmark of a file."""

    extra_info: dict[str, Any] = Field(default={})
    stats: Any = None


class Accelerator(Part):
    """What our suite says of an accelerator."""

    name: StrictStr
    description: StrictStr
    memory_bytes: StrictInt | None = None
    driver: StrictStr | None = None


class MachineInfo(Part):
    """What pytest-benchmark and our suite say of the machine."""

    node: StrictStr = ""
    system: StrictStr = ""
    machine: StrictStr = ""
    python_version: StrictStr = ""
    cpu: dict[str, Any] = Field(default={})
    cpu_name: StrictStr = ""
    accelerators: List[Accelerator] | None = None
    unavailable: Texts = Field(default={})
    versions: Texts = Field(default={})
    threads: dict[str, Any] = Field(default={})
    blas: StrictStr = ""


class Document(Part):
    """The whole file."""

    machine_info: MachineInfo = Field(default=MachineInfo())
    commit_info: dict[str, Any] = Field(default={})
    benchmarks: List[Benchmark]
    datetime: StrictStr = ""
    version: StrictStr = UNKNOWN


def read_pytest_benchmark(file: Path) -> Run:
    """Read a file written by `--benchmark-json`, `--benchmark-save` or `-autosave`.

    Raises:
        InputError: naming file, field and what is allowed.
    """
    fields = read_object(file)
    if "benchmarks" not in fields:
        raise InputError(
            f"{file}: benchmarks: missing; must be a JSON file of pytest-benchmark"
        )
    must = "one whose extra_info names a cell"
    if not _may_name_cells(fields["benchmarks"]):
        raise NoCellsError(f"{file}: benchmarks", must)
    document = part(Document, fields, file)
    workload = declared.in_file(file, fields)
    found = _found(file, document, workload)
    if not found:
        raise NoCellsError(f"{file}: benchmarks", must)
    _add_missing(document.machine_info, found, workload)
    commit = document.commit_info.get("id")
    commit = commit[:12] if isinstance(commit, str) and commit != UNVERSIONED else None
    names = (document.machine_info.node, commit, file.stem)
    origin = Origin(
        tool="pytest-benchmark",
        name="-".join(name for name in names if name),
        file=str(file),
        commit=commit,
        machine=_machine(document, found.values()),
    )
    return run_of(origin, list(found.values()))


def _may_name_cells(benchmarks: object) -> bool:
    """Tell whether benchmarks are broken, or one says of which of our cells it is."""
    if not isinstance(benchmarks, list):
        return True
    extras = [b.get("extra_info") for b in benchmarks if isinstance(b, dict)]
    is_odd = len(extras) < len(benchmarks)
    return is_odd or any(isinstance(e, dict) and "cell_id" in e for e in extras)


def read_saved(path: Path, left_out: list[str] | None = None) -> list[Run]:
    """Read a file, or all in a folder such as .benchmarks that hold our cells.

    Args:
        path: what the user named.
        left_out: gets in words which files of a folder cannot be read; None: refuse.

    Raises:
        InputError: when nothing can be read.
    """
    if not path.is_dir():
        return [read_pytest_benchmark(path)]
    found, errors = [], []
    for file in saved_files(path):
        try:
            found.append(read_pytest_benchmark(file))
        except NoCellsError as error:
            errors.append(error)
        except InputError as error:
            if left_out is None:
                raise
            left_out.append(str(error))
    if not found:
        raise errors[0] if errors else InputError(str((left_out or [""])[0]))
    return found


def saved_files(folder: Path) -> list[Path]:
    """Return the files that pytest-benchmark saved in a folder and those in it.

    Raises:
        InputError: when there is none.
    """
    found = sorted(file for file in folder.rglob("*.json") if file.is_file())
    if not found:
        raise InputError(
            f"from_pytest_benchmark = {str(folder)!r}: holds no .json file; must be a "
            "file, or a folder of such, as .benchmarks"
        )
    return found


def _found(file: Path, document: Document, workload: Workload) -> dict[Cell, Found]:
    """Gather what the file holds of each cell that was trained."""
    found: dict[Cell, Found] = {}
    moved: dict[Cell, list[float]] = {}
    started = _utc(document.datetime)
    for i, benchmark in enumerate(document.benchmarks):
        if "cell_id" not in benchmark.extra_info:
            continue
        extra = part(Extra, benchmark.extra_info, file, ("benchmarks", i, "extra_info"))
        stats = part(Stats, benchmark.stats, file, ("benchmarks", i, "stats"))
        cell = _cell(file, i, extra.cell_id, workload)
        if cell in (found if extra.view == "train" else moved):
            field = f"benchmarks.{i}.extra_info.cell_id"
            raise wrong(file, field, extra.cell_id, f"must have one {extra.view} only")
        if stats.median is None:
            if extra.view == "train":
                found[cell] = Found(cell, status="failed", notes=FAILED)
            continue
        samples = [float(seconds) for seconds in stats.data or (stats.median,)]
        if extra.view == "transfer":
            moved[cell] = [seconds / extra.calls for seconds in samples]
            continue
        if min(samples) < TINY:
            must = "must be seconds > 0"
            raise wrong(file, f"benchmarks.{i}.stats", min(samples), must)
        found[cell] = Found(
            cell,
            samples_s=samples,
            calls_per_sample=extra.calls,
            no_interval=None if stats.data else MEDIAN_ONLY,
            one_process=True,
            threads=extra.threads,
            loss=extra.loss,
            accuracy=extra.accuracy,
            items=extra.items,
            started_utc=started,
        )
    for cell in found.keys() & moved.keys():
        found[cell].transfer_s = moved[cell]
    return found


def _cell(file: Path, i: int, cell_id: str, workload: Workload) -> Cell:
    try:
        return workload.parse_cell(cell_id)
    except ValueError as error:
        where = f"{file}: benchmarks.{i}.extra_info.cell_id"
        raise InputError(f"{where}: {error}") from error


def _add_missing(
    machine: MachineInfo, found: dict[Cell, Found], workload: Workload
) -> None:
    """Add the cells of a missing accelerator, where the machine's record says why.

    A test that was skipped leaves no trace.
    """
    reason = machine.unavailable.get(STAND_IN)
    if reason is None or any(cell.contender.device != "cpu" for cell in found):
        return
    for case in dict.fromkeys(cell.case for cell in found):
        cell = Cell(case, workload.contender(STAND_IN))
        found[cell] = Found(cell, notes=f"{STAND_IN}: {reason}")


def _machine(document: Document, found: Iterable[Found]) -> Machine:
    m = document.machine_info
    brand, cores = m.cpu.get("brand_raw") or m.cpu.get("brand"), m.cpu.get("count")
    cpu = m.cpu_name or (brand if isinstance(brand, str) else "")
    used = [f.cell.contender for f in found if f.samples_s]
    described = [a.model_dump() for a in m.accelerators or ()]
    return machine_of(
        (m.node, m.system, m.machine, cpu, cores, described),
        hostname=m.node,
        cpu=cpu,
        cores=cores if isinstance(cores, int) and cores > 0 else None,
        accelerators=unrecorded(used, "pytest-benchmark")
        if m.accelerators is None
        else tuple(described),
        unavailable=m.unavailable,
        versions={
            "python": m.python_version or UNKNOWN,
            "pytest-benchmark": document.version,
            **m.versions,
        },
        threads=_threads(m),
    )


def _threads(m: MachineInfo) -> dict[str, object]:
    """Return what is known of threads and BLAS, nothing of another shape."""
    known: dict[str, object] = {
        name: value for name, value in m.threads.items() if isinstance(value, int | str)
    }
    if m.blas:
        known["blas"] = m.blas
    pools = m.threads.get("pools")
    if isinstance(pools, list):
        keys = ("user_api", "internal_api", "num_threads")
        dicts = (pool for pool in pools if isinstance(pool, dict))
        known["pools"] = [{key: str(pool.get(key)) for key in keys} for pool in dicts]
    return known


def _utc(text: str) -> str:
    try:
        when = datetime.fromisoformat(text)
        aware = when if when.tzinfo else when.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):  # no date, or one before the year 1
        return ""

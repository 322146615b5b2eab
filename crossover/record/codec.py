"""What run.json and the lines of measurements.jsonl hold: text in, checked nouns out.

The header's `schema` is that of both files. A newer one is refused, with the version
of crossover that reads it, which its writer recorded; older ones are read. A field
that is added with a default needs no new schema; tests/fixtures/schema keeps a run
directory of each.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossover.contender import BEST, Contender
from crossover.files.refusals import first_wrong
from crossover.files.untrusted import (
    MIB,
    InputError,
    Unreadable,
    clean,
    parse_json,
    shown,
)
from crossover.nouns import (
    SCHEMA,
    Case,
    Cell,
    Circumstances,
    Machine,
    Measurement,
    Run,
    UserFile,
    field_names,
)
from crossover.record.chain import CHECK
from crossover.record.invariants import breaches
from crossover.record.line import CELL, EMPTY, EXTRA, REST, parted, plain
from crossover.spec.bounds import LARGEST, MOST_ROUNDS
from crossover.spec.spec import Spec, known_keys
from crossover.workloads.softmax import SOFTMAX, Softmax
from crossover.workloads.sound import check_declared
from crossover.workloads.workload import Workload

OLDEST = 1
NEEDS = "0.1.0"
"""The first version of crossover that reads `SCHEMA`."""
MOST_HEADER = 2 * MIB
MOST_LINE = MIB
MOST_JOURNAL = 256 * MIB
DESCRIBED = {"name": str, "description": str, "memory_bytes": int | None}
"""The fields of an accelerator that a report shows, and their types."""
NUMBERS = (int, float)
FIELDS = field_names(Measurement)
POOLED = ("internal_api", "num_threads")


class Header(BaseModel):
    """What run.json holds; schemas 1 and 2 name no workload, as all are softmax."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    schema_: int = Field(alias="schema")
    workload: Workload = SOFTMAX
    spec: dict[str, Any]
    commit: str | None
    command: str
    machine: Machine
    user_file: UserFile | None = None
    others: dict[str, Circumstances] = {}


def header(run: Run) -> str:
    """Return run.json."""
    fields = {
        "run_id": run.run_id,
        "schema": SCHEMA,
        "workload": dataclasses.asdict(run.spec.declared),
        "spec": run.spec.model_dump(mode="json"),
        "commit": run.commit,
        "command": run.command,
        "machine": dataclasses.asdict(run.machine),
        "user_file": run.user_file and dataclasses.asdict(run.user_file),
        "others": {name: dataclasses.asdict(c) for name, c in run.others.items()},
        "needs": NEEDS,
    }
    return json.dumps(fields, indent=2) + "\n"


def line(measurement: Measurement) -> str:
    """Return a line of measurements.jsonl."""
    fields = {name: getattr(measurement, name) for name in FIELDS}
    for name in EXTRA:
        if fields[name] in EMPTY:
            del fields[name]
    fields["case"] = dict(measurement.case.values)
    fields["contender"] = vars(measurement.contender)
    return json.dumps(fields) + "\n"


def read_header(text: str) -> Run:
    """Return a run without its measurements; only `schema` tells if it is older.

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    fields = clean(parse_json(text))
    _check_schema(fields)
    try:
        read = Header.model_validate_json(json.dumps(fields), strict=True)
        check_declared(read.workload)
        spec = Spec.model_validate_json(
            json.dumps(read.spec), context={"workload": read.workload}
        )
    except ValidationError as error:
        why = first_wrong(error, known=lambda at: known_keys(read.workload, at))
        raise Unreadable(why) from error
    except ValueError as error:
        raise Unreadable(f"workload: {error}") from error
    _check_texts(spec)
    for machine in (read.machine, *(c.machine for c in read.others.values())):
        _check_machine(machine)
    head = read.run_id, read.schema_, spec, read.commit, read.command, read.machine
    file, others = read.user_file, read.others
    return Run(*head, measurements=(), user_file=file, others=others)


class _Declaring(BaseModel):
    """The field of a file that may hold the declaration of a user's file."""

    model_config = ConfigDict(extra="ignore")

    workload: Workload | None = None


def read_workload(fields: Any) -> Workload | None:
    """Return the workload that a file's fields declare; None if they declare none.

    Raises:
        InputError: when it is no declaration.
    """
    try:
        found = _Declaring.model_validate_json(json.dumps(fields), strict=True)
        if found.workload is not None:
            check_declared(found.workload)
    except ValidationError as error:
        raise Unreadable(first_wrong(error)) from error
    except ValueError as error:
        raise Unreadable(f"workload: {error}") from error
    return found.workload


def _check_schema(fields: Any) -> None:
    schema = fields.get("schema") if isinstance(fields, dict) else None
    if type(schema) is int and OLDEST <= schema <= SCHEMA:
        return
    older = ", ".join(f"or schema {n}" for n in range(OLDEST, SCHEMA))
    must = f"must have schema {SCHEMA}, which this version reads, {older}"
    if type(schema) is not int or schema < OLDEST:
        raise Unreadable(f"{must}; has {shown(schema)}")
    needed = fields.get("needs")
    version = needed if isinstance(needed, str) else "a later version"
    raise Unreadable(
        f"{must}; has {shown(schema)}, which needs crossover {version[:40]}, and this "
        f"is {_version()}"
    )


def _check_texts(spec: Spec) -> None:
    """Check that contenders can be parsed; their trainers need not be known here."""
    try:
        for text in spec.contenders:
            Contender.parse(text)
        for sweep in spec.sweep:
            spec.contenders_of(sweep)
    except ValueError as error:
        raise Unreadable(f"spec: {error}") from error


def _version() -> str:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("softmax-crossover")
    return "another"


def _check_machine(machine: Machine) -> None:
    _check_numbers("machine", vars(machine))
    for i, accelerator in enumerate(machine.accelerators):
        for name, kind in DESCRIBED.items():
            value = accelerator.get(name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise Unreadable(
                    f"machine.accelerators.{i}.{name} = {shown(value)}: must be "
                    f"{'a text' if kind is str else 'an integer or null'}"
                )
    pools = machine.threads.get("pools", [])
    if not isinstance(pools, list) or not all(
        isinstance(pool, dict) and all(name in pool for name in POOLED)
        for pool in pools
    ):
        must = f"must be a list of objects with {' and '.join(POOLED)}"
        raise Unreadable(f"machine.threads.pools = {shown(pools)}: {must}")


class LineReader:
    """Reads the lines of a workload's measurements.jsonl."""

    def __init__(self, workload: Workload) -> None:
        self._workload, self._plain = workload, plain(workload)
        self._cells: dict[str, Cell] = {}

    def __call__(self, text: str) -> Measurement:
        """Return the measurement that a line holds.

        Raises:
            InputError: naming the field, its value and what is allowed.
        """
        if len(text) > MOST_LINE:
            raise Unreadable(f"must be at most {MOST_LINE // MIB} MiB")
        try:
            named, others = parted(text, self._plain) or _parted_slowly(text)
            cell = self._cells.get(named)
            if cell is None:
                cell = self._cells[named] = _read_cell(named, self._workload)
            rest = REST.validate_json(others, strict=True)
        except ValidationError as error:
            raise Unreadable(first_wrong(error)) from error
        m = object.__new__(Measurement)  # its own way takes a third of the time
        fields = vars(rest)
        fields["case"], fields["contender"] = cell.case, cell.contender
        if fields["work"] is None:  # of schema 1 or 2
            is_old = self._workload == SOFTMAX
            fields["work"] = _work_of_old(cell.case) if is_old else {}
        object.__setattr__(m, "__dict__", fields)
        if m.status == "ok" and not m.samples_s:
            must = "must hold a time, as status is ok"
            raise wrong("samples_s", m.samples_s, must)
        return m


def _parted_slowly(text: str) -> tuple[str, str]:
    """Part a line that crossover did not write as it does today: edited, or older.

    Raises:
        Unreadable: when it is no object that names a cell.
    """
    fields = clean(parse_json(text))
    if not isinstance(fields, dict):
        raise Unreadable(f"{shown(fields)}: must be an object")
    if CHECK in fields:
        raise wrong(CHECK, fields[CHECK], "must end the line, as it was written")
    cell = {name: fields.pop(name) for name in CELL if name in fields}
    held = fields.get("peak_bytes")
    if not isinstance(held, dict):  # of schema 1 or 2
        who = cell.get("contender")
        device = str(who.get("device")) if isinstance(who, dict) else ""
        fields["peak_bytes"] = {} if held is None else {device: held}
    return json.dumps(cell), json.dumps(fields)


@lru_cache(maxsize=10_000)
def _work_of_old(case: Case) -> dict[str, float]:
    return Softmax().work(case)


class _NamedCell(BaseModel):
    """A cell as a line names it."""

    case: dict[str, Any]
    contender: Contender


@lru_cache(maxsize=10_000)
def _read_cell(text: str, workload: Workload) -> Cell:
    named = _NamedCell.model_validate_json(text, strict=True)
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in named.case.items()
    }
    try:
        cell = Cell(_shared(workload.case(**values)), named.contender)
    except ValueError as error:
        raise Unreadable(f"case: {error}") from error
    _check_cell(cell)
    return cell


@lru_cache(maxsize=10_000)
def _shared(case: Case) -> Case:
    """Return one object for all cases that are equal."""
    return case


def again(run: Run) -> Run:
    """Return a run as it is read back once it is written.

    Raises:
        InputError: when it would be refused.
    """
    known = run.spec.declared
    read = LineReader(known)
    rows = tuple(read(line(m)) for m in run.measurements)
    check_rounds(rows)
    whole = dataclasses.replace(read_header(header(run)), measurements=rows)
    for _, breach in breaches(whole, rows):
        raise wrong(breach.field, breach.value, breach.must)
    return whole


def check_rounds(rows: Sequence[Measurement]) -> None:
    """Refuse more rounds of a cell than a plan takes and an analysis can bear."""
    counts = Counter(m.cell_id for m in rows if m.status == "ok")
    for name, rounds in counts.most_common(1):
        if rounds > MOST_ROUNDS:
            must = f"must be at most {MOST_ROUNDS:,}"
            raise Unreadable(f"rounds of {name} = {rounds:,}: {must}")


def _check_cell(cell: Cell) -> None:
    _check_numbers("case.", dict(cell.case.values))
    text = str(cell.contender)
    is_one = False
    with suppress(ValueError):
        is_one = Contender.parse(text) == cell.contender
    if not is_one:
        must = "must be DEVICE[/TRAINER][@[RANKSx]THREADS], such as cpu/resident@1"
        raise wrong("contender", text, must)
    if cell.contender.trainer == BEST:
        raise wrong("contender", text, f"must be one that was measured, not {BEST}")


def _check_numbers(where: str, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        kind = type(value)
        if kind is str or value is None:
            continue
        for number in value if kind is tuple else (value,):
            if type(number) in NUMBERS and not -LARGEST <= number <= LARGEST:
                raise wrong(f"{where}{name}", number, f"must be within {LARGEST:g}")


def wrong(field: str, value: object, must: str) -> InputError:
    """Return what is raised for a value of a stored file."""
    return Unreadable(f"{field} = {shown(value)}: {must}")

"""What another tool recorded of our cells -> a `Run`, as if `crossover run` made it.

`asv` and `pytest_benchmark` bring the cells; the command line stores and reports.
"""

import dataclasses
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crossover.analysis.flags import NO_INTERVAL
from crossover.contender import Contender
from crossover.crossing.decide import FEWEST_ROUNDS
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, file_name, shown
from crossover.nouns import SCHEMA, Case, Cell, Machine, Measurement, Run, by_device
from crossover.record.codec import again
from crossover.sources.sweeps_of_cells import clipped, sweeps
from crossover.spec.bounds import MOST_ROUNDS
from crossover.spec.spec import Spec
from crossover.workloads.softmax import SOFTMAX, Softmax

UNKNOWN = "unknown"
MOST_CELLS = 10_000
MOST_TIMES = 2_000_000


class NoCellsError(InputError):
    """A file that is in order but holds no cell of ours."""

    def __init__(self, where: str, must: str) -> None:
        super().__init__(
            f"{where}: must hold {must}; for other benchmarks use `crossover report` "
            "with --axis and --contender"
        )


@dataclass
class Found:
    """One cell as a tool recorded it; `samples_s` empty where it did not run."""

    cell: Cell
    samples_s: list[float] = field(default_factory=list)
    """Seconds of each sample, in the order taken."""
    transfer_s: list[float] = field(default_factory=list)
    calls_per_sample: int = 1
    no_interval: str | None = None
    """Why the tool kept no raw samples; None if it did."""
    one_process: bool = False
    status: str = "unavailable"
    """Where it did not run: `failed`, or `unavailable` if it was not to run."""
    notes: str = ""
    peak_bytes: int | None = None
    threads: int | None = None
    loss: float | None = None
    accuracy: float | None = None
    items: float | None = None
    started_utc: str = ""

    def measurements(self, run_id: str) -> list[Measurement]:
        """Return a round for each sample, or one that says why there is none.

        A round has a transfer time only where as many transfers were timed.
        """
        case, contender = self.cell.case, self.cell.contender
        row = Measurement(
            self.cell.id, run_id, 0, self.status, case, contender,
            notes=self.notes, started_utc=self.started_utc,
        )  # fmt: skip
        if not self.samples_s:
            return [row]
        row = dataclasses.replace(
            row,
            status="ok",
            calls_per_sample=self.calls_per_sample,
            work=Softmax().work(case) if case.workload == SOFTMAX else {},
            peak_bytes=by_device(contender.device, self.peak_bytes),
            threads=self.threads,
            loss=self.loss,
            accuracy=self.accuracy,
            items=self.items,
            # The suites compare softmax regression with its reference, no others.
            verified=False if case.workload.is_users else None,
            flags=self.flags(),
        )
        moved = [*self.transfer_s, *[None] * len(self.samples_s)]
        return [
            dataclasses.replace(row, round=i, samples_s=(s,), transfer_s=moved[i])
            for i, s in enumerate(self.samples_s)
        ]

    def flags(self) -> tuple[str, ...]:
        """Return what keeps the samples from being what `crossover run` records."""
        why = self.no_interval
        if why is None and len(self.samples_s) < FEWEST_ROUNDS:
            why = f"{len(self.samples_s)} samples, fewer than {FEWEST_ROUNDS}"
        raised = {
            "unpaired": True,
            "one_process": self.one_process and why is None,
            f"{NO_INTERVAL}: {why}": why is not None,
        }
        return tuple(name for name, is_raised in raised.items() if is_raised)


@dataclass(frozen=True)
class Origin:
    """Where cells come from."""

    tool: str
    name: str
    """The run's name, which no other run of the same folder has."""
    file: str
    commit: str | None
    machine: Machine


def run_of(origin: Origin, found: Sequence[Found]) -> Run:
    """Make a run of a tool's cells: its sweeps and pairs follow from the cells.

    Raises:
        InputError: when no two contenders are there to compare, or more than can be.
    """
    _check_sizes(origin, found)
    _check_workload(origin, found)
    with refusing("file", origin.file):
        return again(_run_of(origin, found))


def _check_sizes(origin: Origin, found: Sequence[Found]) -> None:
    times = sum(len(f.samples_s) + len(f.transfer_s) for f in found)
    for what, number, most in (
        ("cells", len(found), MOST_CELLS),
        ("times", times, MOST_TIMES),
    ):
        if number > most:
            raise InputError(
                f"{origin.file}: {what} = {number:,}: must be at most {most:,}"
            )


def _check_workload(origin: Origin, found: Sequence[Found]) -> None:
    names = dict.fromkeys(f.cell.case.workload for f in found)
    if len(names) > 1:
        told = " and ".join(shown(workload.name) for workload in names)
        raise InputError(f"{origin.file}: workload = {told}: must be one in all cells")


def _run_of(origin: Origin, found: Sequence[Found]) -> Run:
    workload = found[0].cell.case.workload
    renamed = clipped(workload, {f.cell.case for f in found})
    for f in found:
        f.cell = Cell(renamed.get(f.cell.case, f.cell.case), f.cell.contender)
    _thin(found)
    _spread(found)
    asked = sweeps(
        workload,
        [f.cell for f in found if f.samples_s or f.status == "failed"],
        [f.cell for f in found if not f.samples_s and f.status != "failed"],
    )
    contenders = tuple(dict.fromkeys(str(f.cell.contender) for f in found))
    if not asked:
        raise InputError(
            f"{origin.file}: contender = {', '.join(contenders[:5])}: must be at least "
            "two that trained the same case"
        )
    fields = {
        "name": origin.tool,
        "workload": workload.name,
        "contenders": contenders,
        "pairs": tuple(dict.fromkeys(p for sweep in asked for p in sweep.pairs)),
        "sweep": tuple(asked),
        "rounds": max(2, *(len(f.samples_s) for f in found)),
        "grid": True,
        "control": False,
    }
    spec = Spec.model_validate(fields, context={"workload": workload})
    run_id = file_name(origin.name)
    return Run(
        run_id,
        SCHEMA,
        spec,
        origin.commit,
        shlex.join(["crossover", "report", f"--from-{origin.tool}", origin.file]),
        origin.machine,
        tuple(m for f in found for m in f.measurements(run_id)),
    )


def _thin(found: Sequence[Found]) -> None:
    """Keep as many samples of a cell as can be analysed, evenly over its time."""
    for f in found:
        n, most = len(f.samples_s), MOST_ROUNDS
        if n > most:
            f.samples_s = [f.samples_s[i * n // most] for i in range(most)]
            f.notes = f"{most:,} of {n:,} samples, evenly; {f.notes}".strip("; ")


def _spread(found: Sequence[Found]) -> None:
    """Let every contender's first rounds span all the time that it was measured in.

    Rounds are compared by their number. Where a contender has more samples of a case
    than another, its first ones alone would be those of the tool's first process.
    """
    fewest: dict[Case, int] = {}
    raw = [f for f in found if f.no_interval is None and f.samples_s]
    for f in raw:
        case, n = f.cell.case, len(f.samples_s)
        fewest[case] = min(n, fewest.get(case, n))
    for f in raw:
        n, least = len(f.samples_s), fewest[f.cell.case]
        first = [i * n // least for i in range(least)]
        rest = sorted(set(range(n)) - set(first))
        f.samples_s = [f.samples_s[i] for i in (*first, *rest)]


def machine_of(identity: object, **known: Any) -> Machine:
    """Describe the machine of a tool's record; what it does not say is unknown.

    Args:
        identity: what tells it from others; hashed.
        known: fields of `Machine`; one that is empty is not known.
    """
    machine = Machine(UNKNOWN, UNKNOWN, None, None, None, None, (), {}, {}, {}, "")
    fingerprint = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
    told = {name: value for name, value in known.items() if value}
    return dataclasses.replace(machine, fingerprint=fingerprint, **told)


def unrecorded(
    contenders: Sequence[Contender], tool: str
) -> tuple[dict[str, object], ...]:
    """Return accelerators of which a tool says no more than that they were used."""
    devices = dict.fromkeys(c.device for c in contenders if c.device != "cpu")
    names = list(devices) or [UNKNOWN]
    return tuple(
        {
            "name": name,
            "description": f"{name} (not described by {tool})",
            "memory_bytes": None,
        }
        for name in names
    )

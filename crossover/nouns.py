"""Every noun of the system, as frozen dataclasses; standard library only.

The unit is in the name (`_s` seconds, `_bytes`); what is missing is None, never 0.
"""

import re
import statistics
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossover.spec.spec import Spec
    from crossover.workloads.workload import Workload

SCHEMA = 3
VIEWS = ("train", "with_transfer", "from_scratch")
OUTCOMES = ("found", "always", "never", "not_monotone", "inconclusive", "not_measured")
STATUSES = ("ok", "oom", "timeout", "crashed", "failed", "unavailable")
BEST = "best"

_CONTENDER = re.compile(
    r"(?P<device>[a-z][a-z0-9_]*(?::\d{1,4})?)(?:/(?P<trainer>[a-z][a-z0-9_]*))?"
    r"(?:@(?:(?P<ranks>\d{1,6})x)?(?P<threads>\d{1,6}))?(?:#(?P<copy>\d{1,6}))?",
    re.ASCII,
)


class InputError(ValueError):
    """Bad input: one line that names the field, the value and what is allowed."""


@dataclass(frozen=True, eq=False)
class Case:
    """One job: its workload's sizes and settings by name, in the workload's order.

    A value that holds no meaning, such as that of the axis along a sweep, is None. Two
    cases are alike where the workload's name and all values are.
    """

    workload: "Workload" = field(repr=False)
    values: tuple[tuple[str, object], ...]

    def __post_init__(self) -> None:
        # A case is a key of every table: hashing ten values again costs the most there.
        object.__setattr__(self, "_named", dict(self.values))
        key = self.workload.name, self.values
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_hash", hash(key))

    def __hash__(self) -> int:
        known: int = vars(self)["_hash"]
        return known

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Case):
            return NotImplemented
        alike: bool = vars(self)["_key"] == vars(other)["_key"]
        return alike

    def __getitem__(self, name: str) -> Any:
        """Return the value of a size or setting.

        Raises:
            KeyError: if the case has none of that name.
        """
        return vars(self)["_named"][name]

    def at(self, **values: object) -> "Case":
        """Return the case with other values.

        Raises:
            KeyError: for a name that the case does not have.
        """
        for name in values:
            self[name]
        pairs = tuple((name, values.get(name, value)) for name, value in self.values)
        return Case(self.workload, pairs)

    def without(self, *names: str) -> "Case":
        """Return the case with no meaning in some of its values: what a sweep keeps."""
        return self.at(**dict.fromkeys(filter(None, names)))

    @property
    def repeats(self) -> int:
        """How often the job repeats what time is proportional to; 1 if nothing."""
        repeating = self.workload.repeating
        known: int = self[repeating] if repeating else 1
        return known

    @property
    def id(self) -> str:
        """Name the case: `n1500-d2-c3-b10-e3`."""
        return self.workload.case_id(self)


@dataclass(frozen=True, order=True)
class Contender:
    """How a case is trained; text form `DEVICE[/TRAINER][@[RANKSx]THREADS]`.

    Ranks are processes that share a training, each with so many threads. The A/A
    control measures a contender against a copy of itself in a process of its own; the
    copy's text form ends in `#1`.
    """

    device: str
    trainer: str = "resident"
    threads: int | None = None
    copy: int = 0
    ranks: int = 1

    @classmethod
    def parse(cls, text: str, usual: str = "resident") -> "Contender":
        """Read the text form.

        Args:
            text: as it is typed.
            usual: the trainer meant where none is named.

        Raises:
            InputError: when the text is not of that form.
        """
        match = _CONTENDER.fullmatch(text)
        if match is None:
            raise InputError(
                f"contender = {text!r}: must be DEVICE[/TRAINER][@[RANKSx]THREADS], "
                "such as cpu/resident@1 or cuda:0/lesson"
            )
        return cls(
            match["device"],
            match["trainer"] or usual,
            int(match["threads"]) if match["threads"] else None,
            int(match["copy"] or 0),
            1 if match["ranks"] is None else int(match["ranks"]),
        )

    def covers(self, other: "Contender") -> bool:
        """Tell whether this name stands for a measured contender.

        `best` stands for every trainer, no thread count for any; never for a copy, nor
        one device for several.
        """
        any_ranks = self.threads is None and self.device == "cpu"
        return (
            self.device == other.device
            and self.trainer in (BEST, other.trainer)
            and self.threads in (None, other.threads)
            and (any_ranks or self.ranks == other.ranks)
            and self.copy == other.copy
        )

    def __str__(self) -> str:
        ranks = "" if self.ranks == 1 else f"{self.ranks}x"
        threads = "" if self.threads is None else f"@{ranks}{self.threads}"
        copy = f"#{self.copy}" if self.copy else ""
        return f"{self.device}/{self.trainer}{threads}{copy}"


@dataclass(frozen=True)
class Cell:
    """One case trained by one contender."""

    case: Case
    contender: Contender

    @property
    def id(self) -> str:
        """Name the cell, readable and stable: `n1500-d2-c3-b10-e3:cpu/resident@1`."""
        return f"{self.case.id}:{self.contender}"


def by_device(device: str, n_bytes: int | None) -> dict[str, int]:
    """Return the memory that one device held; empty if unknown."""
    return {} if n_bytes is None else {device: n_bytes}


@dataclass(frozen=True)
class Measurement:
    """One round of one cell, raw; derived numbers are never stored here."""

    cell_id: str
    run_id: str
    round: int
    status: str
    case: Case
    contender: Contender
    positions: tuple[int, ...] = ()
    """Where in the round's order each sample was taken, from 0."""
    samples_s: tuple[float, ...] = ()
    """Each sample: `calls_per_sample` trainings of `epochs_run` epochs."""
    samples_j: tuple[float, ...] = ()
    """Joules of each sample, empty where its energy could not be measured."""
    energy_of: str = ""
    """The counters that the joules are the sum of: `package-0 + board`."""
    calls_per_sample: int = 1
    work: dict[str, float] = field(default_factory=dict, hash=False)
    """How often one training pays each of the workload's costs; `byte`: data moved."""
    epochs_run: int | None = None
    """Less than the case repeats where the time is scaled up: an extrapolated cell."""
    setup_s: float | None = None
    """Device context, building the model, and what the first call cost extra."""
    transfer_s: float | None = None
    warmup_s: tuple[float, ...] = ()
    peak_bytes: dict[str, int] = field(default_factory=dict, hash=False)
    """The most memory that was held, by device; empty if unknown."""
    launches_per_step: float | None = None
    """Kernels that a step would launch on an accelerator, counted; None if unknown."""
    threads: int | None = None
    """CPU threads read back from torch, whatever was asked."""
    load_1min: float | None = None
    """The machine's load average at the round's end, the worker's own load included."""
    throttled_periods: int | None = None
    """Periods of this round in which the container's CPU quota stopped us."""
    clock_share: float | None = None
    """The accelerator's clock while it had work, as a share of its highest."""
    loss: float | None = None
    accuracy: float | None = None
    bound_s: float | None = None
    """Of a timeout: one training of the case takes at least so long."""
    notes: str = ""
    started_utc: str = ""
    elapsed_s: float | None = None
    """How long the run had measured when this was recorded, interruptions left out."""
    in_round: int | None = None
    """How many contenders were recorded of this round, at once."""
    flags: tuple[str, ...] = ()
    """What the tool that measured it does otherwise than `crossover run`."""
    waited_s: float | None = None
    """How long its threads waited for a core while the samples were taken."""
    latency: dict[str, float] = field(default_factory=dict, hash=False)
    """Seconds of single calls by what they are of all calls: `p50`, `p99`."""
    verified: bool | None = None
    """Whether equal work was shown; None where nobody said."""
    discarded: str = ""
    """Why the round counts for nothing; empty if it counts."""
    settings: dict[str, str] = field(default_factory=dict, hash=False)
    """What the process was set to beside the case, by name."""
    items: float | None = None
    """What one training works on, as the workload counts it: images, tokens."""
    affinity: tuple[int, ...] = ()
    """The cores that its threads could run on."""

    @property
    def train_s(self) -> float:
        """The seconds of one training, of all of the case's epochs."""
        repeats = self.case.repeats
        # not numpy's: for a few values it takes thirty times as long
        timed_s = statistics.median(self.samples_s) / self.calls_per_sample
        return timed_s * (repeats / (self.epochs_run or repeats))


@dataclass(frozen=True)
class Machine:
    """Where a run was measured."""

    hostname: str
    cpu: str
    cores: int | None
    quota_cores: float | None
    memory_bytes: int | None
    load_1min: float | None
    accelerators: tuple[dict[str, object], ...]
    unavailable: dict[str, str]
    """Device kinds asked about that torch cannot use here, and why."""
    versions: dict[str, str]
    threads: dict[str, object]
    fingerprint: str
    energy_unmeasured: str | None = None
    """Why the energy of which devices is not measured; None where it is, of all."""
    trainers: dict[str, str] = field(default_factory=dict)
    """By `device/trainer`: what is missing to train so, "" where nothing is."""

    @property
    def cores_text(self) -> str:
        """The cores in words."""
        return f"{'an unknown number of' if self.cores is None else self.cores} cores"

    @property
    def memory_text(self) -> str:
        """The memory in words."""
        known = self.memory_bytes
        return "unknown memory" if known is None else f"{known / 2**30:.1f} GiB"


@dataclass(frozen=True)
class UserFile:
    """The file that a run's workload was read from."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Run:
    """Everything recorded: what was asked, where, and each round."""

    run_id: str
    schema: int
    spec: "Spec"
    commit: str | None
    command: str
    machine: Machine
    measurements: tuple[Measurement, ...]
    user_file: UserFile | None = None
    lost: str = ""  # what could not be read back, in words; never stored

    @property
    def paired(self) -> bool:
        """Whether the contenders took turns in rounds, as ours do."""
        return not any("unpaired" in m.flags for m in self.measurements)


def field_names(noun: type) -> tuple[str, ...]:
    """Name a noun's fields, in order."""
    return tuple(field.name for field in fields(noun))

"""The nouns of the system, as frozen dataclasses; standard library only.

Names end in their unit: `_s` seconds, `_j` joules, `_bytes`. A missing value is None,
never 0. `findings.py` has the nouns for results.
"""

import statistics
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crossover.contender import Contender

if TYPE_CHECKING:
    from crossover.spec.spec import Spec

SCHEMA = 3
"""Version of the format in which runs are recorded."""
VIEWS = ("train", "with_transfer", "from_scratch")
"""What a time includes: training alone, also the transfer, also the set-up."""
OUTCOMES = ("found", "always", "never", "not_monotone", "inconclusive", "not_measured")
STATUSES = ("ok", "oom", "timeout", "crashed", "failed", "unavailable")


@dataclass(frozen=True, eq=False)
class Case:
    """One job: its workload's sizes and settings by name, in the workload's order.

    A value is None if it has no meaning, such as that on the axis of a whole sweep. Two
    cases are equal if the workload's name and all values are.
    """

    workload: Any = field(repr=False)
    """The `Workload` that declares them; no noun knows more of it than its names."""
    values: tuple[tuple[str, object], ...]

    def __post_init__(self) -> None:
        # Cases are keys of many tables, where hashing ten values again costs the most.
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
            KeyError: for a name that the case does not have.
        """
        return vars(self)["_named"][name]

    def at(self, **values: object) -> "Case":
        """Return the case with some values replaced.

        Raises:
            KeyError: for a name that the case does not have.
        """
        for name in values:
            self[name]
        pairs = tuple((name, values.get(name, value)) for name, value in self.values)
        return Case(self.workload, pairs)

    def without(self, *names: str) -> "Case":
        """Return the case with None for some values, which then have no meaning."""
        return self.at(**dict.fromkeys(filter(None, names)))

    @property
    def repeats(self) -> int:
        """The size that time is proportional to, such as epochs; 1 if there is none."""
        repeating = self.workload.repeating
        known: int = self[repeating] if repeating else 1
        return known

    @property
    def id(self) -> str:
        """The name of the case: `n1500-d2-c3-b10-e3`."""
        name: str = self.workload.case_id(self)
        return name


@dataclass(frozen=True)
class Cell:
    """One case trained by one contender."""

    case: Case
    contender: Contender

    @property
    def id(self) -> str:
        """The name of the cell: `n1500-d2-c3-b10-e3:cpu/resident@1`."""
        return f"{self.case.id}:{self.contender}"


def by_device(device: str, n_bytes: int | None) -> dict[str, int]:
    """Return the bytes that one device held, by its name; empty if unknown."""
    return {} if n_bytes is None else {device: n_bytes}


@dataclass(frozen=True)
class Measurement:
    """One round of one cell, as it was measured; derived numbers are not stored."""

    cell_id: str
    run_id: str
    round: int
    status: str
    case: Case
    contender: Contender
    positions: tuple[int, ...] = ()
    """Place of each sample in its round, from 0."""
    samples_s: tuple[float, ...] = ()
    """Seconds of each sample: `calls_per_sample` trainings of `epochs_run` epochs."""
    samples_j: tuple[float, ...] = ()
    """Joules of each sample; empty if they could not be measured."""
    energy_of: str = ""
    """The counters whose sum the joules are: `package-0 + board`."""
    calls_per_sample: int = 1
    work: dict[str, float] = field(default_factory=dict, hash=False)
    """How often one training pays each of the workload's costs; `byte`: bytes moved."""
    epochs_run: int | None = None
    """Epochs of a timed training; fewer than the case has if the time is scaled up."""
    setup_s: float | None = None
    """Seconds for device context, building the model, and the first call's extra."""
    transfer_s: float | None = None
    warmup_s: tuple[float, ...] = ()
    peak_bytes: dict[str, int] = field(default_factory=dict, hash=False)
    """Most memory held, by device; empty if unknown."""
    launches_per_step: float | None = None
    """Kernels that a step would launch on an accelerator, counted; None if unknown."""
    threads: int | None = None
    """CPU threads that torch had, which may differ from those asked for."""
    load_1min: float | None = None
    """The machine's load average at the end of the round, which includes our worker."""
    throttled_periods: int | None = None
    """Periods of this round in which the container's CPU quota stopped us."""
    clock_share: float | None = None
    """The accelerator's clock while it worked, as a share of its highest."""
    loss: float | None = None
    accuracy: float | None = None
    bound_s: float | None = None
    """After a timeout: one training of the case takes at least this many seconds."""
    notes: str = ""
    started_utc: str = ""
    elapsed_s: float | None = None
    """Seconds that the run had measured when this was recorded, without pauses."""
    in_round: int | None = None
    """Number of contenders in this round, all recorded at once."""
    flags: tuple[str, ...] = ()
    """How the tool that measured differs from `crossover run`: `unpaired`."""
    waited_s: float | None = None
    """Seconds that its threads waited for a core while samples were taken, in all."""
    latency: tuple[float, ...] = ()
    """Seconds of each single call, in order: a step of a user's file, of any other job
    a whole training."""
    verified: bool | None = None
    """Whether equal work was shown; None if unknown."""
    discarded: str = ""
    """Why the round does not count; empty if it counts."""
    settings: dict[str, str] = field(default_factory=dict, hash=False)
    """Settings of the process beside the case, by name."""
    items: float | None = None
    """Number of things that one training works on, such as images or tokens."""
    affinity: tuple[int, ...] = ()
    """The cores on which its threads could run."""
    machine_id: str = ""
    """The circumstances under which it was measured, if they are not the run's first:
    their name in the run's `others`."""

    @property
    def train_s(self) -> float:
        """The seconds of one training with all of the case's epochs."""
        repeats = self.case.repeats
        # numpy's median takes thirty times as long for a few values.
        timed_s = statistics.median(self.samples_s) / self.calls_per_sample
        return timed_s * (repeats / (self.epochs_run or repeats))

    @property
    def waited_share(self) -> float | None:
        """The share of its cores that others had, at least; None if unknown.

        Each thread is taken to want a core all the time. Ranks have threads that talk
        beside those that work, and these wait for one another.
        """
        who = self.contender
        if self.waited_s is None or not self.samples_s or who.ranks > 1:
            return None
        cores = (self.threads or who.threads or 1) if who.device == "cpu" else 1
        return min(1.0, self.waited_s / (cores * sum(self.samples_s)))


@dataclass(frozen=True)
class Machine:
    """The machine on which a run was measured."""

    hostname: str
    cpu: str
    cores: int | None
    quota_cores: float | None
    memory_bytes: int | None
    load_1min: float | None
    accelerators: tuple[dict[str, object], ...]
    unavailable: dict[str, str]
    """Devices that torch cannot use here, and why."""
    versions: dict[str, str]
    threads: dict[str, object]
    fingerprint: str
    energy_unmeasured: str | None = None
    """Devices whose energy is not measured, and why; None if all are."""
    trainers: dict[str, str] = field(default_factory=dict)
    """What is missing for each `device/trainer`; "" if it can run."""
    passed_on: dict[str, str] | None = None
    """Variables of the environment that workers got; None if they were not recorded."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Variables that workers did not get, as they would make labels wrong."""

    @property
    def cores_text(self) -> str:
        """The number of cores in words."""
        return f"{'an unknown number of' if self.cores is None else self.cores} cores"

    @property
    def memory_text(self) -> str:
        """The memory in words."""
        known = self.memory_bytes
        return "unknown memory" if known is None else f"{known / 2**30:.1f} GiB"


@dataclass(frozen=True)
class Circumstances:
    """Under which circumstances rounds were measured."""

    machine: Machine
    commit: str | None


@dataclass(frozen=True)
class UserFile:
    """The file that a run's workload was read from."""

    name: str
    sha256: str
    path: str = ""
    """Where it was, from the root; empty in records of older versions."""
    loads_torch: bool = True
    """Whether it loads torch, which workers then do before they are forked."""


@dataclass(frozen=True)
class Run:
    """Everything recorded: what was asked for, on which machine, and each round."""

    run_id: str
    schema: int
    spec: "Spec"
    commit: str | None
    command: str
    machine: Machine
    measurements: tuple[Measurement, ...]
    user_file: UserFile | None = None
    others: dict[str, Circumstances] = field(default_factory=dict, hash=False)
    """Other circumstances under which it went on, by the `machine_id` of the rounds."""
    lost: str = ""
    """Which lines could not be read back, in words; it is never stored."""
    machine_id: str = ""
    """That of the rounds to come; it is never stored."""

    @property
    def circumstances(self) -> Circumstances:
        """Those under which it began."""
        return Circumstances(self.machine, self.commit)

    @cached_property
    def paired(self) -> bool:
        """Whether the contenders took turns in rounds, as in `crossover run`."""
        return not any("unpaired" in m.flags for m in self.measurements)

    @cached_property
    def is_one_process(self) -> bool:
        """Whether one process measured all contenders, as `crossover.find` does."""
        return any("one_process" in m.flags for m in self.measurements)


def field_names(noun: type) -> tuple[str, ...]:
    """Return the names of a noun's fields, in order."""
    return tuple(field.name for field in fields(noun))

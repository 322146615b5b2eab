"""The requests to a worker and its replies; each is one line of JSON in a pipe.

Each request names its good reply: `Open` is answered by `Opened`, or else by `Ended`.
Every valid reply can be written to the journal and read back.
"""

from typing import Annotated, ClassVar, Generic, Literal, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from crossover.nouns import UserFile
from crossover.spec.bounds import LARGEST
from crossover.workloads.definition import DeviceWork
from crossover.workloads.workload import Workload

MOST_NOTES, MOST_WARM_UPS, MOST_SINGLE = 2000, 1000, 1000
"""Longest notes, in characters, most calls of a warm-up and most single calls."""
SHOWN = 60
"""Bytes of an invalid line that an error shows."""


def _cut(notes: object) -> object:
    """Cut notes that are too long; lone surrogates become question marks."""
    if not isinstance(notes, str):
        return notes
    return notes[:MOST_NOTES].encode(errors="replace").decode()


def _bounded(value: float) -> float:
    """Refuse a finite number that is too large to be read back from a journal."""
    if LARGEST < abs(value) < float("inf"):
        raise ValueError(f"must be at most {LARGEST:g}")
    return value


Real = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
SampleSeconds = Annotated[float, Field(ge=1e-12, le=LARGEST, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=0, le=LARGEST)]
AtLeastOne = Annotated[int, Field(ge=1, le=LARGEST)]
EndsWith = Annotated[float, AfterValidator(_bounded)]
"""A training's loss or accuracy: infinite or NaN if it diverged."""
Notes = Annotated[str, BeforeValidator(_cut)]


class Line(BaseModel):
    """One line of the pipe: JSON, with `NaN` and `Infinity` as Python writes them."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants"
    )


class Reply(Line):
    """A good reply."""

    status: Literal["ok"] = "ok"
    was_stopped: bool = False
    """Whether the worker stood still for a time, which the reply then holds, too."""


class Ended(Line):
    """The reply to a request that did not succeed."""

    status: Literal["oom", "timeout", "crashed", "failed", "unavailable"]
    notes: Notes
    """The reason, for the record."""
    refused: Notes | None = None
    """The user's mistake, in one line; None if there is none."""
    killed: bool = False
    """Whether SIGKILL ended the worker, which may not be the worker's fault."""
    was_stopped: bool = False
    """Whether the worker did not run for a part of the time."""
    loss: EndsWith | None = None
    """The loss of a training whose result is wrong."""


R = TypeVar("R", bound=Reply)


class Request(Line, Generic[R]):
    """A request whose good reply is an `R`."""

    good: ClassVar[type[Reply]]
    """The class `R`, which reads the reply."""


class Accelerator(Line):
    """An accelerator that torch can use here."""

    name: str
    description: str
    memory_bytes: int | None
    driver: str | None
    is_simulated: bool = False


class Described(Reply):
    """What torch sees of this machine; see `Machine`."""

    cpu: str
    energy_unmeasured: str | None
    accelerators: tuple[Accelerator, ...]
    unavailable: dict[str, str]
    trainers: dict[str, str]
    versions: dict[str, str]
    threads: dict[str, object]


class Describe(Request[Described]):
    """Describe this machine, and why any of `devices` cannot be used."""

    good: ClassVar = Described
    op: Literal["machine"] = "machine"
    devices: tuple[str, ...] = ()


class Examined(Reply):
    """What was measured of one accelerator; an unknown fact is None."""

    queued_share: Real
    """Share of a long queue's time until the host is free; 1 if nothing is queued."""
    clock_ratio: Real | None
    """Our seconds over those of the device's own events."""
    launch_s: Real
    """Seconds of a small operator in a long queue."""
    round_trip_s: Real
    """Seconds of a small operator alone, including the wait for it."""
    copies_bytes_per_s: dict[str, Real | None]
    """Speed of copies, by direction and kind of host memory."""
    memory_free_bytes: int | None
    clock_share: Real | None
    """The clock while at work, as a share of its highest."""
    uuid: str | None
    """The number by which NVML knows the device."""
    rounds_products: bool
    """Whether products of float32 matrices lose bits, as with TF32."""


class Examine(Request[Examined]):
    """Measure an accelerator, such as `cuda:0`."""

    good: ClassVar = Examined
    op: Literal["device"] = "device"
    name: str


class Verified(Reply):
    """How a trainer compares with the reference."""

    wrong: Notes | None
    """What is wrong; "" if nothing is, None if the trainer is not available there."""


class Verify(Request[Verified]):
    """Compare a trainer with the reference on a device."""

    good: ClassVar = Verified
    op: Literal["verify"] = "verify"
    name: str
    """Name of the device."""
    trainer: str


class Counted(Reply):
    """What one repeat of each case gives a device."""

    counts: tuple[DeviceWork, ...]


class Count(Request[Counted]):
    """Count a trainer's work in some cases of a workload."""

    good: ClassVar = Counted
    op: Literal["count"] = "count"
    workload: str
    trainer: str
    cases: tuple[dict[str, object], ...]
    declared: "Declared | None" = None
    """What a user's file declared; None for other workloads."""


class Declared(Reply):
    """What a user's file declares, and which file that is."""

    workload: Workload
    file: UserFile


class Declare(Request[Declared]):
    """Load a user's file and declare its workload."""

    good: ClassVar = Declared
    op: Literal["declare"] = "declare"
    target: str
    """A path that ends in .py, or `module:function`."""
    folder: str
    """What a path is relative to, and where modules are searched, too."""
    case: dict[str, object] = {}
    """Values with which each function is called once, to see that it returns a step."""


class Opened(Reply):
    """What was measured on opening a cell; the rounds then add their samples."""

    calls_per_sample: AtLeastOne
    epochs_run: AtLeastOne
    setup_s: NotNegative | None
    warmup_s: Annotated[tuple[NotNegative, ...], Field(max_length=MOST_WARM_UPS)]
    peak_bytes: Whole | None
    threads: Whole | None
    loss: EndsWith | None
    accuracy: EndsWith | None
    notes: Notes
    energy_of: str = ""
    launches_per_step: NotNegative | None = None
    work: dict[str, Whole | NotNegative] = {}
    """How often one training pays each of the workload's costs."""
    floor_s: NotNegative = 0.0
    """Shortest sample that counts, in seconds: a shorter one was calibrated wrongly."""
    setup_idle_s: NotNegative = 0.0
    """Seconds of the set-up in which it was disturbed and did not run; 0 if unknown."""
    verified: bool | None = None
    """Whether the result was shown to be that of the other contenders."""
    items: NotNegative | None = None
    """Number of things that one training works on."""
    flags: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    """As `Measurement` has them."""


class Open(Request[Opened]):
    """Open a cell: build and warm it up, and compare it with the reference."""

    good: ClassVar = Opened
    op: Literal["open"] = "open"
    workload: str
    case: dict[str, object]
    device: str
    trainer: str
    threads: int | None
    ranks: int = 1
    longest_s: float
    """Seconds; a sample that would last longer trains fewer epochs."""
    declared: Declared | None = None
    """What a user's file declared as the run began; None for other workloads."""
    agreed: str | None = None
    """File of the result that the case's first contender had, or will have."""


class Sampled(Reply):
    """One sample of the open cell."""

    sample_s: SampleSeconds
    transfer_s: NotNegative | None = None
    sample_j: Real | None = None
    """Joules of the sample; None if they cannot be measured."""
    waited_s: NotNegative | None = None
    """Seconds that the sample's threads waited for a core; None if unknown."""
    clock_share: Real | None = None
    """The accelerator's clock in this round, as a share of its highest."""
    latency: Annotated[tuple[SampleSeconds, ...], Field(max_length=MOST_SINGLE)] = ()
    """Seconds of each single call after the sample."""


class Sample(Request[Sampled]):
    """Take a sample of the open cell."""

    good: ClassVar = Sampled
    op: Literal["sample"] = "sample"
    round: int | None = None
    position: int | None = None
    """Place of the sample in its round, from 0."""
    single: Annotated[Whole, Field(le=MOST_SINGLE)] = 0
    single_s: NotNegative = 0.0
    """Most single calls timed after it, and seconds after which no more begin."""


class Closed(Reply):
    """No cell is open."""


class Close(Request[Closed]):
    """Close the open cell, if there is one."""

    good: ClassVar = Closed
    op: Literal["close"] = "close"


AnyRequest = Describe | Examine | Verify | Count | Declare | Open | Sample | Close
_REQUESTS: TypeAdapter[AnyRequest] = TypeAdapter(
    Annotated[AnyRequest, Field(discriminator="op")]
)


class _Head(BaseModel):
    """The field that distinguishes a good reply from any other."""

    status: str = "ok"


def read_request(line: str) -> AnyRequest:
    """Return the request of a line; a ValueError says what is wrong with it."""
    try:
        return _REQUESTS.validate_json(line)
    except ValidationError as error:
        raise ValueError(f"a request {wrong(error)}: {line[:SHOWN]!r}") from error


def read_reply(request: Request[R], line: bytes) -> R | Ended:
    """Return the reply to a request.

    Raises:
        ValueError: saying what is wrong with it.
    """
    try:
        if _Head.model_validate_json(line).status != "ok":
            return Ended.model_validate_json(line)
        return cast("type[R]", request.good).model_validate_json(line)
    except ValidationError as error:
        raise ValueError(f"a reply {wrong(error)}: {_shown(line)}") from error


def wrong(error: ValidationError) -> str:
    """Return what is wrong with a line: `without loss`, `with an impossible loss`."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    match first["type"]:
        case "json_invalid":
            return "that is no JSON"
        case "missing":
            return f"without {name}"
        case "extra_forbidden":
            return "with an unknown field"
    if not name:
        return "that is no object"
    return "of no known status" if name == "status" else f"with an impossible {name}"


def _shown(line: bytes) -> str:
    return repr(line[:SHOWN].decode(errors="replace")) + "..." * (len(line) > SHOWN)

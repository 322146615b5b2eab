"""What is asked: TOML in, a validated `Spec` out. No torch, no measuring."""

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from bench.nouns import BEST, Contender
from softmax_core.case import Case
from softmax_core.registry import TRAINERS

AXES = ("samples", "batch_size", "epochs")
ACCELERATOR = "accelerator"
ALL_THREADS = "@all"
PRESETS = ("smoke", "quick", "lesson", "full")

Size = Annotated[StrictInt, Field(ge=1)]
Number = StrictFloat | StrictInt


class SpecError(ValueError):
    """Bad input: one line that names the field, the value and what is allowed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sweep(_Strict):
    """One axis with its values; the other fields of `Case` stay fixed."""

    axis: Literal["samples", "batch_size", "epochs"]
    values: tuple[Size, ...] = Field(min_length=1)
    samples: Size = 1500
    features: Size = 2
    classes: Annotated[StrictInt, Field(ge=2)] = 3
    batch_size: Size = 10
    epochs: Size = 1
    learning_rate: Number = 0.03
    momentum: Number = 0.0
    dispersion: tuple[Number, Number] = (6.0, 2.0)
    dtype: Literal["float32", "float64"] = "float32"
    seed: Annotated[StrictInt, Field(ge=0)] = 420
    contenders: tuple[StrictStr, ...] = ()
    pairs: tuple[tuple[StrictStr, StrictStr], ...] = ()

    @field_validator("values")
    @classmethod
    def _in_order(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(values)))

    @model_validator(mode="after")
    def _cases_exist(self) -> "Sweep":
        self.cases()
        return self

    def cases(self) -> dict[int, Case]:
        """Return the case at each value of the axis, smallest first.

        Batches larger than the samples are clipped to them, as a DataLoader does.
        """
        fixed = {name: getattr(self, name) for name in Case.__dataclass_fields__}
        cases = {}
        for value in self.values:
            if self.axis == "batch_size" and value > self.samples:
                value = self.samples
            cases[value] = Case(**{**fixed, self.axis: value})
        return cases

    def clipped(self) -> tuple[int, ...]:
        """Return the batch sizes asked for that exceed the samples."""
        batches = self.values if self.axis == "batch_size" else (self.batch_size,)
        least = min(self.values) if self.axis == "samples" else self.samples
        return tuple(batch for batch in batches if batch > least)


class Spec(_Strict):
    """What a run is to measure; stored whole in run.json."""

    name: StrictStr = "custom"
    contenders: tuple[StrictStr, ...] = Field(min_length=1)
    pairs: tuple[tuple[StrictStr, StrictStr], ...] = Field(min_length=1)
    """(baseline, challenger)."""
    sweep: tuple[Sweep, ...] = Field(min_length=1)
    rounds: Annotated[StrictInt, Field(ge=2, le=1000)] = 12
    seed: Annotated[StrictInt, Field(ge=0)] = 0
    """Orders the contenders of each round and draws the bootstrap."""
    budget_s: Annotated[float, Field(gt=0)] | None = None
    cell_timeout_s: Annotated[float, Field(gt=0)] = 600.0
    longest_sample_s: Annotated[float, Field(gt=0)] = 2.0
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.02
    """A contender is ahead at a size when it is faster by more than this share."""


def load_spec(path: Path) -> Spec:
    """Read a spec file.

    Raises:
        SpecError: in one line.
    """
    try:
        return parse_spec(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise SpecError(f"spec = {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"spec = {str(path)!r}: not TOML: {error}") from error


def load_preset(name: str) -> Spec:
    """Read a preset that ships with the package.

    Raises:
        SpecError: for an unknown name, with the nearest known one.
    """
    if name not in PRESETS:
        raise SpecError(
            f"preset = {name!r}: must be one of {', '.join(PRESETS)}{_near(name, PRESETS)}"
        )
    text = files("bench").joinpath("presets", f"{name}.toml").read_text("utf-8")
    return parse_spec(tomllib.loads(text), f"preset {name}")


def parse_spec(fields: dict[str, Any], source: str) -> Spec:
    """Validate the fields of a spec.

    Raises:
        SpecError: for the first thing wrong, naming field, value and what is allowed.
    """
    try:
        spec = Spec.model_validate(fields)
    except ValidationError as error:
        raise SpecError(f"{source}: {_plain(error)}") from error
    for text in {*spec.contenders, *(c for s in spec.sweep for c in s.contenders)}:
        _check_contender(text, (*TRAINERS,))
    pairs = [*spec.pairs, *(pair for s in spec.sweep for pair in s.pairs)]
    for text in {text for pair in pairs for text in pair}:
        _check_contender(text, (*TRAINERS, BEST))
    return spec


def _check_contender(text: str, trainers: tuple[str, ...]) -> None:
    try:
        contender = Contender.parse(text.replace(ALL_THREADS, "@1"))
    except ValueError as error:
        raise SpecError(str(error)) from error
    if contender.trainer not in trainers:
        raise SpecError(
            f"trainer = {contender.trainer!r} in contender {text!r}: must be one of "
            f"{', '.join(sorted(trainers))}{_near(contender.trainer, trainers)}"
        )
    if contender.threads is not None and contender.threads < 1:
        raise SpecError(f"threads = 0 in contender {text!r}: must be >= 1 or all")


def _plain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "spec"
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        known = (
            (*Sweep.model_fields,) if "sweep" in first["loc"] else (*Spec.model_fields,)
        )
        return f"{where}: unknown key; must be one of {', '.join(known)}{_near(key, known)}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{where}: missing; must be given"
    return (
        f"{where} = {first['input']!r}: {message}"
        if first["type"] != "value_error"
        else f"{where}: {message}"
    )


def _near(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def resolve(spec: Spec, accelerators: tuple[str, ...], cores: int) -> Spec:
    """Replace `accelerator` and `@all` by what this machine has.

    Without an accelerator the name becomes `cuda`, whose cells are then recorded as
    unavailable with the reason: what did not run is reported, never left out.

    Raises:
        SpecError: for more threads than cores.
    """
    devices = accelerators or ("cuda",)

    def contenders(texts: tuple[str, ...]) -> tuple[str, ...]:
        found = dict.fromkeys(
            text.replace(ACCELERATOR, device).replace(ALL_THREADS, f"@{cores}")
            for text in texts
            for device in devices
        )
        for text in found:
            threads = Contender.parse(text).threads
            if threads is not None and threads > cores:
                raise SpecError(
                    f"threads = {threads} in contender {text!r}: must be at most "
                    f"{cores}, the cores of this machine"
                )
        return tuple(found)

    def pairs(items: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple(
            dict.fromkeys(
                (contenders((a,))[i] if ACCELERATOR in a else contenders((a,))[0],
                 contenders((b,))[i] if ACCELERATOR in b else contenders((b,))[0])
                for a, b in items
                for i in range(len(devices))
            )
        )  # fmt: skip

    sweeps = tuple(
        s.model_copy(
            update={"contenders": contenders(s.contenders), "pairs": pairs(s.pairs)}
        )
        for s in spec.sweep
    )
    return spec.model_copy(
        update={
            "contenders": contenders(spec.contenders),
            "pairs": pairs(spec.pairs),
            "sweep": sweeps,
        }
    )

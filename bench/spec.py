"""What is asked: TOML in, a validated `Spec` out. No torch, no measuring."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from bench.contenders import check_contender
from bench.fields import (
    MOST_CELLS,
    MOST_ROUNDS,
    NAME,
    Pairs,
    Price,
    Real,
    Seed,
    Size,
    Strict,
    Text,
    Who,
)  # fmt: skip
from bench.nodes import Launch, unknown_key
from bench.nouns import BEST, Contender, InputError, Measurement
from bench.untrusted import near, shown
from softmax_core.case import Case
from softmax_core.registry import TRAINERS

AXES = ("samples", "batch_size", "epochs")
DEVICE = re.compile(r"[a-z][a-z0-9_]*(:\d+)?")


class SpecError(InputError):
    """A spec, or an option over it, that cannot be meant."""


class Sweep(Strict):
    """One axis with its values; the other fields of `Case` stay fixed."""

    axis: Literal["samples", "batch_size", "epochs"]
    values: tuple[Size, ...] = Field(min_length=1, max_length=1000)
    samples: Size = 1500
    features: Size = 2
    classes: Annotated[Size, Field(ge=2)] = 3
    batch_size: Size = 10
    epochs: Size = 1
    learning_rate: Annotated[Real, Field(ge=1e-12)] = 0.03
    momentum: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    dispersion: tuple[Real, Annotated[Real, Field(ge=1e-9)]] = (6.0, 2.0)
    dtype: Literal["float32", "float64"] = "float32"
    seed: Seed = 420
    contenders: tuple[Who, ...] = ()
    pairs: Pairs = ()

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
        cases = {}
        for value in self.values:
            size = min(value, self.samples) if self.axis == "batch_size" else value
            cases[size] = self.case_at(size)
        return cases

    def case_at(self, size: int) -> Case:
        """Return the case at one size of the axis."""
        fixed = {name: getattr(self, name) for name in Case.__dataclass_fields__}
        return Case(**{**fixed, self.axis: size})

    def cases_with(self, measurements: Iterable[Measurement]) -> dict[int, Case]:
        """Return `cases` and those the adaptive search added, smallest first."""
        cases = self.cases()
        for m in measurements:
            size = getattr(m.case, self.axis)
            if size not in cases and m.case == self.case_at(size):
                cases[size] = m.case
        return dict(sorted(cases.items()))

    def clipped(self) -> tuple[int, ...]:
        """Return the batch sizes asked for that exceed the samples."""
        batches = self.values if self.axis == "batch_size" else (self.batch_size,)
        least = min(self.values) if self.axis == "samples" else self.samples
        return tuple(batch for batch in batches if batch > least)


class Spec(Strict):
    """What a run is to measure; stored whole in run.json."""

    name: StrictStr = "custom"
    contenders: tuple[Who, ...] = Field(min_length=1)
    pairs: Pairs = Field(min_length=1)
    """(baseline, challenger)."""
    sweep: tuple[Sweep, ...] = Field(min_length=1, max_length=500)
    rounds: Annotated[StrictInt, Field(ge=2, le=MOST_ROUNDS)] = 32
    """At most so many rounds of a case; on a grid, so many of every case."""
    grid: StrictBool = False
    """Measure the sizes given, all alike, and add none."""
    width: Annotated[Real, Field(gt=1)] = 1.25
    """The search goes on until high / low of a crossover is at most this."""
    control: StrictBool = True
    """Measure a contender against itself too, in at most a tenth of the time."""
    seed: Seed = 0
    """Orders the contenders of each round and draws the bootstrap."""
    budget_s: Annotated[Real, Field(gt=0)] | None = None
    cell_timeout_s: Annotated[Real, Field(gt=0)] = 600.0
    longest_sample_s: Annotated[Real, Field(gt=0)] = 2.0
    confidence: Annotated[Real, Field(gt=0.5, lt=1)] = 0.95
    margin: Annotated[Real, Field(ge=0, lt=1)] = 0.02
    """A contender is ahead at a size when it is faster by more than this share."""
    resolution: Annotated[Real, Field(ge=0, lt=1)] = 0.01
    """Share by which a process may be lucky or unlucky for as long as it lives."""
    prices: dict[Text, Price] = Field(default={}, max_length=1000)
    """Money per hour by device (`cuda:0`) or, less specific, by its kind (`cuda`)."""
    launch: Launch | None = None

    @field_validator("prices")
    @classmethod
    def _of_devices(cls, prices: dict[str, float]) -> dict[str, float]:
        for name in prices:
            if not DEVICE.fullmatch(name):
                raise ValueError(
                    f"device = {name!r}: must be a device or its kind, such as cpu, "
                    "cuda or cuda:0"
                )
        return prices

    @model_validator(mode="after")
    def _can_be_planned(self) -> "Spec":
        cells = sum(
            len(s.values)
            * (len(s.contenders or self.contenders) + 2 * len(s.pairs or self.pairs))
            for s in self.sweep
        )
        if cells > MOST_CELLS:
            raise ValueError(
                f"sweep: {cells:,} cells; must be at most {MOST_CELLS:,} in all"
            )
        return self

    def price_of(self, contender: Contender) -> float | None:
        """Return the price of an hour on a contender's device, None if not given.

        Ranks share the CPU; of other devices each rank has its own.
        """
        kind = contender.device.partition(":")[0]
        price = self.prices.get(contender.device, self.prices.get(kind))
        devices = 1 if kind == "cpu" else contender.ranks
        return None if price is None else price * devices

    def contenders_of(self, sweep: Sweep) -> tuple[Contender, ...]:
        """Return the contenders of a sweep, its own or the spec's, and its pairs'."""
        named = map(Contender.parse, sweep.contenders or self.contenders)
        paired = (c for pair in self.pairs_of(sweep) for c in pair if c.trainer != BEST)
        return tuple(dict.fromkeys([*named, *paired]))

    def pairs_of(self, sweep: Sweep) -> tuple[tuple[Contender, Contender], ...]:
        """Return a sweep's (baseline, challenger) pairs: its own, else the spec's."""
        pairs = sweep.pairs or self.pairs
        return tuple((Contender.parse(a), Contender.parse(b)) for a, b in pairs)


def parse_spec(fields: dict[str, Any], source: str) -> Spec:
    """Validate the fields of a spec.

    Raises:
        SpecError: for the first thing wrong, naming field, value and what is allowed.
    """
    try:
        spec = Spec.model_validate(fields)
    except ValidationError as error:
        raise SpecError(f"{source}: {first_wrong(error)}") from error
    if not NAME.fullmatch(spec.name):  # it becomes a folder's
        raise SpecError(
            f"name = {shown(spec.name)}: must be letters, digits, spaces and any of "
            "._+-, at most 80, the first a letter or digit"
        )
    for text in {*spec.contenders, *(c for s in spec.sweep for c in s.contenders)}:
        _check_contender(text, (*TRAINERS,))
    pairs = [*spec.pairs, *(pair for s in spec.sweep for pair in s.pairs)]
    for baseline, challenger in pairs:
        if baseline == challenger:
            raise SpecError(
                f"pairs = {baseline!r} twice: must be two different contenders; a run "
                "measures one against itself by its own (control = true)"
            )
    for text in {text for pair in pairs for text in pair}:
        _check_contender(text, (*TRAINERS, BEST))
    return spec


def _check_contender(text: str, trainers: tuple[str, ...]) -> None:
    try:
        check_contender(text, trainers)
    except ValueError as error:
        raise SpecError(str(error)) from error


def first_wrong(error: ValidationError) -> str:
    """Return what is wrong first, as field, value and what is allowed."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "spec"
    if first["type"] == "extra_forbidden":
        key, table = str(first["loc"][-1]), first["loc"][0]
        model = Sweep if table == "sweep" and len(first["loc"]) > 1 else Spec
        known = (*model.model_fields,)
        must = ", ".join(known) + near(key, known)
        if table == "launch" and len(first["loc"]) > 1:
            must = unknown_key(first["loc"])
        return f"{where}: unknown key; must be one of {must}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{where}: missing; must be given"
    return (
        f"{where} = {shown(first['input'])}: {message}"
        if first["type"] != "value_error"
        else f"{where}: {message}"
    )

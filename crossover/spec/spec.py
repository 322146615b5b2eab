"""What is asked: TOML in, a validated `Spec` out. No torch, no measuring."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any

from pydantic import (
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from crossover.contender import BEST, Contender
from crossover.files.refusals import Place, first_wrong
from crossover.files.untrusted import InputError, refused, shown
from crossover.spec.bounds import (
    MOST_CELLS,
    MOST_ROUNDS,
    NAME,
    Pairs,
    Price,
    Real,
    Seed,
    Strict,
    Text,
    Who,
)  # fmt: skip
from crossover.spec.contenders import check_contender
from crossover.spec.launch_table import Launch, NodeType
from crossover.spec.sweep import Sweep, sweep_type
from crossover.workloads.registry import declared, definition
from crossover.workloads.workload import Implementation, Workload

DEVICE = re.compile(r"[a-z][a-z0-9_]*(:\d+)?")


class Spec(Strict):
    """What a run is to measure; stored whole in run.json."""

    name: StrictStr = "custom"
    workload: StrictStr = "softmax"
    """The job, by its name."""
    contenders: tuple[Who, ...] = Field(min_length=1)
    pairs: Pairs = Field(min_length=1)
    """(baseline, challenger)."""
    sweep: tuple[SerializeAsAny[Sweep], ...] = Field(min_length=1, max_length=500)
    rounds: Annotated[StrictInt, Field(ge=2, le=MOST_ROUNDS)] = 32
    """The most rounds of a case; with `grid`, the number of rounds of every case."""
    grid: StrictBool = False
    """Measure the sizes given, all alike, and add none."""
    width: Annotated[Real, Field(gt=1)] = 1.25
    """The search goes on until high / low of a crossover is at most this."""
    both_ends: StrictBool = False
    """Search, too, up to which size the challenger is behind."""
    control: StrictBool = True
    """Measure a contender against itself too, in at most a tenth of the time."""
    seed: Seed = 0
    """Orders the contenders of each round and draws the bootstrap."""
    budget_s: Annotated[Real, Field(gt=0)] | None = None
    cell_timeout_s: Annotated[Real, Field(gt=0)] = 600.0
    longest_sample_s: Annotated[Real, Field(gt=0)] = 2.0
    confidence: Annotated[Real, Field(gt=0.5, lt=1)] = 0.95
    margin: Annotated[Real, Field(ge=0, lt=1)] = 0.05
    """A contender is ahead at a size when it is faster by more than this share."""
    resolution: Annotated[Real, Field(ge=0, lt=1)] = 0.01
    """Error per process that more rounds cannot average out, as a share of the time."""
    prices: dict[Text, Price] = Field(default={}, max_length=1000)
    """Money per hour by device (`cuda:0`) or, less specific, by its kind (`cuda`)."""
    latency: StrictBool = False
    """Time single calls, too, apart from the samples."""
    good_enough_s: Annotated[Real, Field(gt=0)] | None = None
    """A contender is fast enough up to this time of a single call."""
    launch: Launch | None = None

    @field_validator("prices")
    @classmethod
    def _of_devices(cls, prices: dict[str, float]) -> dict[str, float]:
        for name in prices:
            if not DEVICE.fullmatch(name):
                must = "be a device or its kind, such as cpu, cuda or cuda:0"
                raise refused("device", name, must)
        return prices

    @field_validator("workload")
    @classmethod
    def _is_known(cls, name: str, info: ValidationInfo) -> str:
        _workload(name, info)
        return name

    @field_validator("sweep", mode="wrap")
    @classmethod
    def _of_workload(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> tuple[Sweep, ...]:
        if "workload" not in info.data:  # refused already
            return ()
        return _sweeps(_workload(info.data["workload"], info)).validate_python(value)

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

    @model_serializer(mode="wrap")
    def _as_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        unsaid = {"both_ends": False, "latency": False, "good_enough_s": None}
        return {n: v for n, v in fields.items() if n not in unsaid or v != unsaid[n]}

    @property
    def declared(self) -> Workload:
        """The workload of the spec, as it was declared when the spec was read."""
        return self.sweep[0].workload

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
        parse = self.declared.contender
        named = map(parse, sweep.contenders or self.contenders)
        paired = (c for pair in self.pairs_of(sweep) for c in pair if c.trainer != BEST)
        return tuple(dict.fromkeys([*named, *paired]))

    def pairs_of(self, sweep: Sweep) -> tuple[tuple[Contender, Contender], ...]:
        """Return a sweep's (baseline, challenger) pairs: its own, else the spec's."""
        pairs, parse = sweep.pairs or self.pairs, self.declared.contender
        return tuple((parse(a), parse(b)) for a, b in pairs)


def _workload(name: str, info: ValidationInfo) -> Workload:
    """Return the workload that a run was recorded with, or the one of that name."""
    recorded: Workload | None = (info.context or {}).get("workload")
    return declared(name) if recorded is None else recorded


@cache
def _sweeps(workload: Workload) -> TypeAdapter[tuple[Sweep, ...]]:
    kind: Any = Annotated[
        tuple[sweep_type(workload), ...],  # type: ignore[misc]
        Field(min_length=1, max_length=500),
    ]
    return TypeAdapter(kind)


def parse_spec(fields: dict[str, Any], source: str) -> Spec:
    """Validate the fields of a spec.

    Raises:
        InputError: for the first thing wrong, naming field, value and what is allowed.
    """
    try:
        spec = Spec.model_validate(fields)
    except ValidationError as error:
        name = fields.get("workload", "softmax")
        why = first_wrong(error, known=lambda at: known_keys(declared(name), at))
        raise InputError(f"{source}: {why}") from error
    if not NAME.fullmatch(spec.name):  # it becomes a folder's
        raise InputError(
            f"name = {shown(spec.name)}: must be letters, digits, spaces and any of "
            "._+-, at most 80, the first a letter or digit"
        )
    known = spec.declared.implementations
    for text in {*spec.contenders, *(c for s in spec.sweep for c in s.contenders)}:
        check_contender(text, known)
    pairs = [*spec.pairs, *(pair for s in spec.sweep for pair in s.pairs)]
    for baseline, challenger in pairs:
        if baseline == challenger:
            raise InputError(
                f"pairs = {baseline!r} twice: must be two different contenders; a run "
                "measures one against itself by its own (control = true)"
            )
    for text in {text for pair in pairs for text in pair}:
        check_contender(text, (*known, Implementation(BEST)))
    return spec.model_copy(update={"sweep": tuple(map(_eased, spec.sweep))})


def _eased(sweep: Sweep) -> Sweep:
    """Return a sweep with the settings that depend on its axis, where not given."""
    workload, axis = sweep.workload, sweep.axis
    if axis not in workload.shape:
        return sweep
    eased = definition(workload.name).eased(sweep.model_dump(), (axis,))
    left = {n: value for n, value in eased.items() if n not in sweep.model_fields_set}
    return sweep.model_copy(update=left)


def known_keys(workload: Workload, place: Place) -> Iterable[str]:
    """Return the keys that a place in a spec of a workload may hold."""
    table = place[0] if len(place) > 1 else None
    if table == "sweep":
        return "axis", "values", *workload.names, "contenders", "pairs", "closed"
    if table == "launch":
        return NodeType.model_fields if len(place) > 3 else Launch.model_fields
    return Spec.model_fields

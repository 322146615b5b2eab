"""A sweep of a spec: one axis with its values, at fixed other sizes and settings.

What a sweep's table may hold follows from the workload's declaration (`sweep_type`).
"""

from collections.abc import Iterable
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictInt,
    create_model,
    field_validator,
    model_serializer,
    model_validator,
)

from crossover.nouns import Case
from crossover.spec.bounds import Pairs, Real, Strict, Text, Who
from crossover.workloads.values import Setting
from crossover.workloads.workload import MOST_DIGITS, Workload

Whole = Annotated[StrictInt, Field(ge=1, lt=10**MOST_DIGITS)]


class Sweep(Strict):
    """One axis with its values; its workload's other sizes and settings are fixed."""

    workload: ClassVar[Workload]
    axis: Text
    values: tuple[Whole, ...] = Field(min_length=1, max_length=1000)
    contenders: tuple[Who, ...] = ()
    pairs: Pairs = ()
    closed: StrictBool = False
    """Whether the search adds no sizes outside those given, as in `A..B`."""

    @field_validator("values")
    @classmethod
    def _in_order(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(values)))

    @model_validator(mode="after")
    def _cases_exist(self) -> "Sweep":
        for case in self.cases().values():  # its settings are those of the line
            self.workload.check_sizes(dict(case.values))
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self)
        names = ["axis", "values", *self.workload.names, "contenders", "pairs"]
        names += ["closed"] * self.closed
        return {name: fields[name] for name in names if name in fields}

    @cached_property
    def line(self) -> Case:
        """The case of every size, without a value on the axis."""
        values = {name: getattr(self, name) for name in self.workload.names}
        values[self.axis] = self.values[0]
        return self.workload.case(**values).without(self.axis)

    def model_copy(self, **how: Any) -> Self:
        """Return a copy, which computes its `line` anew."""
        copied = super().model_copy(**how)
        vars(copied).pop("line", None)
        return copied

    def cases(self) -> dict[int, Case]:
        """Return the case at each value of the axis, smallest first.

        A value larger than the size that it cannot exceed is clipped to it: batches
        larger than the samples are all samples, as a DataLoader has it.
        """
        sizes = (self.workload.settled(self.line, self.axis, v) for v in self.values)
        return {size: self.case_at(size) for size in sizes}

    def case_at(self, size: int) -> Case:
        """Return the case at one size of the axis."""
        return self.line.at(**{self.axis: size})

    def clipped(self) -> Iterable[tuple[str, int, str]]:
        """Yield (size, value, size that it exceeds) for each value that is clipped."""
        for size in self.workload.sizes:
            if size.most:
                asked, most = self._asked(size.name), min(self._asked(size.most))
                yield from ((size.name, v, size.most) for v in asked if v > most)

    def _asked(self, name: str) -> tuple[int, ...]:
        return self.values if name == self.axis else (self.line[name],)


class Lines:
    """The cases that were measured, found by the line of a sweep on which they lie."""

    def __init__(self, cases: Iterable[Case] = ()) -> None:
        self._cases: dict[Case, None] = {}
        self._along: dict[str, dict[Case, dict[int, Case]]] = {}
        for case in cases:
            self.add(case)

    def add(self, case: Case) -> None:
        """Add a case, which may be known already."""
        if case not in self._cases:
            self._cases[case] = None
            for axis, lines in self._along.items():
                lines.setdefault(case.without(axis), {})[case[axis]] = case

    def along(self, sweep: Sweep) -> dict[int, Case]:
        """Return a sweep's cases and those the search added, smallest first."""
        axis = sweep.axis
        if axis not in self._along:
            lines: dict[Case, dict[int, Case]] = {}
            for case in self._cases:
                lines.setdefault(case.without(axis), {})[case[axis]] = case
            self._along[axis] = lines
        added = self._along[axis].get(sweep.line, {})
        return dict(sorted({**sweep.cases(), **added}.items()))


@cache
def sweep_type(workload: Workload) -> type[Sweep]:
    """Return the model of a workload's sweeps: a field for each size and setting."""
    fields: dict[str, Any] = {"axis": (Literal[workload.axes], ...)}
    for size in workload.sizes:
        kind: Any = Annotated[Whole, Field(ge=size.least)]
        optional = kind if size.default is not None else kind | None
        fields[size.name] = (optional, size.default)
    for setting in workload.settings:
        fields[setting.name] = (_kind(setting), setting.default)
    model = create_model("Sweep", __base__=Sweep, **fields)
    model.workload = workload
    return model


def _kind(setting: Setting) -> Any:
    """Return the type of a setting's field."""
    default, below = setting.default, setting.below
    if setting.choices:
        return Literal[setting.choices]
    if isinstance(default, bool):
        return StrictBool
    if isinstance(default, str):
        return Text
    if isinstance(default, tuple):
        least = setting.least if isinstance(setting.least, tuple) else ()
        bounds = least or [None] * len(default)
        return tuple[tuple(Annotated[Real, Field(ge=low)] for low in bounds)]  # type: ignore[misc]
    kind = StrictInt if isinstance(default, int) else Real
    return Annotated[kind, Field(ge=setting.least, lt=below)]

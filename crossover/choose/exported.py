"""The form of an exported file, which any file of JSON is checked against."""

import itertools
from collections.abc import Iterator, Sized
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    model_validator,
)

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Time = Annotated[Real, Field(gt=0)]
Place = Annotated[int, Field(strict=True, ge=0)]
Beside = Annotated[int, Field(strict=True, ge=-1)]
Texts = list[StrictStr]


class Form(BaseModel):
    """A part of the file; keys that a later version adds are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Part(Form):
    """Cases to interpolate between."""

    free: Annotated[list[Place], Field(min_length=1, max_length=3)]
    of: Texts
    points: Annotated[list[Place], Field(min_length=2)]
    slopes: dict[str, list[Real]]
    errors: dict[str, list[Real | None]]
    corners: list[list[Place]]
    forms: list[list[list[Real]]]
    beside: list[list[Beside]]

    @model_validator(mode="after")
    def _fits(self) -> "Part":
        n, wide = len(self.points), len(self.free) + 1
        listed: list[Sized]
        if len(self.free) == 1:
            listed = [*self.slopes.values(), *self.errors.values()]
            needed = {*self.of} - (self.slopes.keys() & self.errors.keys())
        else:
            listed = [*self.errors.values()]
            needed = {*self.of} - self.errors.keys()
            sizes = {len(self.corners), len(self.forms), len(self.beside)}
            if not self.corners or len(sizes) > 1:
                raise ValueError("corners, forms and beside must be alike in number")
            wides = {len(row) for row in itertools.chain(self.corners, self.beside)}
            wides |= {len(form) for form in self.forms}
            wides |= {len(row) for form in self.forms for row in form}
            if wides != {wide}:
                raise ValueError(f"a simplex must have {wide} corners")
            if any(c >= n for row in self.corners for c in row):
                raise ValueError("corners: must be places of points")
            if any(c >= len(self.corners) for row in self.beside for c in row):
                raise ValueError("beside: must be places of simplices")
        if needed or any(len(row) != n for row in listed):
            raise ValueError("slopes and errors must have one for each point")
        return self


class Group(Form):
    """What was measured at one combination of settings."""

    settings: dict[str, Any]
    points: Annotated[list[list[Real]], Field(min_length=1)]
    times: dict[str, list[tuple[Place, Time, Time | None, Time | None, Texts]]]
    ratios: list[tuple[Place, str, str, Real, Real, Real, str]]
    parts: list[Part]

    @model_validator(mode="after")
    def _fits(self) -> "Group":
        if any(place >= len(self.points) for place in self._places()):
            raise ValueError("all places must be those of points")
        for part in self.parts:
            for who in part.of:
                timed = {row[0] for row in self.times.get(who, ())}
                if not timed.issuperset(part.points):
                    raise ValueError(f"{who} must have a time at each point of a part")
            self._check_free(part)
        return self

    def _places(self) -> Iterator[int]:
        yield from (row[0] for rows in self.times.values() for row in rows)
        yield from (row[0] for row in self.ratios)
        yield from (place for part in self.parts for place in part.points)

    def _check_free(self, part: Part) -> None:
        if any(axis >= len(self.points[0]) for axis in part.free):
            raise ValueError("free: must be places of axes")
        at = [[self.points[p][axis] for axis in part.free] for p in part.points]
        if any(value <= 0 for row in at for value in row):
            raise ValueError("free sizes must be above 0")
        if len(part.free) == 1 and any(a >= b for a, b in itertools.pairwise(at)):
            raise ValueError("points of a line must increase")


class Machine(Form):
    """The machine that was measured."""

    accelerators: Texts
    cpu: StrictStr | None = None
    cores: int | None = None
    driver: StrictStr | None = None
    torch: StrictStr | None = None


class Exported(Form):
    """The whole file."""

    schema_: Literal[1] = Field(alias="schema")
    axes: Annotated[Texts, Field(min_length=1)]
    settings: Texts
    groups: Annotated[list[Group], Field(min_length=1)]
    machine: Machine
    again: StrictStr
    doubts: Texts
    has_unit: StrictBool
    zones: list[dict[str, Any]]

    @model_validator(mode="after")
    def _fits(self) -> "Exported":
        for group in self.groups:
            if any(len(point) != len(self.axes) for point in group.points):
                raise ValueError("points must have a value for each of axes")
            if group.settings.keys() != {*self.settings}:
                raise ValueError("groups must have a value for each of settings")
            if not any(group.times.values()):
                raise ValueError("times: must hold one")
        return self

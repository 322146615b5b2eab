"""A job, declared as data: its sizes, settings, costs and implementations.

Every list, column, caption and option is made from a `Workload`. run.json keeps it, so
that a run is read without the code that measured it. Standard library only.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cached_property

from crossover.contender import Contender
from crossover.nouns import Case, Cell
from crossover.workloads.values import (
    Setting,
    Size,
    Value,
    check_setting,
    check_size,
    form,
    text,
)

MOST_DIGITS = 12
"""A size has at most this many digits."""
MOVED = "byte"
"""The name under which `work` counts, beside the costs, the bytes of one data move."""


def is_users(name: str) -> bool:
    """Tell whether a workload's name is a user's file, or a function of a module."""
    return name.endswith(".py") or ":" in name


@dataclass(frozen=True)
class Implementation:
    """One way to do the job, which contenders name: a trainer, for example."""

    name: str
    only_on: str = ""
    """The kind of device that it is written for; empty for any."""
    ranked: bool = False
    """Whether several processes can share a job."""


@dataclass(frozen=True)
class Workload:
    """A kind of job, as declared; a `Case` is one job of it."""

    name: str
    sizes: tuple[Size, ...]
    settings: tuple[Setting, ...] = ()
    costs: tuple[str, ...] = ()
    """The parts of its time: `step`, `row`. A measurement's `work` counts each."""
    shape: tuple[str, ...] = ()
    """The sizes and settings that one unit of a cost depends on."""
    implementations: tuple[Implementation, ...] = ()
    """All implementations; the first is meant if a contender names none."""
    check: float | None = None
    """How far contenders' results may lie apart, as a share of the largest; None if the
    engine does not compare them."""

    def __post_init__(self) -> None:
        # A merge looks up workloads a million times: the hash is computed once.
        parts = tuple(vars(self).values())
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        known: int = vars(self)["_hash"]
        return known

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The names of the sizes, in order."""
        return tuple(size.name for size in self.sizes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of a case's sizes and settings, in order."""
        return (*self.axes, *(setting.name for setting in self.settings))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names with a column in tables: a user's settings tell answers apart."""
        return self.names if self.is_users else self.axes

    @cached_property
    def repeating(self) -> str:
        """The name of the size that time is proportional to; "" if there is none."""
        return next((size.name for size in self.sizes if size.repeats), "")

    @property
    def is_users(self) -> bool:
        """Whether it is a user's file, or a function of a user's module."""
        return is_users(self.name)

    @property
    def _parts(self) -> tuple[Size | Setting, ...]:
        return (*self.sizes, *self.settings)

    @cached_property
    def _defaults(self) -> dict[str, Value]:
        return {part.name: part.default for part in self._parts}

    def size(self, name: str) -> Size:
        """Return the size called `name`, which must exist."""
        return next(size for size in self.sizes if size.name == name)

    def case(self, **values: Value) -> Case:
        """Return a case; values that are not given have their defaults.

        Raises:
            ValueError: for a name that the workload does not have, a size without
                default that is not given, or a value that is not allowed.
        """
        for name in values.keys() - self._defaults.keys():
            known = ", ".join(self.names)
            raise ValueError(f"{name}: unknown; must be one of {known}")
        whole = {**self._defaults, **values}
        self.check_sizes(whole)
        for setting in self.settings:
            check_setting(setting, whole[setting.name])
        return Case(self, tuple(whole.items()))

    def check_sizes(self, values: dict[str, Value]) -> None:
        """Check that the sizes of a case are allowed, alone and together.

        Raises:
            ValueError: naming the size, its value and what is allowed.
        """
        for size in self.sizes:
            check_size(size, values)

    def default(self, name: str) -> Value:
        """Return the default of a size or setting."""
        return self._defaults[name]

    def contender(self, text: str) -> Contender:
        """Read a contender's text; without a name, the first implementation is meant.

        Raises:
            ValueError: when the text has not the form of a contender.
        """
        usual = [one.name for one in self.implementations[:1]]
        return Contender.parse(text, *usual)

    @property
    def repeat(self) -> str:
        """The noun for one repeat: `epoch`; `call` if nothing repeats."""
        if not self.repeating:
            return "call"
        return self.size(self.repeating).one or self.repeating

    @property
    def repeats(self) -> str:
        """The noun for several repeats: `epochs`; `calls` if nothing repeats."""
        if not self.repeating:
            return "calls"
        return self.size(self.repeating).many or self.repeating

    def shape_of(self, case: Case) -> tuple[tuple[str, Value], ...]:
        """Return the values of a case on which one unit of each cost depends."""
        return tuple((name, case[name]) for name in self.shape)

    def said(self, case: Case, left_out: Container[str] = ()) -> str:
        """Return a case's sizes in words: `637 samples, batch size 32`."""
        kept = (size for size in self.sizes if size.name not in left_out)
        return ", ".join(size.said(case[size.name]) for size in kept)

    def settled(self, line: Case, axis: str, value: int) -> int:
        """Return a value on an axis, clipped to the size that it cannot exceed."""
        most = self.size(axis).most
        bound = line[most] if most else None
        return min(value, bound) if isinstance(bound, int) else value

    def case_id(self, case: Case) -> str:
        """Return a case's id: all sizes, then the settings off their defaults."""
        if not self._has_letters:
            return ",".join(f"{name}={text(v)}" for name, v in self._told(case))
        letters = {part.name: part.letter for part in self._parts}
        return "-".join(f"{letters[name]}{text(v)}" for name, v in self._told(case))

    def _told(self, case: Case) -> Iterator[tuple[str, Value]]:
        for name, value in case.values:
            if name in self._always_told or value != self._defaults[name]:
                yield name, value

    @cached_property
    def _always_told(self) -> tuple[str, ...]:
        """The sizes that every id holds; that of a user's file is about one step."""
        if not self.is_users:
            return self.axes
        return tuple(size.name for size in self.sizes if not size.repeats)

    def parse_case(self, name: str) -> Case:
        """Read a case's id.

        Raises:
            ValueError: when the text does not name a case.
        """
        match = self._pattern.fullmatch(name)
        if match is None:
            usual = {size.name: size.default or size.least for size in self.sizes}
            raise ValueError(
                f"case = {name[:80]!r}: must name {', '.join(self.axes)}, such as "
                f"{self.case(**usual).id}"
            )
        named = {n: part for n, part in match.groupdict().items() if part is not None}
        return self.case(**{n: self._read(n, part) for n, part in named.items()})

    def parse_cell(self, name: str) -> Cell:
        """Read a cell's id.

        Raises:
            ValueError: when the text does not name a cell.
        """
        case, _, contender = name.partition(":")
        return Cell(self.parse_case(case), self.contender(contender))

    @cached_property
    def _has_letters(self) -> bool:
        return all(size.letter for size in self.sizes)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        told = [size for size in self.sizes if size.name in self._always_told]
        mark = "-" if self._has_letters else ","
        sizes = mark.join(self._form(size) for size in told)
        others = [part for part in self._parts if part not in told]
        settings = [f"(?:{mark}{self._form(part)})?" for part in others]
        return re.compile(sizes + "".join(settings), re.ASCII)

    def _form(self, part: Size | Setting) -> str:
        """Return a regular expression for a size or setting in a case's id."""
        whole = f"\\d{{1,{MOST_DIGITS}}}"
        value = whole if isinstance(part, Size) else form(part)
        return f"{re.escape(self._lead(part))}(?P<{part.name}>{value})"

    def _lead(self, part: Size | Setting) -> str:
        return part.letter if self._has_letters else f"{part.name}="

    def _read(self, name: str, value: str) -> Value:
        if name in self.axes:
            return int(value)
        default = self._defaults[name]
        if isinstance(default, bool):
            return value == "true"
        if isinstance(default, tuple):
            return tuple(map(float, value.split("_")))
        kind = type(default)
        read: Value = kind(value)  # type: ignore[call-arg]
        return read

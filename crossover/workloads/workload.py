"""What the engine knows of a job, as data: sizes, settings, costs, implementations.

Every list, column, caption and option is made from a `Workload`; run.json keeps it, so
that a run is read without the code that measured it. Standard library only.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cached_property

from crossover.nouns import Case, Cell, Contender
from crossover.workloads.values import check_setting, check_size, form, text

MOST_DIGITS = 12
"""A size has at most this many digits."""
MOVED = "byte"
"""What `work` counts beside the costs, where data are moved: the bytes of one move."""
Value = object
"""What a size or setting holds: a number, a text, a truth value or some numbers."""


@dataclass(frozen=True)
class Size:
    """One whole number that says how large a job is; any of them can be the axis."""

    name: str
    """In specs, as an option, and as a column."""
    default: int | None = None
    letter: str = ""
    """In front of the number in a case's id; without one the id says `name=number`."""
    words: str = ""
    """The size as an axis: `number of samples`; its name if empty."""
    one: str = ""
    many: str = ""
    """What the number counts: 1 `sample`, 2 `samples`; alike where it is no noun."""
    least: int = 1
    repeats: bool = False
    """Time is proportional to it; long jobs are cut there. At most one size."""
    head: str = ""
    """Over a column of a table; its name if empty."""
    label: str = ""
    """At an axis of a figure; its words if empty."""
    most: str = ""
    """The size that it cannot exceed: along an axis, values are clipped to it."""
    at_least: str = ""
    """The size that it cannot be below: as many samples as classes."""

    @property
    def axis_words(self) -> str:
        """Name the size as an axis."""
        return self.words or self.name

    @property
    def axis_label(self) -> str:
        """Name the size at an axis of a figure."""
        return self.label or self.axis_words

    @property
    def column_head(self) -> str:
        """Name the size over a column of a table."""
        return self.head or self.name.capitalize()

    def said(self, value: int) -> str:
        """Write a value with what it counts: `637 samples`, `batch size 32`."""
        if not self.is_counted:
            return f"{self.axis_words} {value:,}"
        return f"{value:,} {self.counted(value)}"

    def counted(self, value: int) -> str:
        """Name what a fixed value counts: `sample` of 1, `samples` of 2, `a batch`."""
        return self.one if value == 1 else self.many

    @property
    def is_counted(self) -> bool:
        """Tell whether the number counts things that a noun names: `637 samples`."""
        return self.one != self.many


@dataclass(frozen=True)
class Setting:
    """A value beside the sizes that makes the job another: a rate, a dtype, a seed."""

    name: str
    default: bool | int | float | str | tuple[float, ...]
    letter: str = ""
    """In front of the value in a case's id, which holds it if it is not the default."""
    least: int | float | tuple[float, ...] | None = None
    """The least that is allowed, of each number where there are several."""
    below: int | float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Implementation:
    """One way to do the job; contenders name it."""

    name: str
    only_on: str = ""
    """The kind of device that it is written for; empty for any."""
    ranked: bool = False
    """Whether several processes can share it."""


@dataclass(frozen=True)
class Workload:
    """A kind of job."""

    name: str
    sizes: tuple[Size, ...]
    settings: tuple[Setting, ...] = ()
    costs: tuple[str, ...] = ()
    """What its time is made of: `step`, `row`. A measurement's `work` counts each."""
    shape: tuple[str, ...] = ()
    """The sizes and settings that one unit of a cost depends on."""
    implementations: tuple[Implementation, ...] = ()
    """The first is the one meant where a contender names none."""

    def __post_init__(self) -> None:
        # It is a key of tables that are asked a million times in a merge.
        parts = tuple(vars(self).values())
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        known: int = vars(self)["_hash"]
        return known

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """Name the sizes, in order."""
        return tuple(size.name for size in self.sizes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name the sizes and settings of a case, in order."""
        return (*self.axes, *(setting.name for setting in self.settings))

    @cached_property
    def repeating(self) -> str:
        """Name the size that time is proportional to; empty if there is none."""
        return next((size.name for size in self.sizes if size.repeats), "")

    @property
    def _parts(self) -> tuple[Size | Setting, ...]:
        return (*self.sizes, *self.settings)

    @cached_property
    def _defaults(self) -> dict[str, Value]:
        return {part.name: part.default for part in self._parts}

    def size(self, name: str) -> Size:
        """Return the size of a name.

        Raises:
            KeyError: if there is none.
        """
        return next(size for size in self.sizes if size.name == name)

    def case(self, **values: Value) -> Case:
        """Return a case; what is not given has its default.

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
        """Check that the sizes of a case are allowed, each and beside the others.

        Raises:
            ValueError: naming the size, its value and what is allowed.
        """
        for size in self.sizes:
            check_size(size, values)

    def default(self, name: str) -> Value:
        """Return the default of a size or setting."""
        return self._defaults[name]

    def contender(self, text: str) -> Contender:
        """Read a contender as it is typed; the first implementation is the usual one.

        Raises:
            ValueError: when the text is not of a contender's form.
        """
        usual = [one.name for one in self.implementations[:1]]
        return Contender.parse(text, *usual)

    @property
    def repeat(self) -> str:
        """Name one of what the job repeats: `epoch`; a `call` where nothing does."""
        if not self.repeating:
            return "call"
        return self.size(self.repeating).one or self.repeating

    @property
    def repeats(self) -> str:
        """Name several of what the job repeats: `epochs`."""
        if not self.repeating:
            return "calls"
        return self.size(self.repeating).many or self.repeating

    def shape_of(self, case: Case) -> tuple[tuple[str, Value], ...]:
        """Return what one unit of each cost depends on."""
        return tuple((name, case[name]) for name in self.shape)

    def said(self, case: Case, left_out: Container[str] = ()) -> str:
        """Write a case's sizes in words: `637 samples, batch size 32`."""
        kept = (size for size in self.sizes if size.name not in left_out)
        return ", ".join(size.said(case[size.name]) for size in kept)

    def settled(self, line: Case, axis: str, value: int) -> int:
        """Return an axis' value, clipped to the size that it cannot exceed."""
        most = self.size(axis).most
        bound = line[most] if most else None
        return min(value, bound) if isinstance(bound, int) else value

    def case_id(self, case: Case) -> str:
        """Name a case: every size, then the settings that are not the defaults."""
        if not self._has_letters:
            return ",".join(f"{name}={text(v)}" for name, v in self._told(case))
        letters = {part.name: part.letter for part in self._parts}
        return "-".join(f"{letters[name]}{text(v)}" for name, v in self._told(case))

    def _told(self, case: Case) -> Iterator[tuple[str, Value]]:
        for name, value in case.values:
            if name in self.axes or value != self._defaults[name]:
                yield name, value

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
        sizes = [
            f"{re.escape(self._lead(size))}(?P<{size.name}>\\d{{1,{MOST_DIGITS}}})"
            for size in self.sizes
        ]
        mark = "-" if self._has_letters else ","
        settings = [
            f"(?:{mark}{re.escape(self._lead(s))}(?P<{s.name}>{form(s)}))?"
            for s in self.settings
        ]
        return re.compile(mark.join(sizes) + "".join(settings), re.ASCII)

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

"""Sizes and settings: how they are declared, checked, and written in a case's id.

`workload.Workload` calls this for every case.
"""

import math
import re
from dataclasses import dataclass

Value = object
"""The value of a size or setting: a number, a text, a truth value or some numbers."""
_NUMBER = r"-?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?"
_TEXT = r"\w[\w.+]{0,39}"
"""A text setting's value. Digits and letters are limited: ids come from any file."""


@dataclass(frozen=True)
class Size:
    """One whole number that tells how large a job is; any size can be the axis."""

    name: str
    """The name in specs, options and columns."""
    default: int | None = None
    letter: str = ""
    """Stands before the number in a case's id; if empty, the id has `name=number`."""
    words: str = ""
    """Name as an axis, such as `number of samples`; the name if empty."""
    one: str = ""
    many: str = ""
    """Noun for what is counted: 1 `sample`, 2 `samples`; both alike if uncountable."""
    least: int = 1
    repeats: bool = False
    """Whether time is proportional to this size, so that long jobs can be cut there. At
    most one size repeats."""
    head: str = ""
    """Head of its column in a table; the name if empty."""
    label: str = ""
    """Label of its axis in a figure; the words if empty."""
    most: str = ""
    """Another size that this one cannot exceed; along an axis, values are clipped."""
    at_least: str = ""
    """Another size that this one cannot be below: for samples, the classes."""

    @property
    def axis_words(self) -> str:
        """The name of the size as an axis."""
        return self.words or self.name

    @property
    def axis_label(self) -> str:
        """The label of the size at an axis of a figure."""
        return self.label or self.axis_words

    @property
    def column_head(self) -> str:
        """The head of the size's column in a table."""
        return self.head or self.name.capitalize()

    def said(self, value: int) -> str:
        """Return a value with its noun: `637 samples`, `batch size 32`."""
        if not self.is_counted:
            return f"{self.axis_words} {value:,}"
        return f"{value:,} {self.counted(value)}"

    def counted(self, value: int) -> str:
        """Return the noun for a value: `sample` for 1, `samples` for 2."""
        return self.one if value == 1 else self.many

    @property
    def is_counted(self) -> bool:
        """Whether the number counts things that a noun names, as in `637 samples`."""
        return self.one != self.many


@dataclass(frozen=True)
class Setting:
    """A value beside the sizes that changes the job: a rate, a dtype, a seed."""

    name: str
    default: bool | int | float | str | tuple[float, ...]
    letter: str = ""
    """Stands before the value in a case's id, which has only values off the default."""
    least: int | float | tuple[float, ...] | None = None
    """The least value that is allowed, or one for each of several numbers."""
    below: int | float | None = None
    choices: tuple[str, ...] = ()


def check_size(size: Size, values: dict[str, object]) -> None:
    """Check that a size is a whole number and large enough.

    Raises:
        ValueError: naming the size, its value and what is allowed.
    """
    value = values[size.name]
    if isinstance(value, bool) or not isinstance(value, int) or value < size.least:
        raise ValueError(f"{size.name} = {value!r}: must be an integer >= {size.least}")
    least = values[size.at_least] if size.at_least else None
    if isinstance(least, int) and value < least:
        raise ValueError(
            f"{size.name} = {value}: must be at least {size.at_least} = {least}"
        )


def check_setting(setting: Setting, value: object) -> None:
    """Check that a value has the default's type and lies within the bounds.

    Raises:
        ValueError: naming the setting, its value and what is allowed.
    """
    parts = value if isinstance(value, tuple) else (value,)
    usual = setting.default
    kinds = usual if isinstance(usual, tuple) else (usual,)
    if len(parts) != len(kinds) or not all(map(_is_alike, parts, kinds)):
        raise ValueError(f"{setting.name} = {value!r}: must be like {usual!r}")
    if setting.choices and value not in setting.choices:
        allowed = " or ".join(setting.choices)
        raise ValueError(f"{setting.name} = {value!r}: must be {allowed}")
    least = setting.least if isinstance(setting.least, tuple) else (setting.least,)
    below = math.inf if setting.below is None else setting.below
    lows = [-math.inf if low is None else low for low in least]
    for part, low in zip(parts, lows * (len(parts) // len(lows)), strict=True):
        if isinstance(part, int | float) and not low <= part < below:
            raise ValueError(
                f"{setting.name} = {value!r}: must be a number in [{low:g}, {below:g})"
            )


def _is_alike(value: object, usual: object) -> bool:
    if isinstance(usual, float):
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and -math.inf < value < math.inf
        )
    return type(value) is type(usual)


def text(value: object) -> str:
    """Return a value as text; a number as by `:g`, with more digits if needed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "_".join(map(text, value))
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def form(setting: Setting) -> str:
    """Return a regular expression for the texts of a setting."""
    default = setting.default
    if setting.choices:
        return "|".join(map(re.escape, setting.choices))
    if isinstance(default, bool):
        return "true|false"
    if isinstance(default, tuple):
        return "_".join([_NUMBER] * len(default))
    if isinstance(default, int):
        return r"-?\d{1,30}"
    return _NUMBER if isinstance(default, float) else _TEXT

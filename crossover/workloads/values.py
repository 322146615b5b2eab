"""Check the values of sizes and settings, and write them in a case's id.

`workload.Workload` calls this for every case.
"""

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossover.workloads.workload import Setting, Size

_NUMBER = r"-?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?"
_TEXT = r"[a-z]\w{0,39}"
"""A text setting's value. Digits and letters are limited: ids come from any file."""


def check_size(size: "Size", values: dict[str, object]) -> None:
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


def check_setting(setting: "Setting", value: object) -> None:
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


def form(setting: "Setting") -> str:
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

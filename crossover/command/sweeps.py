"""The sweeps that are asked for by sizes and settings: `hidden=64..4096 batch=32`.

`ask` calls it with the texts of options and of words.
"""

import itertools
import math
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

from crossover.files.untrusted import InputError, near, shown
from crossover.plan.next_size import roundest
from crossover.spec.bounds import MOST_CELLS
from crossover.workloads.registry import definition
from crossover.workloads.values import Setting, Size, Value, check_setting
from crossover.workloads.workload import MOST_DIGITS, Workload

SIZE = re.compile(rf"\d{{1,{MOST_DIGITS}}}", re.ASCII)
RANGE = ".."
FACTOR = 4
"""About the ratio of neighbouring sizes with which the search of a range begins."""
AROUND = 16
"""Without an axis, a file is swept from a default over this to it times this."""
TRUTHS = {"true": True, "false": False}
Row = dict[str, Any]


def sweeps(
    workload: Workload, own: Sequence[Row], texts: Mapping[str, str], based: bool
) -> list[Row]:
    """Return the spec's sweeps, or those of its job at what is given.

    A range is the axis, and lists beside it are groups. Without one, each list of
    sizes is an axis in turn, at every combination of the others. A single value is
    fixed; where only such values are given of settings, and of sizes that a unit of the
    costs depends on (features, say), the spec's own sweeps have them.

    Args:
        workload: whose sizes and settings they are.
        own: the spec's sweeps.
        texts: by name, such as `64..4096`, `8,64` or `float64`.
        based: whether other values are those of the spec's first sweep.

    Raises:
        InputError: naming what was given, its value and what is allowed.
    """
    if not texts:
        return [*own]
    given = {name: _values(workload, name, text) for name, text in texts.items()}
    ranged = [name for name, text in texts.items() if RANGE in text]
    if len(ranged) > 1:
        raise InputError(
            f"{' and '.join(f'{n}={texts[n]}' for n in ranged)}: must be one range, "
            "which is the axis; others may be lists"
        )
    single = {name: found[0] for name, found in given.items() if len(found) == 1}
    settings = {setting.name for setting in workload.settings}
    axes = ranged or [n for n in given if n not in single and n not in settings]
    if not axes and (based or given.keys() <= {*workload.shape, *settings}):
        groups = _combinations(given)
        made = [_fixed(sweep, group) for sweep in own for group in groups]
        return [eased(workload, row, given) for row in made]
    base = {**own[0]} if based else {}
    axes = axes or [n for n in given if n not in workload.shape][:1]
    made = []
    for axis in axes:
        others = {n: values for n, values in given.items() if n != axis}
        for group in _combinations(others):
            row = {n: v for n, v in {**base, **group}.items() if n != axis}
            row |= {"axis": axis, "values": given[axis]}
            if axis in ranged:
                row["closed"] = True
            made.append(eased(workload, row, given))
    return made


def _combinations(given: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Return every combination of the values given.

    Raises:
        InputError: if there are too many.
    """
    made_of = math.prod(map(len, given.values()))
    if made_of > MOST_CELLS:
        raise InputError(
            f"{', '.join(given)}: {made_of:,} combinations; must be at most "
            f"{MOST_CELLS:,}"
        )
    chosen = itertools.product(*given.values())
    return [dict(zip(given, values, strict=True)) for values in chosen]


def usual_sweep(workload: Workload, given: Container[str]) -> Row:
    """Return the sweep of a user's file: along its first size that is not given."""
    sizes = [size for size in workload.sizes if not size.repeats]
    free = [size for size in sizes if size.name not in given] or sizes
    if not free:
        raise InputError(
            f"{workload.name}: has no size; must have an argument with an integer as "
            "default, such as hidden=256"
        )
    default = max(1, free[0].default or 1)
    most = max(default * AROUND, FACTOR**2)
    return {"axis": free[0].name, "values": ladder(max(1, default // AROUND), most)}


def ladder(low: int, high: int) -> list[int]:
    """Return round sizes from low to high, by about equal factors."""
    steps = max(2, math.ceil(math.log(high / low) / math.log(FACTOR)))
    between = (low * (high / low) ** (i / steps) for i in range(1, steps))
    inner = {size for x in between if low < (size := roundest(x)) < high}
    return sorted({low, high, *inner})


def _fixed(sweep: Row, single: Row) -> Row:
    """Return a sweep at given values; if its axis is given, that is its only value."""
    alone = {"values": [single[sweep["axis"]]]} if sweep["axis"] in single else {}
    return {**sweep, **single, **alone}


def eased(workload: Workload, sweep: Row, given: Container[str]) -> Row:
    """Return a sweep with the settings that its sizes need, unless they are given."""
    needed = definition(workload.name).eased(sweep, given)
    return {**sweep, **{n: v for n, v in needed.items() if n not in given}}


def _values(workload: Workload, name: str, text: str) -> list[Any]:
    """Read the values of a size or setting.

    Raises:
        InputError: naming it, the text and what is allowed.
    """
    for setting in workload.settings:
        if setting.name == name:
            return [_setting(setting, part.strip()) for part in text.split(",")]
    if name not in workload.axes:
        known = workload.names
        raise InputError(
            f"{name} = {shown(text)}: workload {workload.name} has no such size or "
            f"setting; must be one of {', '.join(known)}{near(name, known)}"
        )
    size = workload.size(name)
    if RANGE not in text:
        return [*dict.fromkeys(_size(size, part, text) for part in text.split(","))]
    ends = [_size(size, part, text) for part in text.split(RANGE)]
    if len(ends) != 2 or not 1 <= ends[0] <= ends[1]:
        raise InputError(
            f"{name} = {shown(text)}: must be A..B with 1 <= A <= B, such as 64..4096"
        )
    low, high = ends
    return [low] if low == high else ladder(low, high)


def _size(size: Size, part: str, text: str) -> int:
    digits = part.strip()
    if not SIZE.fullmatch(digits) or int(digits) < size.least:
        raise InputError(
            f"{size.name} = {shown(text)}: must be integers >= {size.least} separated "
            f"by commas, or A..B, of at most {MOST_DIGITS} digits"
        )
    return int(digits)


def _setting(setting: Setting, part: str) -> Value:
    """Read one value of a setting, which is like its default.

    Raises:
        InputError: naming it, the text and what is allowed.
    """
    usual = setting.default
    value: Value = part
    try:
        if isinstance(usual, bool):
            value = TRUTHS.get(part, part)
        elif isinstance(usual, tuple):
            value = tuple(map(float, part.split("_")))
        elif isinstance(usual, int | float):
            value = type(usual)(part)
        check_setting(setting, value)
    except ValueError as error:
        must = "be true or false" if isinstance(usual, bool) else f"be like {usual!r}"
        if str(error).startswith(setting.name):
            raise InputError(str(error)) from error
        raise InputError(f"{setting.name} = {shown(part)}: must {must}") from error
    return value

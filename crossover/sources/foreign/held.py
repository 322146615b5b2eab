"""What a file of another tool holds: rows of times, each with the names it goes by.

The reader of each format makes a `Held`; `question` chooses its columns and `answers`
finds the crossovers.
"""

import hashlib
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from crossover.files.untrusted import InputError, printable, shown
from crossover.spec.bounds import LARGEST

SMALLEST = 1e-18
MOST_TIMES = 2_000_000
LONGEST = 160
"""Longer texts are cut, and told apart by a number."""
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0}
BENCHMARK = "benchmark"
"""The column of the benchmark's name, without its parameters."""
FUNCTION, SUITE, JOB, DEVICE = "function", "suite", "job", "device"
"""Parts of a benchmark's name, as columns."""
COMMAND = "command"
NAMES = (BENCHMARK, SUITE, FUNCTION, JOB, COMMAND, "Device")
"""The columns that hold a name or a number of one, which others may say, too."""
WHERE = ("machine", "environment", "python", "commit", "file", "version")
"""The columns that say where and from what code a row was measured."""
_NAMED_SIZE = re.compile(r"(?<![A-Za-z0-9.])[0-9]{1,15}(?![A-Za-z0-9.])")
_SIZE = re.compile(
    r"(?:[0-9]+(?:_[0-9]{3})*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
)
_POWER = re.compile(r"([0-9]{1,2}) ?(?:\^|\*\*) ?([0-9]{1,2})")
_SEQUENCE = re.compile(r"[\[(] ?([0-9]+(?: ?, ?[0-9]+)+) ?,? ?[\])]")
_WORDS = (
    "cpu", "gpu", "cuda", "hip", "rocm", "xpu", "mps", "metal", "opencl", "sycl",
    "tpu", "vulkan", "numpy", "cupy",
)  # fmt: skip
_CAPITALS = "|".join(form for word in _WORDS for form in (word.upper(), word.title()))
DEVICE_WORD = re.compile(
    f"(?<![A-Za-z])(?:{'|'.join(_WORDS)}|{_CAPITALS})(?![a-z])"
    f"|(?<=[a-z0-9])(?:{_CAPITALS})(?![a-z])"
)
"""A word in a benchmark's name that says on what it ran: time_sort_cpu, BM_GpuSort."""


@dataclass(frozen=True)
class Row:
    """One measurement of a file, under the names that the file gives it."""

    keys: dict[str, str]
    """The parameters and circumstances that tell it from others, by column."""
    times: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Seconds, or a rate, of every repetition, by what they are called."""
    why: str = ""
    """Why there is no time, or not every one."""
    others: dict[str, str] = field(default_factory=dict)
    """Columns that count only where the user names them."""
    statistic: str = ""
    """What each time is, if it is no single measurement: `median`."""


@dataclass(frozen=True)
class Held:
    """All that was read from the files of one tool."""

    tool: str
    """What the files are, in words: `google-benchmark's JSON`."""
    source: str
    """How the user named them."""
    command: str
    """How the commands begin that can be copied."""
    rows: tuple[Row, ...]
    metrics: tuple[str, ...]
    """What is taken for the time: the first of these that all rows have."""
    synonyms: dict[str, str] = field(default_factory=dict)
    """Other names of columns and times, such as those in the file's own head."""
    left_out: tuple[str, ...] = ()
    """What could not be read, in words."""
    notes: tuple[str, ...] = ()
    """What was chosen of more, in words."""


def size_of(text: str) -> float | None:
    """Return the number > 0 that a text is, such as 1000, 1e4 or 2^10; None if none."""
    if _SIZE.fullmatch(text) and len(text) < 40:
        found = float(text.replace("_", ""))
    elif match := _POWER.fullmatch(text):
        found = float(match[1]) ** int(match[2])
    else:
        return None
    return found if 0 < found <= LARGEST else None


def checked(
    values: Iterable[object], unit: float = 1.0
) -> tuple[tuple[float, ...], str]:
    """Return the values that are times, in seconds, and what is wrong with the others.

    Args:
        values: numbers, or anything else that a file holds in their place.
        unit: the seconds that 1 stands for.
    """
    values = tuple(values)
    if {*map(type, values)} == {float}:  # by far the most frequent
        times = tuple(number * unit for number in values)  # type: ignore[operator]
        if min(times) >= SMALLEST and max(times) <= LARGEST:
            return times, ""
    kept: list[float] = []
    wrong: list[str] = []
    for value in values:
        number = _number(value)
        if number is not None and SMALLEST <= number * unit <= LARGEST:
            kept.append(number * unit)
        else:
            wrong.append(shown(value)[:40])
    more = ", ..." if len(set(wrong)) > 3 else ""
    said = ", ".join(list(dict.fromkeys(wrong))[:3])
    return tuple(kept), f"{said}{more}: no time" if wrong else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def is_nan(value: object) -> bool:
    """Tell a value that is not a number from all others."""
    return isinstance(value, float) and math.isnan(value)


def as_text(value: object) -> str:
    """Return a parameter as a text: a number or a word as it is typed."""
    if value is None:
        return "None"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list | tuple):
        return f"({', '.join(map(as_text, value))})"
    text = printable(str(value))
    if len(text) <= LONGEST:
        return text
    told_apart = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
    return f"{text[:LONGEST]}...{told_apart}"


def with_parts(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Add what the names hold: the device in a benchmark's, the numbers in a tuple.

    Columns are added only where they tell rows apart.

    Raises:
        InputError: when there are more times than can be analysed.
    """
    n = sum(len(times) for row in rows for times in row.times.values())
    if n > MOST_TIMES:
        raise InputError(f"times = {n:,}: must be at most {MOST_TIMES:,}; read fewer")
    return tuple(_devices(_numbers(_sequences(rows))))


def _numbers(rows: Sequence[Row]) -> Sequence[Row]:
    """Take the number out of each benchmark's name, where no parameter is a number."""
    names = dict.fromkeys(row.keys.get(BENCHMARK, "") for row in rows)
    stems = {name: _NAMED_SIZE.sub("*", name) for name in names}
    numbers = {name: _NAMED_SIZE.findall(name) for name in names}
    has_numbers = len({n[0] for n in numbers.values() if len(n) == 1}) > 1
    no_parameters = {*NAMES, *WHERE}
    texts = {item for row in rows for item in row.keys.items()}
    has_sizes = any(
        size_of(text) is not None for name, text in texts if name not in no_parameters
    )
    if has_sizes or not has_numbers or len({*stems.values()}) == len(stems):
        return rows
    named = []
    for row in rows:
        name, keys = row.keys.get(BENCHMARK, ""), dict(row.keys)
        if len(numbers[name]) == 1:
            keys |= {BENCHMARK: stems[name], "number": numbers[name][0]}
            if FUNCTION in keys:
                keys[FUNCTION] = _NAMED_SIZE.sub("*", keys[FUNCTION])
        named.append(replace(row, keys=keys))
    return named


def _devices(rows: Sequence[Row]) -> Sequence[Row]:
    """Add the device that a benchmark's name holds, and the job that is left of it."""
    taken = {name for row in rows for name in row.keys}
    if {DEVICE, JOB} & taken:
        return rows
    names = {(r.keys.get(BENCHMARK, ""), r.keys.get(FUNCTION, "")) for r in rows}
    split = {name: _device(*name) for name in names}
    jobs: dict[str, set[str]] = {}
    for job, device in split.values():
        jobs.setdefault(job, set()).add(device)
    if not any(len(devices - {""}) > 1 for devices in jobs.values()):
        return rows
    parted = []
    for row in rows:
        name = row.keys.get(BENCHMARK, ""), row.keys.get(FUNCTION, "")
        job, device = split[name]
        parted.append(replace(row, keys={**row.keys, JOB: job, DEVICE: device}))
    return parted


def _device(name: str, function: str) -> tuple[str, str]:
    """Split a name into its job and the one device in its function, or in it."""
    for part in filter(None, (function, name)):
        words = DEVICE_WORD.findall(part)
        if len(words) == 1:
            job = name.removesuffix(part) + DEVICE_WORD.sub("*", part)
            return job, words[0].lower()
    return name, ""


def _sequences(rows: Sequence[Row]) -> Sequence[Row]:
    """Spread parameters such as (32, 64) over a column for each of their numbers."""
    texts = {item for row in rows for item in row.keys.items()}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, text in texts:
        if match := _SEQUENCE.fullmatch(text):
            parts = tuple(part.strip() for part in match[1].split(","))
            found.setdefault(name, {})[text] = parts
    if not found:
        return rows
    spread = []
    for row in rows:
        more = {
            f"{name}.{i}": part
            for name in found.keys() & row.keys.keys()
            for i, part in enumerate(found[name].get(row.keys[name], ()))
        }
        spread.append(replace(row, keys={**row.keys, **dict(sorted(more.items()))}))
    return spread


def column_name(name: str, taken: Iterable[str]) -> str:
    """Return a parameter's name, or one like it where a column is called so."""
    known = set(taken)
    if name not in known:
        return name
    numbered = (
        f"parameter {name}{n}" for n in itertools.chain([""], itertools.count(2))
    )
    return next(free for free in numbered if free not in known)

"""The column of times as numbers: seconds if a unit is known; of a rate, 1 / rate.

What a column's name and a unit's spelling say is a time, a rate, or neither.
"""

import itertools
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from crossover.files.untrusted import InputError, listed, shown
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.file import Rows
from crossover.spec.bounds import LARGEST

SPELLINGS = {
    1e-12: "ps psec picosecond picoseconds",
    1e-9: "ns nsec nsecs nano nanos nanosec nanosecond nanoseconds",
    1e-6: "us usec usecs μs μsec micro micros microsec microsecond microseconds",
    1e-3: "ms msec msecs milli millis millisec millisecond milliseconds",
    1.0: "s sec secs second seconds",
    60.0: "min mins minute minutes",
    3600.0: "h hr hrs hour hours",
    86400.0: "d day days",
}
SECONDS = {word: unit for unit, words in SPELLINGS.items() for word in words.split()}
TIMES = {
    "time", "times", "timing", "duration", "elapsed", "latency", "runtime", "realtime",
    "cputime", "gputime", "wall", "walltime", "wallclock", "t",
}  # fmt: skip
"""Words for a time that say no unit."""
RATES = {
    "throughput", "bandwidth", "rate", "speed", "speedup", "performance", "perf",
    "score", "accuracy", "efficiency", "utilization", "utilisation", "occupancy",
}  # fmt: skip
RATE = re.compile(
    "[kmgtpe]?i?flops?|[kmgtp]?(ops|hz|bps|ips|pps|lups|teps|cups)|[fqrtswc]ps|mips"
)
"""A word for a rate: GFLOPS, kops, Gbps, MLUPS, fps, qps, Hz."""
BYTES = re.compile("[kmgtp]?i?(b|bit|bits|byte|bytes)")
LONGEST = 200
"""At most this many characters of a name are read."""
UNIT_WORDS = {"unit", "units", "timeunit", "timeunits"}
SMALLEST = 1e-18
WITH_UNIT = re.compile(
    r"\s*((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*([^\W\d]+)\s*"
)
LONGEST_TIME = 60
"""A time with its unit has at most this many characters."""


def words(name: str) -> list[str]:
    """Split a name into lower-case words; `/` is read as `per`, `s^-1` as `per s`.

    A part that is one word as a whole, such as GFLOPs, is not split at its capitals.
    """
    text = unicodedata.normalize("NFKC", name[:LONGEST])
    text = re.sub(r"\b(s|sec)\s*(\^|\*\*)?\s*[-\u2212]\s*1\b", "/s", text)
    found: list[str] = []
    for part in re.findall(r"[^\W_]+|/", text):
        whole = part.casefold()
        if whole == "/":
            found.append("per")
        elif _is_known(whole):
            found.append(whole)
        else:
            parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\WA-Z\d_]+|\d+|.", part)
            found += [p.casefold() for p in parts]
    return found


def _is_known(word: str) -> bool:
    return word in SECONDS or word in TIMES or is_rate_word(word)


def is_rate_word(word: str) -> bool:
    """Tell whether one word names something of which more is better."""
    return word in RATES or RATE.fullmatch(word) is not None


def seconds_of(unit: str) -> float | None:
    """Return the seconds of a unit of time in any spelling; None if it is none."""
    text = unicodedata.normalize("NFKC", unit[:LONGEST]).strip(" \t()[].").casefold()
    return SECONDS.get(text)


def named_unit(name: str) -> float | None:
    """Return the seconds of the unit that a column's name ends in, or None.

    Up to seconds: `min` is rather the minimum.
    """
    last = words(name)[-1:]
    unit = SECONDS.get(last[0]) if last and not is_rate(name) else None
    return unit if unit is not None and unit <= 1 else None


def is_rate(name: str) -> bool:
    """Tell whether a name is that of a rate, or of another number to be maximised.

    `items_per_second`, `GB/s`, `GFLOPS`, `fps` and `throughput` are; `ns/op`, `time/s`
    and `seconds_per_step` are not.
    """
    said = words(name)
    if "per" in said:
        at = said.index("per")
        if any(w in SECONDS or w in TIMES for w in said[:at]):
            return False
        if said[at + 1 : at + 2] and said[at + 1] in SECONDS:
            return True
    of_bytes = any(
        BYTES.fullmatch(one) and other in SECONDS
        for one, other in itertools.pairwise(said)
    )
    return of_bytes or any(map(is_rate_word, said))


def is_unit_column(name: str, time: str) -> bool:
    """Tell whether a column's name says that it holds the unit of the times.

    `unit`, `time_unit` and `units_of_time` do, and `real_time_unit` where `real_time`
    is the column of times; `memory_unit` does not.
    """
    said = set(words(name))
    rest = said - UNIT_WORDS - {"of", "the", *words(time), *TIMES}
    return bool(said & UNIT_WORDS) and not rest


def read_times(rows: Rows, asked: TableAsk) -> "pd.Series[float]":
    """Return the times of a table: seconds, or 1 / rate.

    Raises:
        InputError: for what is no number > 0 (with its line), for units that do not
            go together, and for a rate without `higher_is_better`.
    """
    texts = rows.frame([asked.time])[asked.time]
    is_plain = pd.to_numeric(texts, errors="coerce").notna().all()
    own = texts.map(lambda text: None if is_plain else _own_unit(text)).astype(float)
    of_column = _column_units(rows, asked)
    _check_meaning(asked, own, of_column)
    bare = texts.where(own.isna(), texts.map(_number_part))
    numbers = positive(bare, rows.lines, texts)
    if own.notna().any():
        if own.isna().any():
            at = int(np.flatnonzero(own.isna())[0])
            raise InputError(
                f"{asked.time} = {shown(texts.iloc[at])} in line {rows.lines[at]}: "
                f"must have a unit, as {shown(texts[own.notna()].iloc[0])} has"
            )
        return numbers * own
    if of_column is not None and not asked.higher_is_better:
        numbers = numbers * of_column
    return 1 / numbers if asked.higher_is_better else numbers


def positive(
    column: "pd.Series[str]",
    lines: Sequence[int],
    texts: "pd.Series[str] | None" = None,
) -> "pd.Series[float]":
    """Return numbers > 0.

    Args:
        column: what holds them.
        lines: of the file, one for each.
        texts: how they are written there, if not so.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    bad = np.flatnonzero(~((numbers <= LARGEST) & (numbers >= SMALLEST)))
    if len(bad):
        at = int(bad[0])
        text = (column if texts is None else texts).iloc[at]
        raise InputError(
            f"{column.name} = {shown(text)} in line {lines[at]}: must be a number > 0"
        )
    return numbers


def unit_columns(rows: Rows, asked: TableAsk) -> list[int]:
    """Return the places of the columns that hold the units of the times.

    Those that are called so, and any that holds several units of time and nothing else.
    """
    found = []
    for place in rows.unnamed(asked):
        if is_unit_column(rows.heads[place], asked.time):
            found.append(place)
            continue
        values = set(rows.column(place)) if rows.rows else set()
        if 1 < len(values) < 10 and None not in {seconds_of(v) for v in values}:
            found.append(place)
    return found


def _own_unit(text: str) -> float | None:
    """Return the seconds of the unit in a cell such as `20.5 us`, or None."""
    match = WITH_UNIT.fullmatch(text[: LONGEST_TIME + 1])
    return seconds_of(match[2]) if match and len(text) <= LONGEST_TIME else None


def _number_part(text: str) -> str:
    match = WITH_UNIT.fullmatch(text)
    return match[1] if match else text


def _column_units(rows: Rows, asked: TableAsk) -> "pd.Series[float] | None":
    """Return the seconds of each row's unit; None where no column tells.

    Raises:
        InputError: for several units of which one is no unit of time.
    """
    told: list[pd.Series[float]] = []
    for place in unit_columns(rows, asked):
        head, texts = rows.heads[place], rows.column(place)
        present = list(dict.fromkeys(texts))
        units = {text: seconds_of(text) for text in present}
        if None not in units.values():
            _check_name(asked, head, units)
            told.append(pd.Series(texts).map(units).astype(float))
        elif len(present) > 1:
            text = next(text for text, unit in units.items() if unit is None)
            raise InputError(
                f"{head} = {shown(text)} in line {rows.lines[texts.index(text)]}: must "
                f"be a unit of time such as ns, us, ms or s, as the other rows differ "
                f"({listed(present, 4)})"
            )
        elif is_rate(present[0]) and asked.higher_is_better is None:
            raise InputError(_rate(f"{head} = {shown(present[0])}"))
    if len(told) > 1 and not all(np.array_equal(told[0], t) for t in told[1:]):
        raise InputError(
            f"columns = {[rows.heads[i] for i in unit_columns(rows, asked)]}: only one "
            "must hold the unit of the times; name the other with --pool"
        )
    return told[0] if told else None


def _check_name(asked: TableAsk, head: str, units: dict[str, float | None]) -> None:
    said = named_unit(asked.time)
    if said is not None and len({*units.values()}) > 1:
        raise InputError(
            f"{asked.time} names a unit and {head} holds {listed(list(units), 4)}: add "
            f"--pool {head} if that is not the unit of {asked.time}"
        )


def _check_meaning(
    asked: TableAsk, own: "pd.Series[float]", of_column: "pd.Series[float] | None"
) -> None:
    """Refuse a rate taken for a time, and a time taken for a rate."""
    if asked.higher_is_better is None and is_rate(asked.time):
        raise InputError(_rate(f"time = {asked.time!r}"))
    is_time = named_unit(asked.time) is not None or any(
        word in TIMES for word in words(asked.time)
    )
    has_unit = of_column is not None or own.notna().any()
    if asked.higher_is_better and (has_unit or (is_time and not is_rate(asked.time))):
        raise InputError(
            f"time = {asked.time!r}: is a time, of which less is better; leave out "
            "--higher-is-better"
        )


def _rate(what: str) -> str:
    return (
        f"{what}: is a rate, of which more is better; add --higher-is-better, or "
        "--lower-is-better if it is a time all the same"
    )

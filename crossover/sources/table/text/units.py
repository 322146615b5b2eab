"""What a column's name and a unit's spelling say: a time, a rate, or neither."""

import itertools
import re
import unicodedata

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

"""One cell of the times -> numbers: with a unit, several, a mean, a bound, a failure.

In: the texts of the column of times. Out: a `Cell` each, or None for what is no time.
"""

import re
from dataclasses import dataclass

from crossover.sources.table.text.marks import is_json_list, normal, number
from crossover.sources.table.text.units import is_rate, seconds_of

FAILED = {
    "", "-", "--", "---", "\u2013", "\u2014", "nan", "na", "n/a", "n.a.", "#n/a",
    "null",
    "none", "nil", "inf", "+inf", "infinity", "oom", "out of memory", "error", "err",
    "fail", "failed", "failure", "crash", "crashed", "killed", "aborted", "skip",
    "skipped", "missing", "unsupported", "not supported", "unavailable", "timeout",
    "time out", "timed out", "tle", "dnf", "dnr", "x", "?", "*", "#value!", "#ref!",
    "#div/0!", "#name?", "#num!", "#nv", "#wert!", "cuda error", "not measured",
    "false",
}  # fmt: skip
"""Texts that say that a contender has no time there."""
SAID_FAILED = re.compile(
    r".*(out[ _-]?of[ _-]?mem|\boom\b|error|exception|segfault|segmentation|signal"
    r"|crash|killed|fail|not (?:enough|supported|available|run|measured)).*"
)
BOUND = re.compile(
    r"(?:>=?|\u2265|over|more than|at least|above|exceeds|exceeded|longer than"
    r"|(?:timeout|time out|timed out|tle|killed|dnf|stopped)\W*(?:after|at|>|in)?)"
    r"\W*(?=[0-9.,])(?P<rest>.*?)\)?"
)
PLUS = re.compile(r"(?P<rest>[0-9.,]+(?:e[-+]?[0-9]+)?)\s*\+\s*(?P<unit>[^\W\d]*)")
BELOW = re.compile(r"(?:<=?|\u2264|under|below|less than)\s*[0-9.,].*")
NUMBER = r"[-+]?[0-9.,]*[0-9.,](?:[eE][-+]?[0-9]+)?"
SPREAD = re.compile(
    rf"\(?(?P<rest>{NUMBER})\s*(?P<unit>[^\W\d]*)\s*"
    rf"(?:(?:\u00b1|\+\s*/\s*-|\+-)\s*{NUMBER}|\(\s*(?:\u00b1|\+\s*/\s*-|\+-)?\s*"
    rf"{NUMBER}\s*%?\))\s*%?\)?\s*(?P<after>[^\W\d]*)"
)
"""A mean and how far its times spread: 1.23 ± 0.05 ms, 1.23 (0.05)."""
WITH_UNIT = re.compile(rf"(?P<rest>{NUMBER})\s*(?P<unit>[^\W\d_][^\d\s]*)")
CLOCK = re.compile(r"(?:([0-9]+):)?([0-5]?[0-9]):([0-5][0-9](?:[.,][0-9]+)?)")
PARTS = re.compile(
    r"(?:([0-9]+)\s*h\w*\s*)?(?:([0-9]+)\s*m(?:in\w*)?\s*)?([0-9]+(?:[.,][0-9]+)?)\s*s\w*"
)
LONGEST = 60
MOST_VALUES = 1000
"""A cell has at most this many times."""


@dataclass(frozen=True)
class Cell:
    """What one cell of the column of times says."""

    values: tuple[float, ...] = ()
    unit: float | None = None
    """Seconds of the unit that the cell names, if any."""
    is_bound: bool = False
    """Whether the time is at least that."""
    failed: str = ""
    """How a contender failed that has no time."""
    is_mean: bool = False
    is_rate: bool = False


def read_cell(text: str, decimal: str) -> Cell | None:
    """Read one cell; None if it is neither a time nor says why there is none."""
    plain = normal(text)
    value = number(plain, decimal)
    if value is not None:
        return _timed(value)
    if len(several := _several(plain, decimal)) > 1:
        return _of_several(several, decimal)
    if _is_bracketed(plain):
        plain = plain[1:-1].strip()
    if len(plain) > LONGEST:
        return Cell(failed=plain[:20]) if SAID_FAILED.match(plain.casefold()) else None
    return _single(plain.casefold(), plain, decimal)


def _timed(value: float, unit: float | None = None) -> Cell:
    return Cell((value,), unit) if value else Cell(failed="rounded to 0")


def _is_bracketed(text: str) -> bool:
    return text[:1] in "[({" and text[-1:] in ("]", ")", "}")


def _single(folded: str, plain: str, decimal: str) -> Cell | None:
    """Read one time with words or a unit around it."""
    if folded in FAILED:
        return Cell(failed=plain or "empty")
    if match := BOUND.fullmatch(folded) or PLUS.fullmatch(folded):
        unit = match.groupdict().get("unit") or ""
        bound = _with_unit(f"{match['rest'].strip()} {unit}".strip(), decimal)
        return bound and Cell(bound.values, bound.unit, is_bound=True)
    if BELOW.fullmatch(folded):
        return Cell(failed=plain)
    if match := SPREAD.fullmatch(folded):
        unit = match["unit"] or match["after"]
        found = _with_unit(f"{match['rest']} {unit}".strip(), decimal)
        return found and Cell(found.values, found.unit, is_mean=True)
    if found := _with_unit(plain, decimal) or _clock(folded):
        return found
    return Cell(failed=plain) if SAID_FAILED.fullmatch(folded) else None


def _with_unit(text: str, decimal: str) -> Cell | None:
    value = number(text, decimal)
    if value is not None:
        return _timed(value)
    match = WITH_UNIT.fullmatch(text)
    value = number(match["rest"], decimal) if match else None
    if match is None or value is None:
        return None
    unit = seconds_of(match["unit"])
    if unit is None:
        return Cell((value,), is_rate=True) if is_rate(match["unit"]) else None
    return _timed(value, unit)


def _clock(text: str) -> Cell | None:
    """Read `0:01:30`, `1:30.5` or `1m30s`; `1:30` may be hours or minutes."""
    match = CLOCK.fullmatch(text)
    if match and match[1] is None and not re.search("[.,]", match[3]):
        return None
    match = match or PARTS.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (part or "0" for part in match.groups())
    total = 3600 * int(hours) + 60 * int(minutes) + float(seconds.replace(",", "."))
    return _timed(total, 1.0)


def _several(text: str, decimal: str) -> list[str]:
    """Split a cell that holds several times; one text for any other."""
    inside = text
    if _is_bracketed(text):
        inside = text[1:-1]
        if is_json_list(text):
            return [part.strip() for part in inside.split(",")]
    for mark in (";", "|", ","):
        parts = [part.strip() for part in inside.split(mark)]
        if len(parts) < 2 or (mark == "," and not _are_comma_separated(parts, decimal)):
            continue
        if all(re.match("[0-9.,-]", part) for part in parts):
            return parts
    parts = inside.split()
    is_list = len(parts) > 1 and all(
        number(part, decimal) is not None for part in parts
    )
    # 100 200 may be a number whose thousands are separated
    is_grouped = re.fullmatch("[0-9]{1,3}(?: [0-9]{3})+", inside) and inside == text
    return parts if is_list and not is_grouped else [text]


def _are_comma_separated(parts: list[str], decimal: str) -> bool:
    """Tell whether a comma separates numbers that have a decimal point."""
    return decimal == "." and sum("." in part for part in parts) > 1


def _of_several(parts: list[str], decimal: str) -> Cell | None:
    cells = [_single(part.casefold(), part, decimal) for part in parts[:MOST_VALUES]]
    known = [c for c in cells if c is not None and c.values and not c.is_bound]
    if not known or None in cells:
        return None
    units = {c.unit for c in known}
    last = known[-1].unit
    if len(units) > 1 and all(c.unit is None for c in known[:-1]):
        units = {last}  # 0.1; 0.2; 0.3 ms
    if len(units) > 1:
        return None
    values = tuple(v for c in known for v in c.values)
    return Cell(values, units.pop(), is_rate=any(c.is_rate for c in known))

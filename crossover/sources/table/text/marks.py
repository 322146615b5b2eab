"""Which mark of a number is the decimal one, and numbers by it: `1.310,7`, `1,024`.

In: the texts of a table's sizes and times. Out: the marks that all of them agree on, or
a refusal that names both readings.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from crossover.files.untrusted import InputError, shown

MARKS = {".": ",", ",": "."}
"""Each mark, and the other one."""
TOKEN = re.compile(r"([0-9.,]*[0-9])([eE][-+]?[0-9])?")
"""A number, and its exponent: the mark before one is decimal."""
SHAPE = re.compile(r"[(\[]\s*[0-9]+(?:\s*,\s*[0-9]+)*\s*,?\s*[)\]]")
"""Whole numbers in brackets: (32, 32)."""
AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
"""One mark before exactly three digits: of thousands, or a decimal one."""
GROUPED = {
    mark: re.compile(rf"[1-9][0-9]{{0,2}}(?:\{mark}[0-9]{{3}})+") for mark in MARKS
}
BETWEEN = re.compile(r"(?<=[0-9])['\u2019_\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
"""What separates thousands and nothing else."""
SUPERSCRIPT = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
PLAIN = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Texts:
    """A column whose numbers tell the marks, with the line of each text."""

    head: str
    texts: list[str]
    lines: list[int]


def normal(text: str) -> str:
    """Return a text in plain characters, without what nobody sees.

    Exponents that are raised become `^10`; separators of thousands are left out.
    """
    if text.isascii():
        text = text.strip()
        if "'" in text or "_" in text:
            text = BETWEEN.sub("", text.removeprefix("'"))
        return text
    text = SUPERSCRIPT.sub(lambda found: f"^{found[0]}", INVISIBLE.sub("", text))
    text = BETWEEN.sub("", text)
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()


def decimal_mark(
    columns: Iterable[Texts], known: str | None, delimiter: str | None
) -> str:
    """Return the decimal mark of a table's numbers.

    Args:
        columns: of sizes and times.
        known: the mark, if somebody said it.
        delimiter: between the table's cells. If it is a comma, a point whose meaning
            nothing tells is the decimal mark.

    Raises:
        InputError: where both readings are possible, or each is needed somewhere.
    """
    if known is not None:
        return known
    seen: dict[str, str] = {}
    maybe: dict[str, str] = {}
    for column in columns:
        has_comma = any("," in text for text in column.texts)
        for text in dict.fromkeys(column.texts):
            if "." in seen and not has_comma:
                break
            if "." not in text and "," not in text:
                continue
            is_list = is_json_list(text) or SHAPE.fullmatch(text)
            plain = text.replace(",", " ") if is_list else normal(text)
            for token, exponent in TOKEN.findall(plain):
                mark, is_sure = _told(token)
                is_sure = is_sure or bool(exponent)
                if mark is not None and mark not in (seen if is_sure else maybe):
                    line = column.lines[column.texts.index(text)]
                    where = f"{column.head} = {shown(text)} in line {line}"
                    (seen if is_sure else maybe)[mark] = where
    if len(seen) > 1:
        raise InputError(
            f"{seen['.']} has a decimal point, {seen[',']} a decimal comma: write all "
            "numbers in one way, or say which with --decimal . or --decimal ,"
        )
    if seen:
        return next(iter(seen))
    for mark in (",", ".") if delimiter != "," else (",",):
        if mark in maybe:
            raise InputError(
                f"{maybe[mark]}: may be {_both(maybe[mark], mark)}; say which with "
                "--decimal . or --decimal ,"
            )
    return "."


def is_json_list(text: str) -> bool:
    """Tell whether a text is a list in JSON, whose numbers have a decimal point."""
    if text[:1] != "[":
        return False
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def _told(token: str) -> tuple[str | None, bool]:
    """Return the decimal mark that a number tells, and whether it is sure."""
    marks = [c for c in token if c in MARKS]
    if not marks:
        return None, False
    last = marks[-1]
    if len({*marks}) == 2:
        first = marks[0]
        head, _, _ = token.rpartition(last)
        is_number = marks.count(last) == 1 and GROUPED[first].fullmatch(head)
        return (last, True) if is_number else (None, False)
    if len(marks) > 1:
        grouped = GROUPED[last].fullmatch(token)
        return (MARKS[last], True) if grouped else (None, False)
    return last, AMBIGUOUS.fullmatch(token) is None


def _both(where: str, mark: str) -> str:
    found = AMBIGUOUS.search(where.partition(" = ")[2])
    text = found[0] if found else ""
    return f"{text.replace(mark, '.')} or {text.replace(mark, '')}"


def number(text: str, decimal: str) -> float | None:
    """Return the number that a text is, by the decimal mark; None if it is none.

    Thousands may be separated by the other mark.
    """
    group = MARKS[decimal]
    if group in text:
        whole = text.lstrip("+-").partition(decimal)[0]
        if not GROUPED[group].fullmatch(whole):
            return None
        text = text.replace(group, "")
    if decimal == ",":
        text = text.replace(",", ".")
    return float(text) if PLAIN.fullmatch(text) else None


def parse_decimal(text: str | None) -> str | None:
    """Read what somebody says the decimal mark is; None where nothing is said.

    Raises:
        InputError: for anything but a point or a comma.
    """
    if text is not None and text not in MARKS:
        raise InputError(f"decimal = {shown(text)}: must be . or ,")
    return text

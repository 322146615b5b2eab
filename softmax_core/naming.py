"""A case's name: readable, and the same in the command line, asv, pytest and the store.

Standard library only. `crossover.nouns` gives it to everybody.
"""

import re
from collections.abc import Callable
from typing import Any

from softmax_core.case import Case

_NUMBER = r"-?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?"
_SIZE = r"\d{1,12}"
"""The digits are limited, as these names come from strangers' files."""
_CASE = re.compile(
    rf"n(?P<samples>{_SIZE})-d(?P<features>{_SIZE})-c(?P<classes>{_SIZE})"
    rf"-b(?P<batch_size>{_SIZE})-e(?P<epochs>{_SIZE})(?:-lr(?P<learning_rate>{_NUMBER}))?"
    rf"(?:-m(?P<momentum>{_NUMBER}))?(?:-g(?P<mean>{_NUMBER})_(?P<std>{_NUMBER}))?"
    r"(?:-(?P<dtype>float\d{1,3}))?(?:-s(?P<seed>\d{1,30}))?",
    re.ASCII,
)

_READ: dict[str, Callable[[str], Any]] = {
    "learning_rate": float, "momentum": float, "mean": float, "std": float,
    "dtype": str,
}  # fmt: skip


def case_id(case: Case) -> str:
    """Name a case; fields that differ from the defaults are appended."""
    head = (
        f"n{case.samples}-d{case.features}-c{case.classes}"
        f"-b{case.batch_size}-e{case.epochs}"
    )
    usual = Case()
    mean, std = map(_shortest, case.dispersion)
    extras = [
        (
            case.learning_rate != usual.learning_rate,
            f"-lr{_shortest(case.learning_rate)}",
        ),
        (case.momentum != usual.momentum, f"-m{_shortest(case.momentum)}"),
        (case.dispersion != usual.dispersion, f"-g{mean}_{std}"),
        (case.dtype != usual.dtype, f"-{case.dtype}"),
        (case.seed != usual.seed, f"-s{case.seed}"),
    ]
    return head + "".join(text for differs, text in extras if differs)


def _shortest(value: float) -> str:
    """Write a number as `:g` does, in all its digits where that would lose some."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def parse_case_id(text: str) -> Case:
    """Read what `case_id` writes.

    Raises:
        ValueError: when the text does not name a case.
    """
    match = _CASE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"case = {text[:80]!r}: must be n, d, c, b and e with numbers, such as "
            "n1500-d2-c3-b10-e3"
        )
    named = {name: part for name, part in match.groupdict().items() if part}
    values: dict[str, Any] = {n: _READ.get(n, int)(part) for n, part in named.items()}
    if "mean" in values:
        values["dispersion"] = (values.pop("mean"), values.pop("std"))
    return Case(**values)

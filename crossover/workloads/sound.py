"""Check that a workload's declaration is one that the engine can work with.

Declarations come from installed packages and from the files of recorded runs.
"""

import math
import re
from collections.abc import Iterable

from crossover.contender import Contender
from crossover.findings import Answer, Crossover, Estimate
from crossover.nouns import Measurement, field_names
from crossover.workloads.values import Setting, Size
from crossover.workloads.workload import Workload

IMPLEMENTATION = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
FILE = re.compile(r"[^\x00-\x1f\x7f/\\]{1,80}\.py|[\w.]{1,80}:[\w.]{1,80}")
"""A workload that is a user's: the name of its file, or its module and function."""
LETTER = re.compile(r"[a-z]{0,4}", re.ASCII)
MOST_PARTS, MOST_IMPLEMENTATIONS, LONGEST = 32, 200, 200
"""Most sizes and settings, most implementations, and longest text in characters."""
LARGEST = 10**20
"""Largest absolute bound of a size or setting."""
RESERVED = {
    name
    for noun in (Answer, Contender, Crossover, Estimate, Measurement)
    for name in field_names(noun)
} | {
    "values",
    "contenders",
    "pairs",
    "closed",
    "best",
    "calls",
    "size",
    "workload",
    "node",
}
"""Names of columns and keys, which no size and no setting may have."""


def check_declared(workload: Workload) -> None:
    """Check that names can be columns, and that bounds and references fit together.

    Raises:
        ValueError: naming the part, its value and what is allowed.
    """
    parts: list[Size | Setting] = [*workload.sizes, *workload.settings]
    names = [part.name for part in parts]
    if not workload.sizes or len(parts) > MOST_PARTS:
        raise ValueError(
            f"sizes and settings = {len(parts)}: must be 1 to {MOST_PARTS}"
        )
    if len(workload.implementations) > MOST_IMPLEMENTATIONS:
        raise ValueError(f"implementations: must be at most {MOST_IMPLEMENTATIONS}")
    if not FILE.fullmatch(workload.name):
        _check_names([workload.name], IMPLEMENTATION)
    _check_names(names)
    others = [*workload.costs, *(one.name for one in workload.implementations)]
    _check_names(others, IMPLEMENTATION)
    if workload.check is not None and not 0 < workload.check <= LARGEST:
        raise ValueError(f"check = {workload.check}: must be > 0")
    for name in names:
        if name in RESERVED or names.count(name) > 1:
            raise ValueError(f"{name}: must be a name of its own, and no column's")
    if sum(size.repeats for size in workload.sizes) > 1:
        raise ValueError("sizes: must be at most one that repeats")
    known = {"", *(size.name for size in workload.sizes)}
    for size in workload.sizes:
        _check_size(size, known)
    for setting in workload.settings:
        _check_setting(setting)
    if not set(workload.shape) <= set(names):
        raise ValueError(f"shape = {workload.shape}: must name sizes and settings")


def _check_names(names: Iterable[str], form: re.Pattern[str] = NAME) -> None:
    small = "small " * (form is IMPLEMENTATION)
    for name in names:
        if not form.fullmatch(name):
            raise ValueError(
                f"name = {name[:LONGEST]!r}: must be {small}letters, digits and _, the "
                "first a letter, at most 40"
            )


def _check_size(size: Size, known: set[str]) -> None:
    texts = size.words, size.one, size.many, size.head, size.label
    if not LETTER.fullmatch(size.letter) or max(map(len, texts)) > LONGEST:
        raise ValueError(f"{size.name}: must have short words, and a letter of a to z")
    if not {size.most, size.at_least} <= known - {size.name}:
        raise ValueError(f"{size.name}: most and at_least must name another size")
    if not 0 <= size.least <= LARGEST:
        raise ValueError(f"{size.name}.least = {size.least}: must be >= 0")
    if size.default is not None and not size.least <= size.default <= LARGEST:
        raise ValueError(f"{size.name} = {size.default}: must be >= {size.least}")


def _check_setting(setting: Setting) -> None:
    default = setting.default
    values = default if isinstance(default, tuple) else (default,)
    least = setting.least if isinstance(setting.least, tuple) else (setting.least,)
    is_whole = isinstance(default, int) and not isinstance(default, bool)
    if not LETTER.fullmatch(setting.letter):
        raise ValueError(f"{setting.name}: must have a letter of a to z")
    if not values or len(values) % len(least) or len(values) > MOST_PARTS:
        raise ValueError(f"{setting.name}.least: must be one, or one for each number")
    for bound in (*least, setting.below):
        if bound is None:
            continue
        is_odd = is_whole and not isinstance(bound, int)
        if is_odd or not -LARGEST <= bound <= LARGEST or not math.isfinite(bound):
            raise ValueError(
                f"{setting.name}: bound {bound!r} must be like its default"
            )
    if any(
        isinstance(v, str) and len(v) > LONGEST for v in (*values, *setting.choices)
    ):
        raise ValueError(f"{setting.name}: must have short texts")
    _check_names(setting.choices)

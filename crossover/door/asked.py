"""What is asked for in Python, in the texts that the command line has for it.

`find` and `run` call it. Who gives something of the wrong kind gets an error that says
what is allowed.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crossover.files.untrusted import InputError, shown
from crossover.workloads.values import text

Sizes = str | Iterable[int]
"""`64..4096`, between which the search chooses, or a list of sizes."""


def sizes_text(name: str, sizes: object) -> str:
    """Return sizes, or the value of a setting, as it is typed.

    Raises:
        TypeError: for what is neither.
    """
    if isinstance(sizes, str):
        return sizes
    if isinstance(sizes, bool | float):
        return text(sizes)
    several: Iterable[Any] = sizes if isinstance(sizes, Iterable) else [sizes]
    try:
        return ",".join(str(operator.index(size)) for size in several)
    except TypeError:
        raise TypeError(
            f"{name} = {shown(sizes)}: must be integers, such as [64, 256, 1024], or a "
            "text such as '64..4096'"
        ) from None


def duration_text(budget: object) -> str | None:
    """Return a budget as it is typed: `90s`, or a number of seconds.

    Raises:
        TypeError: for what is neither.
    """
    must = "a number of seconds, or a text such as '90s', '5m' or '2h'"
    return _number_text("budget", budget, must)


def share_text(share: object, name: str = "margin") -> str | None:
    """Return a share as it is typed: `5%`, or a number.

    Raises:
        TypeError: for what is neither.
    """
    return _number_text(name, share, "a share such as 0.05 or '5%'")


def limit_text(good_enough: object) -> str | None:
    """Return the longest time that is fast enough as it is typed: `20ms`.

    Raises:
        TypeError: for what is neither a text nor a number of seconds.
    """
    must = "a number of seconds, or a text such as '20ms'"
    typed = _number_text("good_enough", good_enough, must)
    return typed if typed is None or isinstance(good_enough, str) else f"{typed}s"


def _number_text(name: str, value: object, must: str) -> str | None:
    """Return a number as it is typed; a text, or None, as it is."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} = {shown(value)}: must be {must}")
    return repr(value)


def names(field: str, given: object, example: str) -> tuple[str, ...]:
    """Return texts that are given as a list, or one as it is.

    Raises:
        TypeError: for what is neither.
        InputError: for an empty list.
    """
    several: Sequence[Any] = [given] if isinstance(given, str) else ()
    if not several and isinstance(given, Iterable) and not isinstance(given, Mapping):
        several = list(given)
        if not several:
            raise InputError(f"{field} = {shown(given)}: must hold at least one")
    if not several or not all(isinstance(one, str) for one in several):
        raise TypeError(f"{field} = {shown(given)}: must be texts, such as {example}")
    return tuple(several)

"""A file that a program ships, to pick by what was measured elsewhere.

In: the data of a `Choice`. Out: JSON, or a file of Python that needs nothing else. And
back: `load_export` reads the JSON, and warns where it was not measured here.
"""

import json
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from crossover.choose.data import SCHEMA
from crossover.choose.exported import Exported
from crossover.choose.shipped.choice import Choice
from crossover.choose.shipped.elsewhere import warn_elsewhere
from crossover.choose.shipped.pick import Pick
from crossover.files.refusals import refusing
from crossover.files.untrusted import (
    InputError,
    Unreadable,
    clean,
    parse_json,
    read_text,
)

FORMS = ("json", "python")
SHIPPED = ("pick", "place", "group", "choice", "elsewhere")
"""The modules that a file of Python holds, in an order in which they need no other."""
HEAD = '''"""Which contender to use for which case, as it was measured.

Made by `crossover export`; make it again rather than change it. It needs the standard
library only. Loading it warns if this machine, its driver or torch is another one.

    picked = pick(NAME=SIZE)    # of Python; str(picked) says how sure it is
    picked.contender            # the contender to use
    THRESHOLDS                  # from which size on each is ahead, with intervals
"""

from __future__ import annotations

'''
TAIL = '''

THRESHOLDS = DATA["zones"]
_CHOICE = Choice(DATA)
warn_elsewhere(DATA)


def pick(*, extrapolate: bool = False, **sizes: Any) -> Pick:
    """Return the contender to use for a case, given by its sizes and settings.

    Raises:
        ValueError: naming a size, its value and what was measured.
    """
    return _CHOICE.pick(sizes, extrapolate)
'''
OWN = re.compile(r'^"""(?:.*?)"""\n+from __future__ import annotations\n', re.DOTALL)
IMPORT = re.compile(r"^(?:import|from) .*\n", re.MULTILINE)


def exported(data: dict[str, Any], form: str) -> str:
    """Return the text of a file to ship.

    Args:
        data: that of a `Choice`.
        form: one of `FORMS`.
    """
    if form == "json":
        return _written(data, partial(json.dumps, ensure_ascii=False)) + "\n"
    imports, code = set[str](), []
    for name in SHIPPED:
        source = Path(__file__).with_name("shipped").joinpath(f"{name}.py")
        body = OWN.sub("", source.read_text("utf-8"))
        imports |= {line for line in IMPORT.findall(body) if "crossover." not in line}
        code.append(IMPORT.sub("", body).strip("\n"))
    order = sorted(imports, key=lambda line: (line.startswith("from"), line))
    told = f"DATA: dict[str, Any] = {_written(data, repr)}"
    return f"{HEAD}{''.join(order)}\n" + "\n\n\n".join([*code, told]) + f"\n{TAIL}"


def _written(value: Any, leaf: Callable[[object], str], depth: int = 1) -> str:
    """Return data as text: a line for what holds nothing deeper, else one for each."""
    inner = (*value.values(),) if isinstance(value, dict) else value
    is_deep = isinstance(value, dict | list) and any(
        isinstance(one, dict | list) for one in inner
    )
    if not is_deep:
        return leaf(value)
    edge, end = "\n" + " " * depth, "\n" + " " * (depth - 1)
    if isinstance(value, dict):
        parts = [f"{leaf(k)}: {_written(v, leaf, depth + 1)}" for k, v in value.items()]
        return "{" + edge + f",{edge}".join(parts) + end + "}"
    parts = [_written(one, leaf, depth + 1) for one in value]
    return "[" + edge + f",{edge}".join(parts) + end + "]"


class Export:
    """What `crossover export` wrote, read back: picks, and the zones of the answers."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data, self._choice = data, Choice(data)

    @property
    def thresholds(self) -> list[dict[str, Any]]:
        """From which size on each contender is ahead, with intervals, and if not why.

        A dict for each sweep and pair; `ahead_from` is None where it is not known.
        """
        zones: list[dict[str, Any]] = self.data["zones"]
        return zones

    def pick(self, /, *, extrapolate: bool = False, **sizes: Any) -> Pick:
        """Return the contender to use for a case, given by its sizes and settings.

        Raises:
            InputError: naming a size, its value and what was measured.
        """
        return picked(self._choice, sizes, extrapolate)


def picked(choice: Choice, sizes: dict[str, Any], extrapolate: bool) -> Pick:
    """Return whom to pick; what is wrong is an `InputError`."""
    try:
        return choice.pick(sizes, extrapolate)
    except ValueError as error:
        raise InputError(str(error)) from error


def load_export(path: str | os.PathLike[str]) -> Export:
    """Read what `crossover export --to json` wrote, and warn if it is of elsewhere.

    Args:
        path: the file.

    Raises:
        InputError: when it cannot be read, or is something else.
    """
    file = Path(os.fspath(path))
    with refusing("export", file):
        data = clean(parse_json(read_text(file)))
        if not isinstance(data, dict) or "schema" not in data:
            raise Unreadable("must be what `crossover export --to json` wrote")
        if data["schema"] != SCHEMA:
            raise Unreadable(f"schema = {data['schema']!r}: must be {SCHEMA}")
        Exported.model_validate(data)
    found = Export(data)
    warn_elsewhere(data)
    return found

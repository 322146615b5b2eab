"""Other tools' JSON files, read as data of a shape that is checked field by field."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.nouns import InputError

MOST_SHOWN = 60
"""Characters of a wrong value in a message."""


class Part(BaseModel):
    """A JSON object of which only the fields named are read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


AnyPart = TypeVar("AnyPart", bound=Part)


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        InputError: when it cannot be read or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"file = {str(path)!r}: {error.strerror}") from error
    except RecursionError as error:
        raise InputError(f"file = {str(path)!r}: nested too deep to be read") from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"file = {str(path)!r}: must be JSON: {reason}") from error
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise InputError(
            f"file = {str(path)!r}: must be a JSON object, not a {kind} as here"
        )
    return found


def part(
    kind: type[AnyPart], value: object, path: Path, where: Iterable[object] = ()
) -> AnyPart:
    """Check a part of a file.

    Args:
        kind: the shape it must have.
        value: the part.
        path: its file, for the message.
        where: the keys that lead to it, for the message.

    Raises:
        InputError: naming file, field, value and what is allowed.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, (*where, *first["loc"]))) or "top level"
        if first["type"] == "missing":
            raise InputError(f"{path}: {field}: missing; must be given") from error
        raise wrong(path, field, first["input"], _sentence(first["msg"])) from error


def wrong(path: Path, field: str, value: object, must: str) -> InputError:
    """Return the error that a field holds another value than it must."""
    text = repr(value)
    shown = text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "..."
    return InputError(f"{path}: {field} = {shown}: {must}")


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should", "must")

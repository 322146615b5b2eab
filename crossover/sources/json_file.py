"""Other tools' JSON files, read as data of a shape that is checked field by field."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, ValidationError

from crossover.files.refusals import first_wrong, refusing
from crossover.files.untrusted import (
    InputError,
    Unreadable,
    clean,
    parse_json,
    read_text,
    shown,
)


class Part(BaseModel):
    """A JSON object of which only the fields named are read."""

    model_config = ConfigDict(extra="ignore", frozen=True)


AnyPart = TypeVar("AnyPart", bound=Part)
Item = TypeVar("Item")


class _First(FailFast):
    """Stop at the first wrong item: each further one would be an error in memory."""

    __hash__ = object.__hash__  # a union of types needs one


List = Annotated[list[Item], _First()]


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    for key, value in values.items():
        if not isinstance(value, str):
            raise ValueError(f"{shown(key)} = {shown(value)}: must be a text")
    return values


Texts = Annotated[dict[str, Any], AfterValidator(_texts)]


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object; its texts are made printable.

    Raises:
        InputError: when it cannot be read or holds something else.
    """
    with refusing("file", path):
        text = read_text(path)
        if "," in text.partition("\n")[0] and text.lstrip()[0] not in "{[":
            raise Unreadable(
                "must be JSON; for a table of times use `crossover analyse`"
            )
        found = clean(parse_json(text))
        if not isinstance(found, dict):
            kind = type(found).__name__
            raise Unreadable(f"must be a JSON object, not a {kind} as here")
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
        raise InputError(f"{path}: {first_wrong(error, where)}") from error


def wrong(path: Path, field: str, value: object, must: str) -> InputError:
    """Return the error that a field holds another value than it must."""
    return InputError(f"{path}: {field} = {shown(value)}: {must}")

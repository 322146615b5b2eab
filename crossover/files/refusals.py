"""Why a file is refused, in one line that names it and what is wrong in it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from crossover.files.untrusted import InputError, Unreadable, near, shown

Place = tuple[int | str, ...]
"""The keys that lead to a field."""
UNION = ("float", "int")
"""What pydantic adds to them for a number of either type."""


@contextmanager
def refusing(field: str, path: Path | str, part: str = "") -> Iterator[None]:
    """Turn what keeps a file from being read or written into one line.

    Args:
        field: what the user calls the file: `out`, `run`, `file`.
        path: the file, or the folder that holds it.
        part: the file's name in that folder.

    Raises:
        InputError: such as `out = 'results/x': No space left on device`.
    """
    where = f"{field} = {str(path)!r}" + (f": {part}" if part else "")
    try:
        yield
    except OSError as error:
        raise InputError(f"{where}: {error.strerror}") from error
    except ValidationError as error:
        raise InputError(f"{where}: {first_wrong(error)}") from error
    except Unreadable as error:
        raise InputError(f"{where}: {error}") from error


def first_wrong(
    error: ValidationError,
    where: Iterable[object] = (),
    known: Callable[[Place], Iterable[str]] = lambda place: (),
) -> str:
    """Return what is wrong first: field, value and what is allowed.

    Args:
        error: what pydantic raised.
        where: the keys that lead to what was validated.
        known: returns the keys that are allowed at the place of an unknown one.
    """
    first = error.errors(include_url=False)[0]
    place: Place = first["loc"]
    if len(place) > 1 and place[-1] in UNION:
        place = place[:-1]
    field = ".".join(map(str, (*where, *place)))
    if first["type"] == "missing":
        return f"{field}: missing; must be given"
    if first["type"] == "extra_forbidden":
        names = (*known(place),)
        must = f"one of {', '.join(names)}" if names else "left out"
        return f"{field}: unknown key; must be {must}{near(str(place[-1]), names)}"
    message = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
    if first["type"] == "value_error":
        return f"{field}: {message}" if field else message
    return f"{field or 'all of it'} = {shown(first['input'])}: {message}"

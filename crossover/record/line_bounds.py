"""Within which bounds the numbers of a stored measurement lie.

They are checked as a line is parsed, a million times in a merge; a line that breaks one
is parsed once more, to say which in our words.
"""

import dataclasses
import math
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from crossover.files.untrusted import Unreadable, shown
from crossover.nouns import STATUSES, InputError
from crossover.record.plain_line import Rest
from crossover.spec.bounds import LARGEST

LEAST_S = 1e-12
"""What a sample's seconds lie above."""
WITHIN = f"must be within {LARGEST:g}"
LEAST = dict.fromkeys(("calls_per_sample", "epochs_run", "in_round"), 1.0) | {
    "round": 0, "setup_s": 0, "transfer_s": 0, "bound_s": 0, "waited_s": 0,
    "items": 0,
    "load_1min": 0, "elapsed_s": 0, "launches_per_step": -LARGEST, "threads": -LARGEST,
    "throttled_periods": -LARGEST, "clock_share": -LARGEST,
}  # fmt: skip
"""The least that a number is; loss and accuracy are not finite where it diverged."""
KEYED = ("peak_bytes", "latency")
"""Numbers by name."""
OBJECTS = (*KEYED, "settings")
"""What is empty where a line does not say it."""
SERIES = ("positions", "samples_s", "samples_j", "warmup_s")


def _bounded(field: "dataclasses.Field[Any]") -> Any:
    """Return the type of a field with the bounds that `_check_bounds` checks."""
    if field.name in LEAST:
        whole = field.type in (int, int | None)
        ends = LEAST[field.name], LARGEST
        low, high = map(math.ceil, ends) if whole else ends
        return Annotated[field.type, Field(ge=low, le=high)]
    if field.name in SERIES:
        kind: Any = int if field.type == tuple[int, ...] else float
        least = LEAST_S if field.name == "samples_s" else -LARGEST
        return tuple[Annotated[kind, Field(ge=kind(least), le=kind(LARGEST))], ...]
    if field.name in KEYED:
        kind = int if field.type == dict[str, int] else float
        return dict[str, Annotated[kind, Field(ge=0, le=kind(LARGEST))]]
    return Literal[STATUSES] if field.name == "status" else field.type


Bounded = dataclasses.make_dataclass(
    "Bounded",
    [
        (field.name, _bounded(field), dataclasses.field(default=field.default))
        for field in dataclasses.fields(Rest)
    ],
)
"""A measurement without its cell, within bounds."""
_BOUNDED: TypeAdapter[Any] = TypeAdapter(Bounded)
_REST: TypeAdapter[Any] = TypeAdapter(Rest)


def read_rest(text: str) -> Any:
    """Return a line's fields beside its cell, each within its bounds.

    Raises:
        InputError: naming the field, its value and what is allowed.
        ValidationError: for a field of another type.
    """
    try:
        return _BOUNDED.validate_json(text, strict=True)
    except ValidationError:
        found = _REST.validate_json(text, strict=True)
        _check_bounds(vars(found))  # says what is wrong in our words
        return found


def _check_bounds(fields: dict[str, Any]) -> None:
    """Check what the types of the fields do not say."""
    for name, least in LEAST.items():
        value = fields[name]
        if value is not None and not least <= value <= LARGEST:
            is_less = -LARGEST <= value < least
            raise wrong(name, value, f"must be >= {least:g}" if is_less else WITHIN)
    for name in SERIES:
        for value in fields[name]:
            if not -LARGEST <= value <= LARGEST:
                raise wrong(name, value, WITHIN)
    for name in KEYED:
        for key, value in (fields[name] or {}).items():
            if not 0 <= value <= LARGEST:
                raise wrong(f"{name}.{key}", value, "must be >= 0")
    if fields["samples_s"] and min(fields["samples_s"]) < LEAST_S:
        raise wrong("samples_s", min(fields["samples_s"]), "must be seconds > 0")
    if fields["status"] not in STATUSES:
        must = f"must be one of {', '.join(STATUSES)}"
        raise wrong("status", fields["status"], must)


def wrong(field: str, value: object, must: str) -> InputError:
    """Return what is raised for a value of a stored file."""
    return Unreadable(f"{field} = {shown(value)}: {must}")

"""The kinds of fields of a spec: what they allow, and bounds that no job comes near.

The bounds keep a stranger's spec from overflowing what is computed of it.
"""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
)

MOST_CELLS = 100_000
"""At most this many cells in one spec."""
GPU = re.compile(r"gpu(?P<index>:\d+)?(?=[/@]|$)")
NAME = re.compile(r"\w[\w.+ -]{0,79}")
"""What a spec's name may be: a folder is called by it."""

MOST_ROUNDS = 1000
"""A cell has at most this many rounds: more would take an analysis too long."""
MOST, LEAST_PRICE = 1e9, 1e-9
LARGEST = 1e18
"""No number of a measurement is larger than this, whoever recorded it."""

Seed = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-MOST, le=MOST)]
Text = Annotated[StrictStr, Field(max_length=200)]


def _named(text: str) -> str:
    """Replace `gpu` by `accelerator`, which `resolve` names as torch does."""
    match = GPU.match(text)
    if match is None:
        return text
    if match["index"]:
        raise ValueError(
            f"device = {match[0]!r} in contender {text!r}: must be as torch names it, "
            f"such as cuda{match['index']}, or gpu for any accelerator"
        )
    return f"accelerator{text[match.end() :]}"


Who = Annotated[Text, AfterValidator(_named)]
"""A contender's text."""
Pairs = tuple[tuple[Who, Who], ...]
Price = Annotated[Real, Field(ge=LEAST_PRICE)]


class Strict(BaseModel):
    """A table of TOML or JSON that holds known keys only, and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

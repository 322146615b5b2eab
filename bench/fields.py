"""The kinds of fields of a spec: what they allow, and bounds that no job comes near.

The bounds keep a stranger's spec from overflowing what is computed of it.
"""

import re
from typing import Annotated

from pydantic import Field, StrictInt, StrictStr

MOST_CELLS = 100_000
"""Of a spec, all sweeps together."""
NAME = re.compile(r"\w[\w.+ -]{0,79}")
"""Of a spec: it becomes a folder's."""

Size = Annotated[StrictInt, Field(ge=1, lt=10**12)]
Seed = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e9, le=1e9)]
Text = Annotated[StrictStr, Field(max_length=200)]
Pairs = tuple[tuple[Text, Text], ...]
Price = Annotated[Real, Field(ge=1e-9)]

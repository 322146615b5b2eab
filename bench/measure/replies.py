"""What a worker may reply, so that a broken one is a row and no traceback.

What passes can be written to the journal, and read back.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

from bench.fields import LARGEST
from bench.nouns import STATUSES

MOST_NOTES, MOST_WARM_UPS = 2000, 1000
SHOWN = 60


@dataclass(frozen=True)
class Kind:
    """What a field of a reply may be."""

    types: tuple[type, ...]
    least: float = -LARGEST
    must: bool = True
    """Be there."""
    finite: bool = True

    def holds(self, value: object) -> bool:
        """Tell whether a value is of this kind."""
        if isinstance(value, bool) or not isinstance(value, self.types):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return not self.finite
        if isinstance(value, int | float):
            return self.least <= value <= LARGEST
        return True


NUMBER, NONE = (int, float), type(None)
TEXT, LIST, OBJECT = Kind((str,)), Kind((list,)), Kind((dict,))
FIELDS: dict[str, dict[str, Kind]] = {
    "open": {
        "calls_per_sample": Kind((int,), 1),
        "epochs_run": Kind((int,), 1),
        "setup_s": Kind(NUMBER, 0),
        "warmup_s": LIST,
        "peak_bytes": Kind((int, NONE), 0),
        "threads": Kind((int, NONE), 0),
        "loss": Kind((*NUMBER, NONE), finite=False),  # not where a training diverged
        "accuracy": Kind((*NUMBER, NONE), finite=False),
        "work": Kind((dict,), must=False),
        "notes": TEXT,
        "energy_of": Kind((str,), must=False),
        "launches_per_step": Kind((*NUMBER, NONE), 0, must=False),
    },
    "sample": {
        "sample_s": Kind(NUMBER, 1e-12),
        "transfer_s": Kind(NUMBER, 0, must=False),
        "sample_j": Kind((*NUMBER, NONE), must=False),
        "clock_share": Kind((*NUMBER, NONE), must=False),
    },
    "close": {},
    "count": {"counts": LIST},
    "device": {},
    "verify": {"wrong": Kind((str, NONE))},
    "machine": {
        "cpu": TEXT,
        "accelerators": LIST,
        "unavailable": OBJECT,
        "versions": OBJECT,
        "threads": OBJECT,
        "trainers": OBJECT,
        "energy_unmeasured": Kind((str, NONE)),
    },
}
"""What a good reply to each operation holds."""


def read_reply(op: str, line: bytes) -> dict[str, Any]:
    """Return the reply to an operation.

    Raises:
        ValueError: saying what is wrong with it.
    """
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a reply that is no JSON: {_shown(line)}") from error
    if not isinstance(reply, dict):
        raise ValueError(f"a reply that is no object: {_shown(line)}")
    status = reply.get("status", "ok")
    if status not in STATUSES:
        raise ValueError(f"a reply of no known status: {_shown(line)}")
    kinds = FIELDS.get(op, {}) if status == "ok" else {"notes": TEXT}
    for name, kind in kinds.items():
        if name not in reply and kind.must:
            raise ValueError(f"a reply without {name}: {_shown(line)}")
        if name in reply and not kind.holds(reply[name]):
            raise ValueError(f"a reply with an impossible {name}: {_shown(line)}")
    unknown = sorted(reply.keys() - kinds.keys() - {"status"})
    if unknown and op in ("open", "sample"):
        raise ValueError(f"a reply with an unknown field: {_shown(line)}")
    series, second = reply.get("warmup_s", []), Kind(NUMBER, 0)
    if len(series) > MOST_WARM_UPS or not all(map(second.holds, series)):
        raise ValueError(f"a reply with an impossible warmup_s: {_shown(line)}")
    if "notes" in reply:
        reply["notes"] = reply["notes"][:MOST_NOTES]
    return reply


def _shown(line: bytes) -> str:
    text = repr(line[:SHOWN].decode(errors="replace"))
    return text if len(line) <= SHOWN else text + "..."

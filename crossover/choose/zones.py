"""The zones of a run's answers as plain data: thresholds with their intervals.

In: crossovers. Out: a dict for each. A threshold that is not known is None, and the
reason stands beside it.
"""

from collections.abc import Iterable
from typing import Any

from crossover.analysis.flags import doubts
from crossover.findings import Answer, Crossover, size_text

TIME = "time_s"


def zones_of(found: Iterable[Crossover], view: str) -> list[dict[str, Any]]:
    """Return what each answer in time says of its sizes; controls are none."""
    return [
        _zones(c)
        for c in found
        if c.view == view and c.metric == TIME and not c.is_control
    ]


def _zones(c: Crossover) -> dict[str, Any]:
    a = c.answer
    fixed = {n: v for n, v in c.line.values if n != c.axis and v is not None}
    return {
        "axis": c.axis,
        "at": {n: v for n, v in fixed.items() if n in c.line.workload.columns},
        "baseline": c.baseline,
        "challenger": c.challenger,
        **answer_zones(a),
    }


def answer_zones(a: Answer) -> dict[str, Any]:
    """Return what an answer says of its sizes."""
    is_found = a.outcome == "found"
    return {
        "outcome": a.outcome,
        "ahead_from": _boundary(a.at, a.low, a.high) if is_found else None,
        "behind_until": _boundary(
            a.behind_until, a.behind_until_low, a.behind_until_high
        )
        if a.outcome in ("found", "never")
        else None,
        "reason": "" if is_found else reason(a),
        "confidence": a.confidence,
        "worst_regret": a.worst_regret,
        "sizes": [
            [zone.size, zone.name if zone.has_verdict else ""] for zone in a.zones
        ],
        "doubts": [*doubts(a.flags).values()],
    }


def _boundary(
    at: float | None, low: float | None, high: float | None
) -> dict[str, float | None] | None:
    """Return a boundary; an open end is None."""
    return None if at is None else {"at": at, "low": low, "high": high}


def reason(a: Answer) -> str:
    """Say why there is no size from which on the challenger is ahead."""
    sizes = [size_text(zone.size) for zone in a.zones]
    match a.outcome:
        case "always":
            return f"ahead at the smallest size measured, {sizes[0]}, already"
        case "never":
            return f"not ahead at the largest size measured, {sizes[-1]}"
        case "not_monotone":
            return "the lead changes more than once, or is lost"
        case "not_measured":
            return "; ".join(a.flags) or "not measured"
    why = "; ".join(doubts(a.flags).values()) or "the noise hides who is ahead"
    return f"no answer yet: {why}"

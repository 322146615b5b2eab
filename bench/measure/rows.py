"""What the workers' replies say: the fields of rows, and who is wrong."""

import statistics
from typing import Any

from bench.nouns import Contender

LOSS_RTOL, LOSS_ATOL = 0.02, 1e-3


def sampled(replies: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the fields of a round's samples."""
    facts: dict[str, Any] = {}
    for reply in replies:
        facts |= reply
    for name in ("position", "sample_s", "sample_j"):
        facts.pop(name, None)
    return {
        "positions": tuple(r["position"] for r in replies),
        "samples_s": tuple(r["sample_s"] for r in replies),
        "samples_j": _all_or_none([r.get("sample_j") for r in replies]),
        **facts,
    }


def found(reply: dict[str, Any], first: bool) -> dict[str, Any]:
    """Return the fields that opening a cell found; its warm-up in the first round."""
    values = {k: v for k, v in reply.items() if k != "status"}
    return {**values, "warmup_s": tuple(values["warmup_s"]) if first else ()}


def _all_or_none(joules: list[float | None]) -> tuple[float, ...]:
    known = tuple(j for j in joules if j is not None)
    return known if len(known) == len(joules) else ()


def disagreeing(
    opened: dict[Contender, dict[str, Any]],
) -> dict[Contender, dict[str, Any]]:
    """Return who ends at another loss than the others after as many epochs."""
    found = {}
    known = {c: r for c, r in opened.items() if r["loss"] is not None}
    for epochs in {reply["epochs_run"] for reply in known.values()}:
        alike = {c: r for c, r in known.items() if r["epochs_run"] == epochs}
        usual = statistics.median_low(reply["loss"] for reply in alike.values())
        for contender, reply in alike.items():
            if abs(reply["loss"] - usual) <= LOSS_RTOL * abs(usual) + LOSS_ATOL:
                continue
            notes = (
                f"loss {reply['loss']:.6g} where the others end at {usual:.6g}: wrong, "
                "or a learning rate at which training is not stable"
            )
            found[contender] = {**reply, "status": "failed", "notes": notes}
    return found

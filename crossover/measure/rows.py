"""What the workers' replies say: the rows of a round, and who is wrong."""

import dataclasses
import statistics
from collections.abc import Sequence

from crossover.measure.pipe import Ended, Opened, Sampled
from crossover.nouns import Contender, Measurement, by_device

LOSS_RTOL, LOSS_ATOL = 0.02, 1e-3
Taken = tuple[int, Sampled]
"""A sample, and where in the round's order it was taken."""


def measured(
    row: Measurement, opened: Opened, taken: Sequence[Taken], first: bool
) -> Measurement:
    """Return a round's row with what opening its cell found, and with its samples.

    Args:
        row: whose round it is.
        opened: of its cell.
        taken: in the round.
        first: whether the round is the first, whose row keeps the warm-up.
    """
    last = taken[-1][1]
    return dataclasses.replace(
        row,
        positions=tuple(position for position, _ in taken),
        samples_s=tuple(reply.sample_s for _, reply in taken),
        samples_j=_all_or_none([reply.sample_j for _, reply in taken]),
        transfer_s=last.transfer_s,
        clock_share=last.clock_share,
        calls_per_sample=opened.calls_per_sample,
        epochs_run=opened.epochs_run,
        setup_s=opened.setup_s,
        warmup_s=opened.warmup_s if first else (),
        peak_bytes=by_device(row.contender.device, opened.peak_bytes),
        threads=opened.threads,
        loss=opened.loss,
        accuracy=opened.accuracy,
        notes=opened.notes,
        energy_of=opened.energy_of,
        launches_per_step=opened.launches_per_step,
        work=dict(opened.work),
    )


def _all_or_none(joules: Sequence[float | None]) -> tuple[float, ...]:
    known = tuple(j for j in joules if j is not None)
    return known if len(known) == len(joules) else ()


def disagreeing(opened: dict[Contender, Opened]) -> dict[Contender, Ended]:
    """Return who ends at another loss than the others after as many epochs."""
    found = {}
    losses: dict[int, dict[Contender, float]] = {}
    for contender, reply in opened.items():
        if reply.loss is not None:
            losses.setdefault(reply.epochs_run, {})[contender] = reply.loss
    for alike in losses.values():
        usual = statistics.median_low(alike.values())
        for contender, loss in alike.items():
            if abs(loss - usual) <= LOSS_RTOL * abs(usual) + LOSS_ATOL:
                continue
            notes = (
                f"loss {loss:.6g} where the others end at {usual:.6g}: wrong, "
                "or a learning rate at which training is not stable"
            )
            found[contender] = Ended(status="failed", notes=notes, loss=loss)
    return found

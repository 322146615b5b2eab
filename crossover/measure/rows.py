"""Turn the workers' replies into the rows of a round, and find wrong losses.

The pipeline calls both functions after it has asked all contenders.
"""

import dataclasses
import statistics
from collections.abc import Sequence

from crossover.contender import Contender
from crossover.measure.pipe import Ended, Opened, Sampled
from crossover.nouns import Measurement, by_device

LOSS_RTOL, LOSS_ATOL = 0.02, 1e-3
"""How far contenders' losses may lie apart: a share of the loss, plus a constant."""
Taken = tuple[int, Sampled]
"""A sample's place in its round, from 0, and the sample."""


def measured(
    row: Measurement, opened: Opened, taken: Sequence[Taken], first: bool
) -> Measurement:
    """Return a row with the facts from opening its cell, and with its samples.

    Args:
        row: the row without samples.
        opened: the reply to opening its cell.
        taken: the samples of the round.
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
    """Return the contenders whose loss differs from the others' after equal epochs."""
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

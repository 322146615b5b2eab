"""What is compared: seconds, money, joules or quantiles, put in the seconds' place.

The same estimator then finds the crossover in time, cost, energy, or in the quantiles
of single calls; `crossovers` calls this for each metric.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crossover.analysis.estimate import untimed
from crossover.analysis.flags import few_disturbed
from crossover.analysis.rounds import Recorded
from crossover.contender import Contender
from crossover.latency.quantiles import (
    QUANTILES,
    least_calls,
    least_of_round,
    of_round,
)
from crossover.nouns import VIEWS, Case, Cell, Measurement
from crossover.spec.spec import Spec

TIME, COST, ENERGY = "time_s", "cost", "energy_j"
OF_CALLS = {f"{name}_s": name for name in QUANTILES}
"""The metrics that are quantiles of single calls: `p99_s`."""
VIEWS_OF = {
    TIME: VIEWS, COST: VIEWS, ENERGY: ("train",),
    **dict.fromkeys(OF_CALLS, ("train",)),
}  # fmt: skip
"""The views of each metric: the energy of set-up and transfer is not measured, and a
single call holds neither."""
HOUR_S = 3600.0


def in_money(measurements: Iterable[Measurement], spec: Spec) -> list[Measurement]:
    """Return the rounds of the contenders that have a price, as money.

    Every time becomes hours x price; an unknown time stays None.
    """
    return [
        _scaled(m, price / HOUR_S)
        for m in measurements
        if (price := spec.price_of(m.contender)) is not None
    ]


def _scaled(m: Measurement, factor: float) -> Measurement:
    def times(value: float | None) -> float | None:
        return None if value is None else value * factor

    names = "setup_s", "transfer_s", "bound_s", "waited_s"
    scaled: dict[str, Any] = {name: times(getattr(m, name)) for name in names}
    samples_s = tuple(value * factor for value in m.samples_s)
    return replace(m, samples_s=samples_s, **scaled)


def in_joules(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Return the rounds whose energy was measured, as joules of the training alone."""
    return [
        replace(m, samples_s=m.samples_j, setup_s=None, transfer_s=None, waited_s=None)
        for m in measurements
        if m.status == "ok" and m.samples_j and min(m.samples_j) > 0
    ]


def costs_differ(spec: Spec, pair: tuple[Contender, Contender]) -> bool:
    """Tell whether a pair has a crossover in cost of its own.

    At equal prices, cost crosses at the same size as time.
    """
    prices = [spec.price_of(contender) for contender in pair]
    return None not in prices and prices[0] != prices[1]


def in_quantile(recorded: Recorded, name: str, confidence: float) -> list[Measurement]:
    """Return the rounds with a quantile of their single calls as their seconds.

    Rounds with too few calls for one of their own are joined with the rounds after. A
    cell with too few calls in all has none, and says so.

    Args:
        recorded: the run's measurements.
        name: the quantile's name.
        confidence: of an interval of the quantile, which then must have two ends.
    """
    share, found = QUANTILES[name], list[Measurement]()
    needed = least_calls(share, confidence)
    by_case: dict[Case, dict[Cell, list[Measurement]]] = defaultdict(dict)
    for cell, rows in recorded.ok.items():
        disturbed = few_disturbed(rows)
        kept = [m for m in rows if m.latency and m.round not in disturbed]
        calls = sum(len(m.latency) for m in kept)
        if calls >= needed:
            by_case[cell.case][cell] = kept
            continue
        why = f"{calls:,} calls, {name} needs {needed:,}" if calls else untimed(rows)
        found.append(replace(rows[0], status="unavailable", notes=why, bound_s=None))
    for cells in by_case.values():
        found += _joined(cells, share)
    return found + [replace(m, bound_s=None) for m in recorded.ended.values()]


def _joined(
    cells: Mapping[Cell, Sequence[Measurement]], share: float
) -> Iterator[Measurement]:
    """Yield a row for each group of rounds, the same groups for all cells of a case."""
    rounds = {(m.machine_id, m.round) for rows in cells.values() for m in rows}
    fewest = min(len(m.latency) for rows in cells.values() for m in rows)
    least = least_of_round(share)
    together = math.ceil(least / fewest)
    group: dict[tuple[str, int], int] = {}
    for _, alike in itertools.groupby(sorted(rounds), key=lambda one: one[0]):
        keys = [*alike]
        group |= {key: keys[i - i % together][1] for i, key in enumerate(keys)}
    for rows in cells.values():
        members: dict[tuple[str, int], list[Measurement]] = defaultdict(list)
        for m in rows:
            members[m.machine_id, group[m.machine_id, m.round]].append(m)
        for (_, number), joined in members.items():
            calls_s = np.concatenate([np.array(m.latency) for m in joined])
            if len(calls_s) >= least:
                yield _with_seconds(joined[0], number, of_round(calls_s, share))


def _with_seconds(m: Measurement, number: int, seconds: float) -> Measurement:
    """Return a round, called by another number, with the seconds of one call alone."""
    unknown = dict.fromkeys(("setup_s", "transfer_s", "waited_s", "epochs_run"))
    changes: dict[str, Any] = {"calls_per_sample": 1, "samples_j": (), **unknown}
    return replace(m, round=number, samples_s=(seconds,), **changes)

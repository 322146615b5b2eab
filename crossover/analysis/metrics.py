"""What is compared: seconds, money or joules, each put in the place of the seconds.

The same estimator then finds the crossover in time, cost or energy; `crossovers` calls
this for each metric.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from crossover.contender import Contender
from crossover.nouns import VIEWS, Measurement
from crossover.spec.spec import Spec

TIME, COST, ENERGY = "time_s", "cost", "energy_j"
VIEWS_OF = {TIME: VIEWS, COST: VIEWS, ENERGY: ("train",)}
"""The views of each metric: the energy of set-up and transfer is not measured."""
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

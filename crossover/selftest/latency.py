"""Simulated single calls, to see which intervals of their quantiles hold the truth.

    from crossover.selftest.latency import *
    print(*latency_table(1000, 1))

A call takes lognormal time, and one in fifty ten times as long. A round may be faster
or slower as a whole. The truth is the quantile of all calls of all rounds that there
could be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import brentq

from crossover.latency.quantiles import (
    QUANTILES,
    Array,
    independent_end,
    quantile,
)
from crossover.selftest.row import Row, within

CONFIDENCE = 0.95
LEAST, MOST = 0.93, 0.98
"""Between these shares of runs, an interval of 95 % must hold the truth."""
DRAWS = 200
"""Resamples of a bootstrap."""


@dataclass(frozen=True)
class Law:
    """How long single calls take, in shares of their median."""

    name: str
    noise: float = 0.1
    """Lognormal noise of each call."""
    spikes: float = 0.02
    """Share of the calls that take ten times as long."""
    drift: float = 0.0
    """Lognormal effect of a round on all of its calls."""
    rounds: int = 8
    calls: int = 125
    """Calls of a round."""

    def drawn(self, rng: np.random.Generator) -> list[Array]:
        """Return the single calls of one run, round by round."""
        shape = self.rounds, self.calls
        logs = self.noise * rng.standard_normal(shape)
        logs += self.drift * rng.standard_normal((self.rounds, 1))
        logs += np.log(10) * (rng.random(shape) < self.spikes)
        return list(np.exp(logs))

    def truth(self, share: float) -> float:
        """Return the quantile that the intervals should hold."""
        spread = float(np.hypot(self.noise, self.drift))

        def below(log_s: float) -> float:
            spiked = special.ndtr((log_s - np.log(10)) / spread)
            usual = special.ndtr(log_s / spread)
            return float((1 - self.spikes) * usual + self.spikes * spiked - share)

        return float(np.exp(brentq(below, -10, 10)))


LAWS = (
    Law("alike rounds"),
    Law("alike rounds, noise 30 %", noise=0.3),
    Law("rounds that drift by 2 %", drift=0.02),
    Law("rounds that drift by 5 %", drift=0.05),
    Law("rounds that drift by 20 %", drift=0.2),
    Law("16 rounds that drift by 5 %", drift=0.05, rounds=16, calls=100),
    Law("32 rounds that drift by 5 %", drift=0.05, rounds=32, calls=100),
)


def latency_table(runs: int, seed: int) -> list[Row]:
    """Return a row for each law and quantile.

    Args:
        runs: simulated, of each law.
        seed: of all random numbers.
    """
    return [row for law in LAWS for row in coverage(law, runs, seed, others=True)]


def coverage(law: Law, runs: int, seed: int, others: bool = False) -> list[Row]:
    """Return a row for each quantile: how often its interval holds the truth.

    An open end reaches on.

    Args:
        law: how long calls take.
        runs: simulated.
        seed: of all random numbers.
        others: try intervals, too, that take all calls for independent ones, and those
            of a bootstrap over the rounds.
    """
    hits = {name: np.zeros(3, int) for name in QUANTILES}
    opened = dict.fromkeys(QUANTILES, 0)
    truths = {name: law.truth(share) for name, share in QUANTILES.items()}
    for i in range(runs):
        rng = np.random.default_rng([seed, LAWS.index(law), i])
        rounds = law.drawn(rng)
        again = _bootstrapped(rounds, rng) if others else {}
        for name, share in QUANTILES.items():
            ours = quantile(rounds, share, CONFIDENCE)
            every = [(ours.low, ours.high)]
            every += [_independent(rounds, share), again[name]] if others else []
            held = [_holds(one, truths[name]) for one in every]
            hits[name][: len(held)] += held
            opened[name] += ours.high is None
    return [
        _row(f"{name}, {law.name}", hits[name], opened[name], runs, others)
        for name in QUANTILES
    ]


def _row(
    what: str, hits: NDArray[np.int_], opened: int, runs: int, others: bool
) -> Row:
    ours, alike, drawn = (int(count) for count in hits)
    found = f"{ours / runs:.1%}, {opened / runs:.1%} open"
    if others:
        found += f" (independent {alike / runs:.1%}, bootstrap {drawn / runs:.1%})"
    asked = f"{LEAST:.0%} to {MOST:.0%} of intervals hold the truth"
    return Row(what, asked, found, within(ours, runs, LEAST, MOST))


def _independent(
    rounds: Sequence[Array], share: float
) -> tuple[float | None, float | None]:
    calls_s = np.sort(np.concatenate(rounds))
    low, high = (
        independent_end(calls_s, 1.0, share, CONFIDENCE, is_high)
        for is_high in (False, True)
    )
    return low, high


def _bootstrapped(
    rounds: Sequence[Array], rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Return intervals of percentiles, of runs made of the rounds drawn again."""
    chosen = rng.integers(len(rounds), size=(DRAWS, len(rounds)))
    again = np.array(rounds)[chosen].reshape(DRAWS, -1)
    found = np.quantile(again, [*QUANTILES.values()], axis=1)
    sides = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
    lows, highs = np.quantile(found, sides, axis=1)
    return dict(zip(QUANTILES, zip(lows, highs, strict=True), strict=True))


def _holds(interval: tuple[float | None, float | None], truth: float) -> bool:
    low, high = interval
    return (low or 0.0) <= truth <= (np.inf if high is None else high)

"""Simulate sweeps whose crossing is known, to try the engine on them.

    from crossover.selftest.simulate import *
    rng = np.random.default_rng(1)
    ratios = log_ratios(seconds(cost_curve(2000.0, 10.0), Model(noise=0.05), rng))
    boundaries(SIZES, ratios, confidence=0.95, margin=0.05, seed=0)

The baseline costs a + b n and the challenger A + b n / speedup. Both are equal at the
truth, which is no size of the grid. `Model` disturbs the times as real machines do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.signal import lfilter

from crossover.crossing.decide import Array

SIZES: Array = np.exp2(np.arange(6, 16, dtype=np.float64))
FIXED, PER_ROW = 100.0, 1.0
"""Cost of the baseline, in any unit of time."""
DRIFT_MEMORY = 0.9
"""Correlation of the machine's speed in neighbouring rounds."""


@dataclass(frozen=True)
class Model:
    """How the times are disturbed, in shares of the time."""

    noise: float = 0.05
    """Lognormal noise of every round, drawn for each contender."""
    spikes: float = 0.03
    """Probability that a round takes Exp(1) times its time longer."""
    drift: float = 0.05
    """Drift of the machine's speed, AR(1), which both contenders of a round share."""
    process: float = 0.0
    """Lognormal effect of the process in which a contender runs, new every round."""
    step: float = 0.0
    """From the middle of a size's rounds on, the machine is slower by this share. The
    step falls between the two contenders of the middle round."""
    rounds: int = 16


def baseline(sizes: Array) -> Array:
    """Return the baseline's true cost per size."""
    return FIXED + PER_ROW * sizes


def cost_curve(truth: float, speedup: float, sizes: Array = SIZES) -> Array:
    """Return the true log(baseline / challenger) per size, 0 at `truth`.

    Args:
        truth: the size where both cost the same.
        speedup: speedup of the challenger at infinite size.
        sizes: sizes, increasing.
    """
    fixed = FIXED + PER_ROW * truth * (1 - 1 / speedup)
    curve: Array = np.log(baseline(sizes) / (fixed + PER_ROW * sizes / speedup))
    return curve


TIES = ("kink", "saturating", "step")
"""How a lead may grow after a tie: evenly with log(size), quickly at first, at once."""


def tie(
    law: str, behind: float, gain: float, start: float, sizes: Array = SIZES
) -> Array:
    """Return the true log-ratio of a tie that ends: level up to a size, then a lead.

    Args:
        law: one of `TIES`.
        behind: share by which the challenger is slower up to `start`; 0 for equal.
        gain: its speedup at the largest size of the grid.
        start: the size up to which there is no lead.
        sizes: increasing.
    """
    level, top = float(np.log1p(-behind)), float(np.log(gain))
    beyond = np.maximum(np.log(sizes / start), 0.0)
    furthest = float(np.log(SIZES[-1] / start))
    grown = {
        "kink": beyond / furthest,
        "saturating": np.expm1(-beyond) / np.expm1(-furthest),
        "step": (beyond > 0).astype(float),
    }
    curve: Array = level + (top - level) * grown[law]
    return curve


def ties(
    law: str, lag: float, gain: float, sweeps: int, seed: int, kind: int
) -> Iterator[tuple[int, Callable[[Array], Array], np.random.Generator]]:
    """Yield ties up to anywhere between the fourth size and the seventh, then a lead.

    Each is its number, its curve, and a generator for its times.
    """
    for i in range(sweeps):
        rng = np.random.default_rng([seed, kind, TIES.index(law), int(10 * gain), i])
        start = float(np.exp(rng.uniform(*np.log(SIZES[[3, 6]]))))
        yield i, partial(tie, law, lag, gain, start), rng


def tie_name(law: str, lag: float, gain: float) -> str:
    """Say in words what a curve of `ties` does."""
    return f"{f'{lag:.0%} behind' if lag else 'equal'}, then a {law} to {gain:g}x"


def passes(curve: Callable[[Array], Array], level: float) -> float:
    """Return the size of the grid's range where a rising curve passes a level.

    Args:
        curve: sizes -> true log-ratios.
        level: that it is below at the smallest size, and above at the largest.
    """

    def above(log_size: float) -> float:
        return float(curve(np.exp([log_size]))[0]) - level

    return float(np.exp(brentq(above, *np.log(SIZES[[0, -1]]))))


def waves(turns: float, height: float) -> Array:
    """Return a log-ratio that starts behind by `height` and turns `turns` times."""
    place = np.linspace(0, 1, len(SIZES))
    curve: Array = -height * np.cos(np.pi * turns * place)
    return curve


def random_curve(outcome: str, rng: np.random.Generator) -> Array:
    """Return the true log-ratios of a random curve.

    Args:
        outcome: found, always, never, not_monotone or inconclusive (no difference).
        rng: generator of the curve's parameters.
    """
    speedup = float(rng.uniform(2, 10))
    if outcome == "found":
        truth = float(np.exp(rng.uniform(*np.log(SIZES[[2, -4]]))))
        return cost_curve(truth, speedup)
    if outcome == "always":
        return cost_curve(SIZES[0] / rng.uniform(4, 16), speedup)
    if outcome == "never":
        return cost_curve(SIZES[-1] * rng.uniform(4, 16), speedup)
    if outcome == "not_monotone":
        side = rng.choice([-1.0, 1.0])
        turns = float(rng.integers(2, 4)) if side > 0 else float(rng.integers(1, 4))
        return waves(turns, side * float(rng.uniform(0.3, 1.0)))
    return np.zeros(len(SIZES))


def seconds(
    curve: Array, model: Model, rng: np.random.Generator, sizes: Array = SIZES
) -> Array:
    """Return the times of one sweep, shape (2, sizes, rounds): baseline, challenger.

    Args:
        curve: true log(baseline / challenger) per size.
        model: how the times are disturbed.
        rng: generator of the disturbances.
        sizes: sizes, increasing.
    """
    shape = (2, len(curve), model.rounds)
    cost = np.stack([baseline(sizes), baseline(sizes) * np.exp(-curve)])
    logs = np.log(cost)[:, :, None] + rng.normal(0, model.noise, shape)
    logs += rng.normal(0, model.process, shape) if model.process else 0.0
    hit = rng.random(shape) < model.spikes
    logs += np.where(hit, np.log1p(rng.exponential(1.0, shape)), 0.0)
    logs += _drift(model, shape[1:], rng)
    middle = model.rounds // 2
    slow = np.log1p(model.step)
    logs[0, :, middle + 1 :] += slow
    logs[1, :, middle:] += slow
    return np.exp(logs)


def _drift(model: Model, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return an AR(1) series of standard deviation `drift` for each size."""
    shocks = rng.normal(0, 1, shape) * np.sqrt(1 - DRIFT_MEMORY**2)
    shocks[:, 0] = rng.normal(0, 1, shape[0])
    series: Array = model.drift * lfilter([1.0], [1.0, -DRIFT_MEMORY], shocks, axis=1)
    return series


def log_ratios(times: Array) -> list[Array]:
    """Return the paired log-ratios of the times, for each size."""
    return list(np.log(times[0] / times[1]))

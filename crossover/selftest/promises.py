"""The engine's promises, checked on simulated sweeps: a row for each promise.

A row tells what was asked and what was found. `crossover selftest` prints the table;
tests/test_simulation.py requires every row to pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from crossover.crossing.decide import LOOKS, Array, p_ahead, walsh_averages
from crossover.crossing.locate import Located, locate
from crossover.selftest.simulate import (
    SIZES,
    Model,
    cost_curve,
    log_ratios,
    random_curve,
    seconds,
)

CONFIDENCE, MARGIN, WIDTH = 0.95, 0.02, 1.25
SPEEDUPS = (10.0, 2.0, 1.25)
NOISES = (0.05, 0.15)
OUTCOMES = ("found", "always", "never", "not_monotone", "inconclusive")
ENOUGH = 1000
"""With this many sweeps, a share must lie within its bounds. With fewer, a row fails
only if chance (1 %) does not explain the difference."""


@dataclass(frozen=True)
class Row:
    """One promise: what is checked, what was asked, what was found."""

    what: str
    asked: str
    found: str
    ok: bool


def simulation_table(sweeps: int, seed: int) -> list[Row]:
    """Return every row, each from `sweeps` simulated sweeps, or from a fifth of them.

    Args:
        sweeps: 1000 for the figures of docs/statistics.md (two minutes on one core).
        seed: seed of all random numbers.
    """
    rows = [false_crossovers((16,), 1, sweeps, seed)]
    rows.append(false_crossovers(LOOKS, 2, sweeps, seed))
    for noise in NOISES:
        rows += [coverage(noise, speedup, sweeps, seed) for speedup in SPEEDUPS]
    rows += [coverage_at_looks(noise, sweeps, seed) for noise in NOISES]
    rows += [accuracy(speedup, sweeps, seed) for speedup in SPEEDUPS[:2]]
    rows += [outcomes(name, max(1, sweeps // 5), seed) for name in OUTCOMES]
    rows += [step(max(1, sweeps // 5), seed), pseudo_replication(sweeps, seed)]
    return rows


def find(ratios: list[Array], seed: int, looks: int = 1) -> Located:
    """Locate a crossover with the confidence and margin of the presets."""
    return locate(SIZES, ratios, CONFIDENCE, MARGIN, seed, looks)


def simulated(curve: Array, model: Model, *seeds: int) -> list[Array]:
    """Return the log-ratios of a simulated sweep, for each size."""
    return log_ratios(seconds(curve, model, np.random.default_rng(seeds)))


def truths(sweeps: int, seed: int) -> list[float]:
    """Return a random truth for each sweep, between two sizes of the grid."""
    rng = np.random.default_rng([seed, 99])
    low, high = np.log(SIZES[4]), np.log(SIZES[5])
    return [float(t) for t in np.exp(rng.uniform(low, high, sweeps))]


def false_crossovers(looks: Sequence[int], key: int, sweeps: int, seed: int) -> Row:
    """Count false crossovers of a contender against itself.

    Sampling stops at the first look that decides.
    """
    model, hits = Model(rounds=looks[-1]), 0
    for i in range(sweeps):
        ratios = simulated(np.zeros(len(SIZES)), model, seed, key, i)
        hits += any(
            find([r[:look] for r in ratios], seed, len(looks)).outcome != "inconclusive"
            for look in looks
        )
    upper = clopper_pearson(hits, sweeps, 0.90)[1]
    ok = within(hits, sweeps, 0.0, 0.01) and (sweeps < ENOUGH or upper <= 0.02)
    at = f"{'looks at ' * (len(looks) > 1)}{', '.join(map(str, looks))} rounds"
    asked = "false crossovers <= 1 %, upper 95 % bound <= 2 %"
    return Row(f"A/A, {at}", asked, f"{hits} of {sweeps}, upper bound {upper:.1%}", ok)


def coverage(noise: float, speedup: float, sweeps: int, seed: int) -> Row:
    """Count how often the interval holds the truth.

    All sweeps count whose interval is closed at one end or both, whatever the outcome;
    an open end reaches to infinity. The row also gives the share found.
    """
    seeds = seed, 3, int(100 * noise), int(100 * speedup)
    found = _located(Model(noise=noise), speedup, (16,), sweeps, seeds)
    return _covered(f"interval, noise {noise:.0%}, speedup {speedup:g}", found)


def coverage_at_looks(noise: float, sweeps: int, seed: int) -> Row:
    """Count it for speedup 10, when sampling stops at high / low <= 1.25."""
    model, seeds = Model(noise=noise, rounds=LOOKS[-1]), (seed, 8, int(100 * noise))
    found = _located(model, 10.0, LOOKS, sweeps, seeds)
    return _covered(f"interval at the look that stops, noise {noise:.0%}", found)


def _located(
    model: Model, speedup: float, looks: Sequence[int], sweeps: int,
    seeds: tuple[int, ...],
) -> list[tuple[float, Located]]:  # fmt: skip
    """Return the truth of each sweep, and what the look finds that stops."""
    found = []
    for i, truth in enumerate(truths(sweeps, seeds[0])):
        ratios = simulated(cost_curve(truth, speedup), model, *seeds, i)
        for look in looks:
            last = find([r[:look] for r in ratios], seeds[0] + i, len(looks))
            if last.low and last.high and last.high / last.low <= WIDTH:
                break
        found.append((truth, last))
    return found


def _covered(what: str, found: list[tuple[float, Located]]) -> Row:
    given = [(t, f) for t, f in found if (f.low, f.high) != (None, None)]
    held = [((f.low or 0.0) <= t <= (f.high or np.inf), f) for t, f in given]
    hits = sum(ok for ok, _ in held)
    named = [ok for ok, f in held if f.outcome == "found"]
    return Row(
        what,
        "covers the truth in 93 to 98 %",
        f"{hits / len(given):.1%} of {len(given)} intervals; "
        f"{len(named) / len(found):.1%} found, {np.mean(named):.1%} of them covered",
        within(hits, len(given), 0.93, 0.98),
    )


def accuracy(speedup: float, sweeps: int, seed: int) -> Row:
    """Measure the error of the crossing after 16 rounds with a noise of 5 %."""
    model, errors = Model(), []
    for i, truth in enumerate(truths(sweeps, seed)):
        seeds = seed, 4, int(100 * speedup), i
        found = find(simulated(cost_curve(truth, speedup), model, *seeds), seed)
        errors.append(abs(found.at / truth - 1) if found.at else np.inf)
    return error_row(f"error, noise 5 %, speedup {speedup:g}, 16 rounds", errors)


def error_row(what: str, errors: Sequence[float]) -> Row:
    """Judge the errors of sizes that were found, as shares of the true ones."""
    median, tail = np.quantile(errors, [0.5, 0.9])
    return Row(
        what,
        "median <= 3 %, 90th percentile <= 8 %",
        f"{median:.1%}, {tail:.1%}",
        bool(median <= 0.03 and tail <= 0.08),
    )


def outcomes(outcome: str, sweeps: int, seed: int) -> Row:
    """Count how many random curves of one outcome are classified so."""
    right = interior = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 5, OUTCOMES.index(outcome), i])
        curve, _ = random_curve(outcome, rng)
        found = find(log_ratios(seconds(curve, Model(), rng)), seed)
        right += found.outcome == outcome
        interior += outcome != "found" and found.at is not None
    asked = ">= 97 % right"
    ok = within(right, sweeps, 0.97, 1.0)
    if outcome in ("always", "never", "not_monotone"):
        asked, ok = f"{asked}, none an interior point", ok and interior == 0
    said = f"{right} of {sweeps}, {interior} interior"
    return Row(f"curves {outcome}", asked, said, ok)


def step(sweeps: int, seed: int) -> Row:
    """Measure how far crossings move if the machine slows by 20 % half-way."""
    moves = []
    for i, truth in enumerate(truths(sweeps, seed)):
        curve = cost_curve(truth, 10.0)
        ats = [
            find(simulated(curve, Model(step=size), seed, 6, i), seed).at or np.nan
            for size in (0.0, 0.2)
        ]
        moves.append(abs(ats[1] / ats[0] - 1))
    worst = float(np.max(moves))
    found_text = f"worst of {sweeps}: {worst:.1%}, median {np.median(moves):.1%}"
    asked = "crossover moves < 5 %"
    return Row("20 % step in machine speed half-way", asked, found_text, worst < 0.05)


def pseudo_replication(sweeps: int, seed: int) -> Row:
    """Count false positives with a 3 % process effect and no difference.

    The engine tests at 5 % on the medians of 3 processes with 20 iterations each. On
    pooled iterations the test would fail, so the program never uses those.
    """
    hits = pooled = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 7, i])
        logs = rng.normal(0, 0.03, (2, 3, 1)) + rng.normal(0, 0.05, (2, 3, 20))
        rounds = np.median(logs[0], axis=1) - np.median(logs[1], axis=1)
        hits += _two_sided(rounds) <= 0.05
        pooled += _two_sided((logs[0] - logs[1]).ravel()) <= 0.05
    return Row(
        "pseudo-replication: 3 % process effect, 20 iterations x 3 processes",
        "false positives <= 7 %",
        f"{hits / sweeps:.1%} (pooled iterations: {pooled / sweeps:.0%})",
        within(hits, sweeps, 0.0, 0.07),
    )


def _two_sided(values: Array) -> float:
    sides: list[Callable[[Array], Array]] = [lambda v: v, lambda v: -v]
    return 2 * min(
        p_ahead(side(values), walsh_averages(side(values)), 0.0) for side in sides
    )


def clopper_pearson(hits: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the exact two-sided interval of a share."""
    found = stats.binomtest(hits, n).proportion_ci(confidence, method="exact")
    return float(found.low), float(found.high)


def within(hits: int, n: int, least: float, most: float) -> bool:
    """Tell whether a share lies between two, or could: see `ENOUGH`."""
    if n >= ENOUGH:
        return least <= hits / n <= most
    low, high = clopper_pearson(hits, n, 0.99) if n else (0.0, 1.0)
    return low <= most and high >= least

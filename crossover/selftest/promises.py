"""The engine's promises, checked on simulated sweeps: a row for each promise.

A row tells what was asked and what was found. `crossover selftest` prints the table;
tests/test_simulation.py requires every row to pass.
"""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from crossover.crossing.boundaries import Answered, Boundary, boundaries
from crossover.crossing.decide import LOOKS, Array, p_ahead, walsh_averages
from crossover.findings import AHEAD, BEHIND, EQUAL
from crossover.selftest.row import Row, clopper_pearson, within
from crossover.selftest.simulate import (
    SIZES,
    TIES,
    Model,
    cost_curve,
    log_ratios,
    passes,
    random_curve,
    seconds,
    tie_name,
    ties,
)

CONFIDENCE, MARGIN, WIDTH = 0.95, 0.05, 1.25
LEAD = float(np.log1p(MARGIN))
LEVEL = np.zeros(len(SIZES))
SPEEDUPS = (10.0, 2.0, 1.25)
NOISES = (0.05, 0.15)
OUTCOMES = ("found", "always", "never", "not_monotone", "inconclusive")
GAINS, LAGS = (1.3, 1.8), (0.0, 0.01)
TIED = Model(noise=0.04, rounds=32)
SMOOTH = {
    (0.05, 10.0): 0.0896, (0.05, 2.0): 0.163, (0.05, 1.25): 0.400,
    (0.15, 10.0): 0.265, (0.15, 2.0): 0.476, (0.15, 1.25): 1.14,
}  # fmt: skip
"""By noise and speedup, the median log(high / low) of an interval of parity that takes
every curve for smooth and every size for decided together (1,000 sweeps)."""


def simulation_table(sweeps: int, seed: int) -> list[Row]:
    """Return every row.

    Args:
        sweeps: for each row, a fifth of them for each outcome; docs: 1000.
        seed: of all random numbers.
    """
    every = itertools.product(TIES, LAGS, GAINS)
    rows = [tied(law, lag, gain, sweeps, seed) for law, lag, gain in every]
    rows += [false_claims(name, sweeps, seed) for name in EDGES]
    rows += [aa(sweeps, seed), aa_at_looks(sweeps, seed)]
    for noise in NOISES:
        rows += [coverage(noise, speedup, sweeps, seed) for speedup in SPEEDUPS]
    rows += [coverage_at_looks(noise, sweeps, seed) for noise in NOISES]
    rows += [accuracy(speedup, sweeps, seed) for speedup in SPEEDUPS[:2]]
    rows += [outcomes(name, max(1, sweeps // 5), seed) for name in OUTCOMES]
    return [*rows, step(max(1, sweeps // 5), seed), pseudo_replication(sweeps, seed)]


def find(ratios: list[Array], seed: int, looks: int = 1) -> Answered:
    """Find zones and boundaries at a margin of 5 %."""
    return boundaries(SIZES, ratios, CONFIDENCE, MARGIN, seed, looks)


def truths(sweeps: int, seed: int) -> list[float]:
    """Return a random truth for each sweep, between two sizes of the grid."""
    rng = np.random.default_rng([seed, 99])
    low, high = np.log(SIZES[4]), np.log(SIZES[5])
    return [float(t) for t in np.exp(rng.uniform(low, high, sweeps))]


def drawn(curve: Array, model: Model, *numbers: int) -> list[Array]:
    """Draw the log-ratios of a sweep, always the same ones for the same numbers."""
    return log_ratios(seconds(curve, model, np.random.default_rng(numbers)))


def crossing(
    speedup: float, model: Model, sweeps: int, seed: int, *numbers: int
) -> Iterator[tuple[int, float, float, list[Array]]]:
    """Yield sweeps that cross anywhere: number, parity, lead's begin, log-ratios."""
    for i, truth in enumerate(truths(sweeps, seed)):
        curve = partial(cost_curve, truth, speedup)
        ratios = drawn(curve(SIZES), model, seed, *numbers, i)
        yield i, truth, passes(curve, LEAD), ratios


def tied(law: str, lag: float, gain: float, sweeps: int, seed: int) -> Row:
    """Judge where a lead after a tie is said to begin, on the sizes of the grid."""
    held, widths, flagged, wrong = 0, [], 0, 0
    for i, curve, rng in ties(law, lag, gain, sweeps, seed, 11):
        answer = find(log_ratios(seconds(curve(SIZES), TIED, rng)), seed + i)
        found = answer.ahead_from
        held += holds(found, passes(curve, LEAD))
        widths.append(width(found))
        flagged += found.is_coarse
        wrong += claims_falsely(answer, curve(SIZES))
    typical = float(np.exp(np.median(widths)))
    return Row(
        tie_name(law, lag, gain),
        "all coarse, covers >= 93 %, median high / low <= 2.5, false claims <= 5 %",
        f"{flagged} of {sweeps} coarse, covers {held / sweeps:.1%}, {typical:.2f}, "
        f"{wrong / sweeps:.1%}",
        flagged == sweeps
        and within(held, sweeps, 0.93, 1.0)
        and typical <= 2.5
        and within(wrong, sweeps, 0.0, 0.05),
    )


def claims_falsely(found: Answered, curve: Array) -> bool:
    """Tell whether any size is said to be ahead, behind or equal, and is not."""
    names = np.array([zone.name for zone in found.zones])
    apart = np.abs(curve) >= LEAD
    wrong = (names == AHEAD) & (curve <= LEAD) | (names == BEHIND) & (curve >= -LEAD)
    return bool((wrong | (names == EQUAL) & apart).any())


EDGES = {
    "a lead just too small": np.full(len(SIZES), LEAD),
    "a lag just too small": np.full(len(SIZES), -LEAD),
    "a lead just too small up to half": np.repeat([LEAD, 4 * LEAD], len(SIZES) // 2),
    "a lag just too small from half": np.repeat([-4 * LEAD, -LEAD], len(SIZES) // 2),
}
"""Curves on which false claims are likeliest: up to the very edge of the next zone."""


def false_claims(name: str, sweeps: int, seed: int) -> Row:
    """How many sweeps claim what is false at any size; the error is spent here."""
    curve, place = EDGES[name], [*EDGES].index(name)
    sweep = (drawn(curve, TIED, seed, 12, place, i) for i in range(sweeps))
    wrong = sum(claims_falsely(find(ratios, seed), curve) for ratios in sweep)
    return Row(
        f"false ahead, behind or equal: {name}",
        "5 % of sweeps, within chance",
        f"{wrong / sweeps:.1%}",
        clopper_pearson(wrong, sweeps, 0.98)[0] <= 0.05,
    )


def aa(sweeps: int, seed: int) -> Row:
    """A contender against itself: ahead or behind at any size is false."""
    found = [find(drawn(LEVEL, Model(), seed, 1, i), seed) for i in range(sweeps)]
    equal = sum(any(zone.name == EQUAL for zone in f.zones) for f in found)
    more = f"; equal somewhere {equal}"
    return _fired("A/A, 16 rounds", sum(map(fires, found)), sweeps, more)


def aa_at_looks(sweeps: int, seed: int) -> Row:
    """The same, at any of the looks."""
    hits = 0
    for i in range(sweeps):
        ratios = drawn(LEVEL, Model(rounds=LOOKS[-1]), seed, 2, i)
        hits += any(
            fires(find([r[:look] for r in ratios], seed, len(LOOKS))) for look in LOOKS
        )
    looks = ", ".join(map(str, LOOKS))
    return _fired(f"A/A, looks at {looks} rounds", hits, sweeps, "")


def fires(found: Answered) -> bool:
    """Tell whether any size is shown ahead or behind."""
    return any(zone.name in (AHEAD, BEHIND) for zone in found.zones)


def _fired(what: str, hits: int, sweeps: int, more: str) -> Row:
    upper = clopper_pearson(hits, sweeps, 0.90)[1]
    return Row(
        what,
        "ahead or behind anywhere <= 1 %",
        f"{hits} of {sweeps}, upper bound {upper:.1%}{more}",
        within(hits, sweeps, 0.0, 0.01),
    )


def coverage(noise: float, speedup: float, sweeps: int, seed: int) -> Row:
    """How often the intervals of a lead and of parity hold the truth, and their widths.

    A width is compared with that of `SMOOTH`.
    """
    model = Model(noise=noise)
    held = np.zeros(2)
    widths: list[tuple[float, float]] = []
    named = 0
    numbers = seed, 3, int(100 * noise), int(100 * speedup)
    for i, truth, lead, ratios in crossing(speedup, model, sweeps, *numbers):
        found = find(ratios, seed + i)
        held += holds(found.ahead_from, lead), holds(found.parity, truth)
        widths.append((width(found.ahead_from), width(found.parity)))
        named += found.outcome == "found"
    wider = np.median(widths, axis=0) / SMOOTH[noise, speedup]
    covered = [within(int(h), sweeps, 0.93, 1.0) for h in held]
    enough = speedup > min(SPEEDUPS) or within(named, sweeps, 0.60, 1.0)
    return Row(
        f"noise {noise:.0%}, speedup {speedup:g}: ahead_from; parity",
        "covers >= 93 %, <= 1.4 times as wide; found at 1.25 >= 60 %",
        f"{held[0] / sweeps:.1%}, {wider[0]:.2f} times; {held[1] / sweeps:.1%}, "
        f"{wider[1]:.2f} times; {named / sweeps:.1%} found",
        all(covered) and max(wider) <= 1.4 and enough,
    )


def coverage_at_looks(noise: float, sweeps: int, seed: int) -> Row:
    """Speedup 10, stopping at the look where high / low <= 1.25."""
    held, model = 0, Model(noise=noise, rounds=LOOKS[-1])
    numbers = seed, 8, int(100 * noise)
    for i, _, lead, ratios in crossing(10.0, model, sweeps, *numbers):
        for look in LOOKS:
            last = find([r[:look] for r in ratios], seed + i, len(LOOKS)).ahead_from
            if width(last) <= np.log(WIDTH):
                break
        held += holds(last, lead)
    return Row(
        f"ahead_from at the look that stops, noise {noise:.0%}",
        "covers >= 93 %",
        f"{held / sweeps:.1%}",
        within(held, sweeps, 0.93, 1.0),
    )


def accuracy(speedup: float, sweeps: int, seed: int) -> Row:
    """The error of the size from which on the challenger is ahead."""
    errors = []
    numbers = seed, 4, int(100 * speedup)
    for _, _, lead, ratios in crossing(speedup, Model(), sweeps, *numbers):
        at = find(ratios, seed).ahead_from.at
        errors.append(abs(at / lead - 1) if at else np.inf)
    median, tail = np.quantile(errors, [0.5, 0.9])
    return Row(
        f"error, noise 5 %, speedup {speedup:g}, 16 rounds",
        "median <= 3 %, 90th percentile <= 8 %",
        f"{median:.1%}, {tail:.1%}",
        bool(median <= 0.03 and tail <= 0.08),
    )


def outcomes(outcome: str, sweeps: int, seed: int) -> Row:
    """Random curves of one outcome; two equal contenders may be called `never`, too."""
    right = interior = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 5, OUTCOMES.index(outcome), i])
        curve = random_curve(outcome, rng)
        found = find(log_ratios(seconds(curve, Model(), rng)), seed)
        if outcome == "inconclusive":
            right += found.outcome in ("never", outcome) and not fires(found)
        else:
            right += found.outcome == outcome
        interior += outcome != "found" and found.ahead_from.at is not None
    named = "equal: never or inconclusive" if outcome == "inconclusive" else outcome
    return Row(
        f"curves {named}",
        ">= 97 % right, none an interior point",
        f"{right} of {sweeps}, {interior} interior",
        within(right, sweeps, 0.97, 1.0) and (outcome == "found" or interior == 0),
    )


def step(sweeps: int, seed: int) -> Row:
    """The same sweeps with and without a 20 % slower machine from half-way on."""

    def ats(size: float) -> Array:
        drawn = crossing(10.0, Model(step=size), sweeps, seed, 6)
        found = (find(ratios, seed).ahead_from.at for *_, ratios in drawn)
        return np.array([at or np.nan for at in found])

    moves = np.abs(ats(0.2) / ats(0.0) - 1)
    worst = float(moves.max())
    return Row(
        "20 % step in machine speed half-way",
        "ahead_from moves < 5 %",
        f"worst of {sweeps}: {worst:.1%}, median {np.median(moves):.1%}",
        worst < 0.05,
    )


def holds(found: Boundary, truth: float) -> bool:
    """Tell whether an interval holds the truth; an open end reaches on."""
    return (found.low or 0.0) <= truth <= (found.high or np.inf)


def width(found: Boundary) -> float:
    """Return log(high / low), an open end taken as the end of the grid."""
    return float(np.log((found.high or SIZES[-1]) / (found.low or SIZES[0])))


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
    return 2 * min(p_ahead(v, walsh_averages(v), 0.0) for v in (values, -values))

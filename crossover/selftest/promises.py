"""The engine's promises, checked on simulated sweeps: a row for each promise.

A row tells what was asked and what was found. `crossover selftest` prints the table;
tests/test_simulation.py requires every row to pass.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

from crossover.crossing.boundaries import Answered, Boundary, boundaries
from crossover.crossing.decide import LOOKS, Array, p_ahead, walsh_averages
from crossover.findings import AHEAD, BEHIND, EQUAL
from crossover.selftest.simulate import (
    SIZES,
    TIES,
    Model,
    cost_curve,
    log_ratios,
    passes,
    random_curve,
    seconds,
    tie,
)

CONFIDENCE, MARGIN, WIDTH = 0.95, 0.05, 1.25
LEAD = float(np.log1p(MARGIN))
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


def tied(law: str, lag: float, gain: float, sweeps: int, seed: int) -> Row:
    """A tie up to anywhere between the fourth size and the seventh, then a lead."""
    held, widths, flagged, wrong = 0, [], 0, 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 11, TIES.index(law), int(10 * gain), i])
        start = float(np.exp(rng.uniform(*np.log(SIZES[[3, 6]]))))
        curve = partial(tie, law, lag, gain, start)
        answer = find(log_ratios(seconds(curve(SIZES), TIED, rng)), seed + i)
        found = answer.ahead_from
        held += holds(found, passes(curve, LEAD))
        widths.append(width(found))
        flagged += found.is_coarse
        wrong += claims_falsely(answer, curve(SIZES))
    typical = float(np.exp(np.median(widths)))
    level = f"{lag:.0%} behind" if lag else "equal"
    return Row(
        f"{level}, then a {law} to {gain:g}x",
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
    curve, wrong = EDGES[name], 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 12, list(EDGES).index(name), i])
        ratios = log_ratios(seconds(curve, TIED, rng))
        wrong += claims_falsely(find(ratios, seed), curve)
    return Row(
        f"false ahead, behind or equal: {name}",
        "5 % of sweeps, within chance",
        f"{wrong / sweeps:.1%}",
        clopper_pearson(wrong, sweeps, 0.98)[0] <= 0.05,
    )


def aa(sweeps: int, seed: int) -> Row:
    """A contender against itself: ahead or behind at any size is false."""
    hits = equal = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 1, i])
        ratios = log_ratios(seconds(np.zeros(len(SIZES)), Model(), rng))
        found = find(ratios, seed)
        hits += fires(found)
        equal += any(zone.name == EQUAL for zone in found.zones)
    return _fired("A/A, 16 rounds", hits, sweeps, f"; equal somewhere {equal}")


def aa_at_looks(sweeps: int, seed: int) -> Row:
    """The same, at any of the looks."""
    hits = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 2, i])
        model = Model(rounds=LOOKS[-1])
        ratios = log_ratios(seconds(np.zeros(len(SIZES)), model, rng))
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
    for i, truth in enumerate(truths(sweeps, seed)):
        rng = np.random.default_rng([seed, 3, int(100 * noise), int(100 * speedup), i])
        curve = partial(cost_curve, truth, speedup)
        ratios = log_ratios(seconds(curve(SIZES), model, rng))
        found = find(ratios, seed + i)
        held += holds(found.ahead_from, passes(curve, LEAD)), holds(found.parity, truth)
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
    held = 0
    for i, truth in enumerate(truths(sweeps, seed)):
        rng = np.random.default_rng([seed, 8, int(100 * noise), i])
        curve = partial(cost_curve, truth, 10.0)
        model = Model(noise=noise, rounds=LOOKS[-1])
        ratios = log_ratios(seconds(curve(SIZES), model, rng))
        for look in LOOKS:
            last = find([r[:look] for r in ratios], seed + i, len(LOOKS)).ahead_from
            if width(last) <= np.log(WIDTH):
                break
        held += holds(last, passes(curve, LEAD))
    return Row(
        f"ahead_from at the look that stops, noise {noise:.0%}",
        "covers >= 93 %",
        f"{held / sweeps:.1%}",
        within(held, sweeps, 0.93, 1.0),
    )


def accuracy(speedup: float, sweeps: int, seed: int) -> Row:
    """The error of the size from which on the challenger is ahead."""
    errors = []
    for i, truth in enumerate(truths(sweeps, seed)):
        rng = np.random.default_rng([seed, 4, int(100 * speedup), i])
        curve = partial(cost_curve, truth, speedup)
        at = find(log_ratios(seconds(curve(SIZES), Model(), rng)), seed).ahead_from.at
        errors.append(abs(at / passes(curve, LEAD) - 1) if at else np.inf)
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
    """Random curves of one outcome; two equal contenders may be called `never`, too."""
    right = interior = 0
    for i in range(sweeps):
        rng = np.random.default_rng([seed, 5, OUTCOMES.index(outcome), i])
        curve, _ = random_curve(outcome, rng)
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

    def ats(truth: float, i: int) -> Iterator[float]:
        for size in (0.0, 0.2):
            rng = np.random.default_rng([seed, 6, i])
            times = seconds(cost_curve(truth, 10.0), Model(step=size), rng)
            yield find(log_ratios(times), seed).ahead_from.at or np.nan

    both = np.array([list(ats(t, i)) for i, t in enumerate(truths(sweeps, seed))])
    moves = np.abs(both[:, 1] / both[:, 0] - 1)
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

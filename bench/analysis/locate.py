"""Where the curves cross: pure functions of paired log-ratios per size.

Estimator: median per size, isotonic fit over the sizes, zero in log(size), interval by
bootstrap over rounds. Rounds are the unit of replication. The planner and
`crossovers` call `locate`; docs/statistics.md says why it is as it is.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from bench.analysis.decide import FEWEST_ROUNDS, Array, decide
from bench.analysis.isotonic import isotonic_fits, zeros

Ratios = list[Array]
"""Per size, log(baseline / challenger) of each round: positive = challenger ahead."""

REPLICATES = 1000
NOISE_BEND = 0.3
"""Of half an interval: how far noise alone moves the zero of a cubic from a line's."""


@dataclass(frozen=True)
class Located:
    """An outcome with its crossing; open interval ends are None.

    `inconclusive` has an interval, too, where it is closed at one end at least: it is
    what a planner narrows down.
    """

    outcome: str
    at: float | None = None
    low: float | None = None
    high: float | None = None
    slope: float | None = None
    crossings: tuple[float, ...] = ()
    signs: tuple[int, ...] = ()
    """Per size +1 ahead, -1 behind, 0 undecided or too few rounds."""


def locate(
    sizes: Array,
    ratios: Ratios,
    confidence: float,
    margin: float,
    seed: int,
    looks: int = 1,
    pairs: int = 1,
    resolution: float = 0.0,
) -> Located:
    """Classify a pair's curve and locate its crossing.

    Args:
        sizes: increasing.
        ratios: per size, one log-ratio a round; the number of rounds may differ, and
            sizes with fewer than `FEWEST_ROUNDS` are left out.
        confidence: of the interval; also of all decisions of the sweep together.
        margin: share by which a contender must be faster to be ahead.
        seed: of the bootstrap.
        looks: how often the plan may look at the results; see `looks_up_to`.
        pairs: how many pairs the sweep compares.
        resolution: share by which a contender may be lucky or unlucky for as long as
            its process lives, which no number of rounds shows.
    """
    used = [i for i, r in enumerate(ratios) if len(r) >= FEWEST_ROUNDS]
    logs = np.log(np.asarray(sizes, float)[used])
    kept = [ratios[i] for i in used]
    decided = decide(kept, confidence, margin, looks, pairs)
    spread = dict(zip(used, decided, strict=True))
    signs = tuple(spread.get(i, 0) for i in range(len(ratios)))
    medians = np.array([np.median(r) for r in kept])
    outcome = classify(decided)
    if outcome == "not_monotone":
        crossings = sign_changes(logs, medians, decided)
        return Located(outcome, crossings=crossings, signs=signs)
    if outcome in ("never", "always") or len(used) < 2:
        return Located(outcome, signs=signs)
    edge = float(np.log1p(resolution))
    at, low, high, slope = _crossing(logs, kept, confidence, seed, edge)
    if outcome == "inconclusive" or not 0 < at < np.inf:
        return Located("inconclusive", None, low, high, signs=signs)
    return Located(outcome, at, low, high, slope, signs=signs)


def classify(signs: list[int]) -> str:
    """Return the outcome that the decisions at the sizes, smallest first, allow.

    Ahead at the largest size and undecided at the smallest is `found`, too, if the
    crossing then lies inside: two contenders may be as fast as each other at small
    sizes. Its interval tells how far down it may lie.
    """
    decided = [s for s in signs if s]
    if not decided or signs[-1] == 0:
        return "inconclusive"
    changes = sum(a != b for a, b in itertools.pairwise(decided))
    if changes > 1 or (changes == 1 and decided[0] > 0):
        return "not_monotone"
    if changes == 1:
        return "found"
    if signs[-1] < 0:
        return "never"
    return "always" if signs[0] > 0 else "found"


def crossing(sizes: Array, centres: Array) -> float:
    """Return the size where the isotonic fit of the centres turns positive.

    0 when it is positive from the smallest size on, infinity when nowhere.
    """
    weights = np.ones(len(sizes))
    fits = isotonic_fits(np.asarray(centres, float)[None], weights)
    zero, _ = zeros(np.log(np.asarray(sizes, float)), fits, weights)
    return float(np.exp(zero[0]))


def crossing_replicates(
    sizes: Array, ratios: Ratios, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """Return log(size) of the crossing and of its resampled replicates, +-inf outside.

    Args:
        sizes: increasing.
        ratios: per size, at least `FEWEST_ROUNDS` rounds.
        seed: of the bootstrap.
    """
    fits, weights = _replicate_fits(ratios, seed)
    zero, _ = zeros(np.log(np.asarray(sizes, float)), fits, weights)
    return float(zero[0]), zero[1:]


def _crossing(
    logs: Array, ratios: Ratios, confidence: float, seed: int, edge: float
) -> tuple[float, float | None, float | None, float]:
    """Return (at, low, high, slope).

    The interval is the replicates' percentile interval, its low end with all ratios
    `edge` higher and its high end with all `edge` lower; to each half of it the
    uncertainty of interpolating between the sizes is added as an independent error.
    """
    fits, weights = _replicate_fits(ratios, seed)
    zero, slope = zeros(logs, fits, weights)
    higher, lower = (
        zeros(logs, fits + shift, weights)[0] if shift else zero
        for shift in (edge, -edge)
    )
    cut = int(REPLICATES * (1 - confidence) / 2)
    at = float(zero[0])
    low = float(np.sort(higher[1:])[cut])
    high = float(np.sort(lower[1:])[-1 - cut])
    if np.isfinite(at):
        bend = interpolation_error(logs, fits[0], at)
        low, high = at - _widened(at - low, bend), at + _widened(high - at, bend)
    below, above = (float(np.exp(e)) if np.isfinite(e) else None for e in (low, high))
    return float(np.exp(at)), below, above, float(slope[0])


def _widened(half: float, bend: float) -> float:
    """Return half an interval with the independent error `bend` added to it.

    The bend is read off the noisy fit: the part that noise alone shows, `NOISE_BEND` of
    the half, is in the half already.
    """
    half = max(half, 0.0)
    if bend <= NOISE_BEND * half:
        return half
    return float(np.sqrt((1 - NOISE_BEND**2) * half**2 + bend**2))


def interpolation_error(logs: Array, fit: Array, at: float) -> float:
    """Return how far other ways to interpolate put the zero from `at`, in log(size).

    A straight line between the sizes around it, and the monotone cubic of Fritsch &
    Butland 1984 through all of them (scipy's `PchipInterpolator`).
    """
    above = np.flatnonzero(fit > 0)
    if not len(above) or above[0] == 0:
        return 0.0
    i = int(above[0])
    step = logs[i] - logs[i - 1]
    line = logs[i - 1] - fit[i - 1] * step / (fit[i] - fit[i - 1])
    curve = PchipInterpolator(logs, fit)
    cubic = float(brentq(lambda x: float(curve(x)), logs[i - 1], logs[i]))
    return float(max(abs(line - at), abs(cubic - at)))


def _replicate_fits(ratios: Ratios, seed: int) -> tuple[Array, Array]:
    """Return isotonic fits and weights: first of the medians, then of replicates."""
    columns = []
    for i, values in enumerate(ratios):
        ordered = np.sort(values)
        middles = middle_rounds(len(values), seed, i)
        replicates = 0.5 * (ordered[middles[0]] + ordered[middles[1]])
        columns.append(np.append(np.median(values), replicates))
    weights = np.array([len(r) for r in ratios], float)
    return isotonic_fits(np.column_stack(columns), weights), weights


@lru_cache(maxsize=1024)
def middle_rounds(rounds: int, seed: int, size_index: int) -> NDArray[np.int64]:
    """Return which of the sorted rounds are the middle ones of each resample.

    Shape (2, REPLICATES): a median needs no more of a resample than that, and it
    depends on nothing but the number of rounds. Sizes are measured at different times,
    so that each is resampled on its own.
    """
    rng = np.random.default_rng([seed, rounds, size_index])
    drawn = np.sort(rng.integers(rounds, size=(REPLICATES, rounds)), axis=1)
    return np.stack([drawn[:, (rounds - 1) // 2], drawn[:, rounds // 2]])


def sign_changes(logs: Array, centres: Array, signs: list[int]) -> tuple[float, ...]:
    """List every decided change of sign, each interpolated between its two sizes."""
    decided = [i for i, sign in enumerate(signs) if sign]
    found = []
    for i, j in itertools.pairwise(decided):
        if signs[i] != signs[j]:
            share = centres[i] / (centres[i] - centres[j])
            found.append(float(np.exp(logs[i] + share * (logs[j] - logs[i]))))
    return tuple(found)

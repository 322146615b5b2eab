"""Where the curves cross: pure functions of paired log-ratios per size.

Estimator: median per size, isotonic fit over the sizes, zero in log(size), interval by
bootstrap over rounds. Rounds are the unit of replication. The planner and
`crossovers` call `locate`; docs/statistics.md says why it is as it is.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossover.crossing.decide import FEWEST_ROUNDS, Array, decide
from crossover.crossing.interval import (
    LEAST_LEAD,
    Ratios,
    agreeing,
    locate_zero,
    replicate_medians,
    resampled_fits,
)
from crossover.crossing.isotonic import isotonic_fits, zeros
from crossover.crossing.rounding import Hidden


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
    hidden: Hidden | None = None,
) -> Located:
    """Classify a pair's curve and locate its crossing.

    The crossing lies between the two sizes between which the curve changes its sign.

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
        hidden: what rounding hides of the ratios, per size; nothing by default.
    """
    used = [i for i, r in enumerate(ratios) if len(r) >= FEWEST_ROUNDS]
    logs = np.log(np.asarray(sizes, float)[used])
    kept = [ratios[i] for i in used]
    hidden = Hidden.nothing(len(ratios)) if hidden is None else hidden
    hidden = hidden.at(used)
    decided = _decided(kept, hidden, confidence, margin, looks, pairs)
    spread = dict(zip(used, decided, strict=True))
    signs = tuple(spread.get(i, 0) for i in range(len(ratios)))
    outcome = classify(decided)
    if outcome == "not_monotone":
        medians = np.array([np.median(r) for r in kept])
        crossings = sign_changes(logs, medians, decided, margin)
        return Located(outcome, crossings=crossings, signs=signs)
    if outcome in ("never", "always") or len(used) < 2:
        return Located(outcome, signs=signs)
    edge = float(np.log1p(resolution))
    fits = resampled_fits(logs, kept, hidden, edge, seed)
    zero = locate_zero(fits, decided, confidence, margin)
    measured = np.asarray(sizes, float)[used]
    at, low, high = (
        as_size(x, measured) if np.isfinite(x) else None
        for x in (zero.at, zero.low, zero.high)
    )
    if outcome == "inconclusive" or at is None:
        return Located("inconclusive", None, low, high, signs=signs)
    return Located(outcome, at, low, high, zero.slope, signs=signs)


def _decided(
    ratios: Ratios,
    hidden: Hidden,
    confidence: float,
    margin: float,
    looks: int,
    pairs: int,
) -> list[int]:
    """Decide who is ahead at each size, whatever the rounding hides."""
    how = (confidence, margin, looks, pairs)
    if not hidden:
        return decide(ratios, *how)
    low = decide([r - h for r, h in zip(ratios, hidden.lower, strict=True)], *how)
    high = decide([r + h for r, h in zip(ratios, hidden.higher, strict=True)], *how)
    signs = [int(a > 0) - int(b < 0) for a, b in zip(low, high, strict=True)]
    # nothing is claimed of the others where the largest size is not decided
    return signs if signs and signs[-1] else [0] * len(signs)


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


def crossing(
    sizes: Array, centres: Array, signs: list[int] | None = None, margin: float = 0.0
) -> float:
    """Return the size where the isotonic fit of the centres turns positive.

    0 when it is positive from the smallest size on, infinity when nowhere.

    Args:
        sizes: increasing.
        centres: log-ratio per size.
        signs: who is ahead at each size, where that is decided; see `agreeing`.
        margin: share by which a decided size is ahead or behind, at least.
    """
    weights = np.ones(len(sizes))
    fits = isotonic_fits(np.asarray(centres, float)[None], weights)
    if signs is not None:
        fits[0] = agreeing(fits[0], signs, margin)
    zero, _ = zeros(np.log(np.asarray(sizes, float)), fits, weights)
    return as_size(float(zero[0]), np.asarray(sizes, float))


def as_size(log_size: float, sizes: Array) -> float:
    """Return exp(log_size), and a measured size as it is, which exp may just miss."""
    size = float(np.exp(log_size))
    nearest = float(sizes[np.argmin(np.abs(sizes - size))])
    return nearest if abs(nearest - size) <= 1e-9 * nearest else size


def crossing_replicates(
    sizes: Array, ratios: Ratios, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """Return log(size) of the crossing and of its resampled replicates, +-inf outside.

    Args:
        sizes: increasing.
        ratios: per size, at least `FEWEST_ROUNDS` rounds.
        seed: of the bootstrap.
    """
    rows, weights = replicate_medians(ratios, seed)
    fits = isotonic_fits(rows, weights)
    zero, _ = zeros(np.log(np.asarray(sizes, float)), fits, weights)
    return float(zero[0]), zero[1:]


def sign_changes(
    logs: Array, centres: Array, signs: list[int], margin: float
) -> tuple[float, ...]:
    """List every decided change of sign, each interpolated between its two sizes."""
    decided = [i for i, sign in enumerate(signs) if sign]
    # a median can contradict the ranks that decided: the decision counts
    edge = max(float(np.log1p(margin)), LEAST_LEAD)
    leads = np.maximum(np.array(signs) * centres, edge)
    found = []
    for i, j in itertools.pairwise(decided):
        if signs[i] != signs[j]:
            share = leads[i] / (leads[i] + leads[j])
            found.append(float(np.exp(logs[i] + share * (logs[j] - logs[i]))))
    return tuple(found)

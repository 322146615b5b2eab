"""Where an isotonic curve turns positive, and how sure that is.

In: paired log-ratios per size, and who was decided to be ahead. Out: the crossing and
its interval, inside the sizes that the decisions leave. `locate` calls it.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from crossover.crossing.decide import Array, median
from crossover.crossing.isotonic import isotonic_fits, zeros
from crossover.crossing.rounding import Hidden

Ratios = list[Array]
"""Per size, log(baseline / challenger) of each round: positive = challenger ahead."""

REPLICATES = 1000
NOISE_BEND = 0.3
"""Noise alone moves a cubic's zero from a line's by about 0.3 of half an interval."""
NO_WIDTH = 1e-9
"""An interval narrower than this, in log(size), is that of rounds all alike."""
LEAST_LEAD = 1e-9
"""A size that is decided is not at zero, even where the margin is."""
NEAR = 1.1
"""Sizes within this factor of each other hide no kink that matters."""
COARSE, BLIND = 1.7, 3.0
"""A crossing between sizes farther apart than the first factor is on a coarse grid;
between sizes farther apart than the second, interpolating is a guess."""
KINK = 3.0
"""A slope that changes by more than this factor from one gap to the next is a kink."""
SEEN, SURE = 0.8, 0.99
"""A kink is seen, or sure, if at least this share of the resamples has it."""


@dataclass(frozen=True)
class Interval:
    """A crossing as log(size), -inf or inf beyond the sizes; the slope there."""

    at: float
    low: float
    high: float
    slope: float
    above: int
    """Index of the first size where the fit is positive."""


@dataclass(frozen=True)
class Fits:
    """Isotonic fits of the medians over log(size), shape (1 + replicates, sizes).

    The first row is of all rounds, the others are of resamples.
    """

    logs: Array
    weights: Array
    plain: Array
    raised: Array
    """The same with all ratios as much higher as resolution and rounding allow."""
    lowered: Array

    @cached_property
    def kinks(self) -> Array:
        """Per gap, the share of the resamples in which it may hide a kink.

        A gap next to which the curve is much flatter or much steeper may hold a kink or
        a step anywhere: no round at its ends shows where, and no way to interpolate
        knows. A gap is named by the index of the size at its upper end.
        """
        slopes = np.diff(self.plain[1:].T, axis=0) / np.diff(self.logs)[:, None]
        shares = np.zeros(len(self.logs))
        for i, inside in enumerate(slopes):
            near = slopes[max(i - 1, 0) : i + 2]
            flatter = inside > KINK * near.min(axis=0)
            shares[i + 1] = (flatter | (near.max(axis=0) > KINK * inside)).mean()
        return shares


def resampled_fits(
    logs: Array, ratios: Ratios, hidden: Hidden, edge: float, seed: int
) -> Fits:
    """Return the isotonic fits that every crossing of a pair is read from.

    Args:
        logs: log(size), increasing.
        ratios: per size, one log-ratio a round.
        hidden: what rounding hides of the ratios.
        edge: what the resolution hides, as a log-ratio.
        seed: of the bootstrap.
    """
    rows, weights = replicate_medians(ratios, seed)
    plain = isotonic_fits(rows, weights)
    raised = isotonic_fits(rows + hidden.higher, weights) if hidden else plain
    lowered = isotonic_fits(rows - hidden.lower, weights) if hidden else plain
    return Fits(logs, weights, plain, raised + edge, lowered - edge)


def locate_zero(
    fits: Fits,
    confidence: float,
    signs: list[int],
    margin: float,
    level: float,
) -> Interval:
    """Return where the isotonic fit of the medians exceeds a level, with its interval.

    The interval is the replicates' percentile interval: its low end with all ratios as
    much higher as the resolution and the rounding allow, its high end with all as much
    lower. To each half of it the uncertainty of interpolating between the sizes is
    added as an independent error, but never past a size that is decided.

    Args:
        fits: of the pair.
        confidence: of the interval.
        signs: per size +1 above the level, -1 below it, 0 undecided; below never after
            above.
        margin: share by which a decided size is above or below, at least.
        level: the log-ratio to exceed.
    """
    fit = agreeing(fits.plain[0] - level, signs, margin)
    raised, lowered = fits.raised - level, fits.lowered - level
    raised[0] = lowered[0] = fit
    zero, slope = zeros(fits.logs, raised, fits.weights)
    cut = int(REPLICATES * (1 - confidence) / 2)
    low = float(np.sort(zero[1:])[cut])
    high = float(np.sort(zeros(fits.logs, lowered, fits.weights)[0][1:])[-1 - cut])
    at, above = float(zero[0]), int(np.searchsorted(fit, 0.0, "right"))
    if np.isfinite(at):
        low, high = _widened(fits.logs, fit, at, signs, (low, high))
    gaps = _gaps(fits.plain[1:] - level, cut)
    low, high = _to_the_kinks(fits, signs, (low, high), above, gaps)
    return Interval(at, low, high, float(slope[0]), above)


def _gaps(rows: Array, cut: int) -> tuple[int, int]:
    """Return the gaps in which the ends of the replicates' interval lie.

    A gap is named by the index of the size at its upper end; 0 and the number of sizes
    are what lies beyond the sizes.
    """
    above = np.sort(np.count_nonzero(rows <= 0, axis=1))
    return int(above[cut]), int(above[-1 - cut])


def _to_the_kinks(
    fits: Fits,
    signs: list[int],
    ends: tuple[float, float],
    above: int,
    gaps: tuple[int, int],
) -> tuple[float, float]:
    """Return the ends moved out to those of a gap in which interpolating is blind.

    The gap of the estimate counts if a kink is seen there, or could not be; a gap in
    which an end lies counts if a kink is sure. No end moves past a size that is
    decided.
    """
    logs, (low, high), (behind, ahead) = fits.logs, ends, _decided(fits.logs, signs)
    is_kinked = is_wide(fits, above, NEAR) and bool(fits.kinks[above] >= SEEN)
    if is_kinked or (is_wide(fits, above, COARSE) and is_blind(fits, above)):
        low, high = min(low, logs[above - 1]), max(high, logs[above])
    below, beyond = gaps
    if is_wide(fits, below, COARSE) and fits.kinks[below] >= SURE:
        low = min(low, max(logs[below - 1], behind))
    if is_wide(fits, beyond, COARSE) and fits.kinks[beyond] >= SURE:
        high = max(high, min(logs[beyond], ahead))
    return float(low), float(high)


def _decided(logs: Array, signs: list[int]) -> tuple[float, float]:
    """Return the last size that is decided to be below, and the first one above."""
    known = np.array(signs)
    behind = float(max(logs[known < 0], default=-np.inf))
    return behind, float(min(logs[known > 0], default=np.inf))


def is_wide(fits: Fits, gap: int, factor: float) -> bool:
    """Tell whether a gap lies between two sizes that are farther apart than a factor.

    Args:
        fits: of the pair.
        gap: index of the size at its upper end; there may be no such gap.
        factor: how far.
    """
    logs = fits.logs
    return 1 <= gap < len(logs) and bool(logs[gap] - logs[gap - 1] > np.log(factor))


def is_blind(fits: Fits, gap: int) -> bool:
    """Tell whether nothing is known of a curve in a wide gap but its two ends.

    So it is where the gap is very wide, where a kink is seen, and next to the end of
    the grid, where there is nothing to compare with.
    """
    at_an_end = not 2 <= gap < len(fits.logs) - 1
    return at_an_end or is_wide(fits, gap, BLIND) or bool(fits.kinks[gap] >= SEEN)


def _widened(
    logs: Array, fit: Array, at: float, signs: list[int], ends: tuple[float, float]
) -> tuple[float, float]:
    """Return the ends with what interpolation does not know, up to decided sizes.

    Rounds that are all alike tell no more than between which sizes the sign changes.
    """
    behind, ahead = _decided(logs, signs)
    bend, (low, high) = interpolation_error(logs, fit, at), ends
    low = max(at - _wider(at - low, bend), min(low, behind))
    high = min(at + _wider(high - at, bend), max(high, ahead))
    if high - low < NO_WIDTH:
        first = int(np.argmax(fit > 0))
        return float(logs[first - 1]), float(logs[first])
    return float(low), float(high)


def agreeing(fit: Array, signs: list[int], margin: float) -> Array:
    """Return an isotonic fit with at least the margin where a size is decided.

    Tests use ranks and the fit medians, pooled with those of the neighbours, so that
    noise can set one against the other; the crossing then lies where it was decided.
    """
    edge = max(float(np.log1p(margin)), LEAST_LEAD)
    known, agreed = np.array(signs), fit.copy()
    for i in np.flatnonzero(known < 0)[-1:]:
        agreed[: i + 1] = np.minimum(fit[: i + 1], -edge)
    for i in np.flatnonzero(known > 0)[:1]:
        agreed[i:] = np.maximum(fit[i:], edge)
    return agreed


def _wider(half: float, bend: float) -> float:
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
    start = float(logs[i - 1])
    c, b, a, zero = map(float, PchipInterpolator(logs, fit).c[:, i - 1])

    def curve(x: float) -> float:
        s = x - start
        return zero + a * s + b * (s * s) + c * (s * s * s)

    cubic = float(brentq(curve, logs[i - 1], logs[i]))
    return float(max(abs(line - at), abs(cubic - at)))


def replicate_medians(ratios: Ratios, seed: int) -> tuple[Array, Array]:
    """Return medians per size and weights: first of all rounds, then of resamples."""
    columns = []
    for i, values in enumerate(ratios):
        ordered = np.sort(values)
        middles = middle_rounds(len(values), seed, i)
        replicates = 0.5 * (ordered[middles[0]] + ordered[middles[1]])
        columns.append(np.append(median(values), replicates))
    return np.column_stack(columns), np.array([len(r) for r in ratios], float)


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

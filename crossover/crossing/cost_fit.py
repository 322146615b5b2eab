"""Times as sums of costs, none negative: the fit, what it can tell, its intervals.

In: how often each cell pays each cost, and its rounds. Out: a `Fit`. The cost model and
the definition `fitted` call it; docs/cost_model.md says why it is as it is.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from crossover.crossing.decide import Array, median
from crossover.crossing.interval import REPLICATES, replicate_medians

TIE = 1e-12
"""Fits whose mean squared relative residuals differ by less are equally good."""
LARGEST_CONDITION = 1e7
CHANCE = 0.05
SAME = 1e-6
"""Share by which two fits may differ in a cost and still say the same of it."""


@dataclass(frozen=True)
class Ranged:
    """Seconds with their interval; None is unknown.

    Only `high` where the measurements tell no more than that it is not above that.
    """

    seconds: float | None = None
    low: float | None = None
    high: float | None = None

    def over(self, count: float | None) -> "Ranged":
        """Return the seconds of one of so many; unknown where the count is."""
        if not count:
            return Ranged()
        parts = (self.seconds, self.low, self.high)
        return Ranged(*(None if s is None else s / count for s in parts))


@dataclass(frozen=True, eq=False)
class Fit:
    """Costs fitted to cells; row 0 of each array is the fit, the others replicates."""

    draws: Array
    """Shape (1 + replicates, costs): of the best fit, or of one of several."""
    lowest: Array
    """The same shape: the least that any of the best fits gives each cost."""
    highest: Array
    ties: Array
    """Shape (best fits, costs), of the cells' medians."""
    scale: float
    """By how much intervals are widened, as the cells scatter more than rounds do."""
    residuals: Array
    """Per cell, (measured - fitted) / measured."""
    spare: int
    """Cells beyond as many as the fit needs; with none it cannot be tested."""
    confidence: float

    def cost(self, j: int) -> Ranged:
        """Return one cost: unknown where it cannot be told from none, or from others.

        Either way the measurements say how large it may be at most, unless they would
        have it negative: that the end is then 0 is the fit's doing.
        """
        low, high = self._ends(self.lowest[:, j], self.highest[:, j])
        if high <= 0:
            return Ranged()
        least, most = self.lowest[0, j], self.highest[0, j]
        if low <= 0 or most - least > SAME * most:
            return Ranged(high=high)
        return Ranged(float(least), low, high)

    def at(self, work: Array) -> Ranged:
        """Return the seconds of so much work; unknown where the best fits differ."""
        said = self.ties @ work
        if np.ptp(said) > SAME * np.max(said):
            return Ranged()
        values = self.draws @ work
        low, high = self._ends(values, values)
        return Ranged(float(values[0]), max(low, 0.0), high)

    def _ends(self, lows: Array, highs: Array) -> tuple[float, float]:
        cut = int((len(lows) - 1) * (1 - self.confidence) / 2)
        low = float(np.partition(lows[1:], cut)[cut])
        high = float(np.partition(highs[1:], -1 - cut)[-1 - cut])
        below, above = max(lows[0] - low, 0.0), max(high - highs[0], 0.0)
        ends = lows[0] - self.scale * below, highs[0] + self.scale * above
        return float(ends[0]), float(ends[1])


def best_fit(work: Array, seconds: Array) -> Array:
    """Return one best non-negative fit (costs,) of seconds (cells,); see `best_fits`.

    Where several are equally good, that of the fewest costs.
    """
    fits = best_fits(work, seconds[:, None], seconds)[:, 0]
    found: Array = fits[~np.isnan(fits[:, 0])][0]
    return found


def best_fits(work: Array, seconds: Array, weights: Array) -> Array:
    """Return every best non-negative fit of each column of seconds.

    A best fit is the unconstrained one of the costs that it does not leave out (Lawson
    & Hanson 1974, chapter 23), and of so few costs each choice is tried: exact, and for
    all columns at once, where scipy's `nnls` takes one. Several fits are equally good
    where the work cannot tell their costs apart.

    Args:
        work: shape (cells, costs): how often each cost is paid.
        seconds: shape (cells, columns).
        weights: per cell, the seconds that its error is a share of.

    Returns:
        Shape (choices, columns, costs), NaN where a choice is no best fit.
    """
    design, target = work / weights[:, None], seconds / weights[:, None]
    lengths = np.linalg.norm(design, axis=0)
    kept = np.flatnonzero(lengths)
    found, losses = [], []
    for count in range(1, len(kept) + 1):
        for chosen in map(list, itertools.combinations(kept, count)):
            part = design[:, chosen] / lengths[chosen]
            if count > len(part) or np.linalg.cond(part) > LARGEST_CONDITION:
                continue
            costs = np.linalg.pinv(part) @ target
            loss = ((target - part @ costs) ** 2).mean(axis=0)
            losses.append(np.where((costs < 0).any(axis=0), np.inf, loss))
            found.append(np.zeros((target.shape[1], work.shape[1])))
            found[-1][:, chosen] = (costs / lengths[chosen, None]).T
    loss, fits = np.array(losses), np.array(found)
    fits[loss > loss.min(axis=0) + TIE] = np.nan
    return fits


def fit(
    work: Array,
    rounds: list[Array],
    confidence: float,
    seed: int,
    paired: bool = False,
) -> Fit:
    """Fit costs to the medians of cells, by least squares of the relative error.

    The intervals are bootstrapped over each cell's rounds. Where the cells are further
    from the fit than their rounds explain, they are wider by that factor (Birge 1932,
    Physical Review 40, 207): what no law of this form holds is then in them, too.

    Args:
        work: shape (cells, costs): how often each cost is paid.
        rounds: per cell, seconds of each round, none 0.
        confidence: of each interval.
        seed: of the bootstrap.
        paired: with the same seed, draw the same of another contender's rounds.
    """
    seconds = resampled(rounds, seed, paired)
    medians = seconds[:, 0]
    fits = best_fits(work, seconds, medians)
    first = np.argmax(~np.isnan(fits[:, :, 0]), axis=0)
    draws = fits[first, np.arange(fits.shape[1])]
    ties = fits[~np.isnan(fits[:, 0, 0]), 0]
    design = work / medians[:, None]
    residuals = 1 - design @ draws[0]
    used = np.linalg.norm(design, axis=0)
    spare = len(work) - int(np.linalg.matrix_rank(design / np.maximum(used, 1e-300)))
    noise = seconds[:, 1:] / medians[:, None]
    return Fit(
        draws,
        np.nanmin(fits, axis=0),
        np.nanmax(fits, axis=0),
        ties,
        _scale(residuals, noise, spare),
        residuals,
        spare,
        confidence,
    )


def _scale(residuals: Array, noise: Array, spare: int) -> float:
    """Return Birge's ratio where chance (5 %) does not explain it, else 1.

    Args:
        residuals: relative, per cell.
        noise: shape (cells, replicates): their resampled medians, relative.
        spare: degrees of freedom.
    """
    variance = max(float(np.mean(noise.var(axis=1))), 1e-18)
    excess = float(np.sum(residuals**2)) / variance
    if not spare or chdtrc(spare, excess) > CHANCE:
        return 1.0
    return max(1.0, float(np.sqrt(excess / spare)))


def resampled(rounds: list[Array], seed: int, paired: bool) -> Array:
    """Return per cell the median of its rounds, then of resamples of them.

    Shape (cells, 1 + replicates). Cells are measured at different times, so that each
    is resampled on its own.
    """
    if not paired:  # the same, far faster
        return np.ascontiguousarray(replicate_medians(rounds, seed)[0].T)
    rows = np.empty((len(rounds), 1 + REPLICATES))
    for i, values in enumerate(rounds):
        rng = np.random.default_rng([seed, len(values), i])
        drawn = rng.integers(len(values), size=(REPLICATES, len(values)))
        rows[i] = np.append(median(values), np.median(values[drawn], axis=1))
    return rows

"""The ratio of two means over paired rounds, with Fieller's confidence set.

In: a numerator and a denominator per round. Out: the set of all ratios that the rounds
do not contradict: bounded, two rays, or everything. `breakeven` calls it.
"""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from crossover.crossing.decide import Array
from crossover.crossing.shifts import TRIM


@dataclass(frozen=True)
class Means:
    """Trimmed means of paired rounds, and what is known of their errors."""

    numerator: float
    denominator: float
    errors: tuple[float, float, float]
    """Variance of the numerator's mean, of the denominator's, and their covariance."""
    freedom: int

    def shifted(self, numerator: float, denominator: float) -> "Means":
        """Return what the means would be with so much added to each."""
        return dataclasses.replace(
            self,
            numerator=self.numerator + numerator,
            denominator=self.denominator + denominator,
        )

    def signs(self, confidence: float) -> tuple[int, int]:
        """Return +1 or -1 for each mean that differs significantly from 0, else 0."""
        reach = _quantile(confidence, self.freedom)
        pairs = zip((self.numerator, self.denominator), self.errors, strict=False)
        one, other = (int(np.sign(m)) if m**2 > reach**2 * v else 0 for m, v in pairs)
        return one, other


@dataclass(frozen=True)
class Ratios:
    """A set of ratios.

    `bounded`: from `low` to `high`. `rays`: all but those between `low` and `high`.
    `everything`: no ratio is contradicted, and there are no ends.
    """

    kind: str
    low: float | None = None
    high: float | None = None

    @property
    def positive_ends(self) -> list[float]:
        """The ends above 0, the smaller first."""
        return [end for end in (self.low, self.high) if end is not None and end > 0]


@lru_cache(maxsize=64)  # scipy's takes longer than all the rest
def _quantile(confidence: float, freedom: int) -> float:
    return float(special.stdtrit(freedom, 0.5 + confidence / 2))


def means(numerators: Array, denominators: Array, trim: float = TRIM) -> Means:
    """Return the trimmed means of paired rounds and the (co)variances of both.

    Means without the `trim` lowest and highest shares, so that spikes do not decide;
    errors from the winsorised rounds (Tukey & McLaughlin 1963; Yuen 1974).

    Args:
        numerators: one a round.
        denominators: of the same rounds, at least three.
        trim: 0 for plain means.
    """
    sides = np.array([numerators, denominators], float)
    ordered, rounds = np.sort(sides), len(numerators)
    cut = int(trim * rounds)
    kept = rounds - 2 * cut
    top, bottom = ordered[:, cut : rounds - cut].mean(axis=1)
    winsorised = np.clip(sides, ordered[:, [cut]], ordered[:, [rounds - 1 - cut]])
    spread = np.cov(winsorised) * (rounds - 1) / (kept * (kept - 1))
    errors = (float(spread[0, 0]), float(spread[1, 1]), float(spread[0, 1]))
    return Means(float(top), float(bottom), errors, kept - 1)


def fieller(found: Means, confidence: float) -> Ratios:
    """Return the confidence set of numerator / denominator.

    It holds each x for which a t-test does not reject that the mean of
    numerator - x denominator is 0, which is where a quadratic in x is not positive:
    (N - x D)^2 <= t^2 (var N - 2 x cov + x^2 var D). Bounded exactly where the
    denominator differs significantly from 0 (Fieller 1954, "Some problems in interval
    estimation", Journal of the Royal Statistical Society B 16, 175-185).
    """
    reach = _quantile(confidence, found.freedom) ** 2
    over, under, both = found.errors
    a = found.denominator**2 - reach * under
    b = found.numerator * found.denominator - reach * both
    c = found.numerator**2 - reach * over
    root = b**2 - a * c
    if a == 0 or (a < 0 and root <= 0):
        return Ratios("everything")
    half = float(np.sqrt(max(root, 0.0)))
    low, high = sorted(((b - half) / a, (b + half) / a))
    return Ratios("bounded" if a > 0 else "rays", low, high)

"""A row of the selftest's table, and whether a counted share keeps its bounds."""

from dataclasses import dataclass

from scipy import stats

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

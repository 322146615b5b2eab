"""One pair's paired rounds over the sizes -> outcome, interval, definitions, flags.

`crossovers` calls it on a run's rounds, `analyse` on anybody's table.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.definitions import (
    first_win,
    fitted,
    fitted_interval,
    least_regret,
    steps_apart,
    steps_from_bracket,
)
from crossover.crossing.locate import Located, classify, crossing, locate, sign_changes
from crossover.crossing.rounding import Hidden, hidden
from crossover.crossing.stability import is_autocorrelated, is_unstable
from crossover.findings import Answer

NOT_MEASURED = "not_measured"
FITTED = "fitted"


@dataclass(frozen=True)
class Settings:
    """How sure to be: `locate`'s arguments that do not depend on the data."""

    confidence: float = 0.95
    margin: float = 0.02
    seed: int = 0
    looks: int = 1
    pairs: int = 1
    resolution: float = 0.0


def answer(
    sizes: Array,
    baseline_s: list[Array],
    challenger_s: list[Array],
    work: Array,
    settings: Settings,
) -> Answer:
    """Find the crossover of one pair.

    Args:
        sizes: increasing.
        baseline_s: per size, seconds of each shared round, in order.
        challenger_s: the same rounds of the challenger.
        work: of the cost curves; see `fitted`.
        settings: how sure to be.
    """
    kept = [i for i, seconds in enumerate(baseline_s) if len(seconds) >= FEWEST_ROUNDS]
    if not kept:
        return Answer(NOT_MEASURED, flags=(f"fewer than {FEWEST_ROUNDS} rounds",))
    base, other = [baseline_s[i] for i in kept], [challenger_s[i] for i in kept]
    ratios = [np.log(b / c) for b, c in zip(base, other, strict=True)]
    veil = hidden(base, other)
    found = locate(sizes[kept], ratios, **dataclasses.asdict(settings), hidden=veil)
    medians = np.array([np.median(r) for r in ratios])
    times = [np.array([np.median(t) for t in side]) for side in (base, other)]
    result = Answer(
        found.outcome,
        found.at,
        found.low,
        found.high,
        settings.confidence,
        first_win(sizes[kept], medians),
        least_regret(sizes[kept], *times),
        fitted(sizes[kept], work[kept], *times),
        float(np.exp(medians[0])),
        float(np.exp(medians[-1])),
        found.slope,
        pair_flags(ratios),
    )
    blurred = veil.blurs(sizes[kept], ratios, found.signs, found.at, settings.margin)
    apart = definitions_apart(sizes[kept], result)
    more = []
    if FITTED in apart:
        sides = (base, other, settings.confidence, settings.seed)
        ends = fitted_interval(sizes[kept], work[kept], *sides)
        apart[apart.index(FITTED)] = f"{FITTED} ({_ends(*ends)})"
    if apart:
        more.append(f"definitions_disagree: {', '.join(apart)}")
    if minimum_disagrees(sizes[kept], result.at, base, other):
        more.append("minimum_disagrees")
    more += rounded(veil) if blurred else []
    more += remarks(found, len(sizes) - len(kept))
    return dataclasses.replace(result, flags=(*result.flags, *more))


def point_answer(
    sizes: Array, baseline_s: Array, challenger_s: Array, work: Array, margin: float
) -> Answer:
    """Find the crossover of one time per size: no interval, and flag `no_rounds`.

    Args:
        sizes: increasing.
        baseline_s: per size.
        challenger_s: per size.
        work: of the cost curves; see `fitted`.
        margin: share by which a contender must be faster to be ahead.
    """
    ratios = np.log(baseline_s / challenger_s)
    veil = hidden(*(list(side[:, None]) for side in (baseline_s, challenger_s)))
    edge = np.log1p(margin)
    ahead, behind = ratios - veil.lower > edge, ratios + veil.higher < -edge
    signs = [int(sign) for sign in ahead.astype(int) - behind.astype(int)]
    outcome, at, said = _point_outcome(sizes, ratios, signs, margin)
    if veil.blurs(sizes, list(ratios[:, None]), signs, at, margin):
        said += rounded(veil)
    return Answer(
        outcome,
        at,
        first_win=first_win(sizes, ratios),
        least_regret=least_regret(sizes, baseline_s, challenger_s),
        fitted=fitted(sizes, work, baseline_s, challenger_s),
        speedup_smallest=float(np.exp(ratios[0])),
        speedup_largest=float(np.exp(ratios[-1])),
        flags=("no_rounds", *said),
    )


def _point_outcome(
    sizes: Array, ratios: Array, signs: list[int], margin: float
) -> tuple[str, float | None, list[str]]:
    """Return the outcome, the crossing if it is found, and what else there is to say.

    Contenders within the margin of each other at the smallest sizes, the challenger in
    front, have no crossing between the sizes.
    """
    outcome = classify(signs)
    if outcome == "not_monotone":
        crossings = sign_changes(np.log(sizes), ratios, signs, margin)
        return outcome, None, crossings_remark(crossings)
    if outcome != "found":
        return outcome, None, []
    at = crossing(sizes, ratios, signs, margin)
    if 0 < at < np.inf:
        return outcome, at, []
    below = f"a crossing would lie below {sizes[signs.index(1)]:,.10g}"
    return "inconclusive", None, [below]


def rounded(veil: Hidden) -> list[str]:
    """Flag times of which the rounding hides something."""
    return [f"rounded_times: {veil.values:,} different times"]


def agreed(answers: list[Answer]) -> Answer:
    """Return what several answers to one question have in common.

    The first, its interval widened to hold all of theirs; inconclusive where their
    outcomes differ.
    """
    first, *others = answers
    if not others:
        return first
    if any(a.outcome != first.outcome for a in others):
        return dataclasses.replace(
            first, outcome="inconclusive", at=None, low=None, high=None, slope=None
        )
    lows, highs = [a.low for a in answers], [a.high for a in answers]
    return dataclasses.replace(
        first,
        low=None if None in lows else min(low for low in lows if low is not None),
        high=None if None in highs else max(h for h in highs if h is not None),
    )


def pair_flags(ratios: list[Array]) -> tuple[str, ...]:
    """Return the flags that the paired log-ratios of a sweep raise."""
    raised = {
        "unstable": is_unstable(ratios),
        "autocorrelated": is_autocorrelated(ratios),
    }
    return tuple(name for name, is_raised in raised.items() if is_raised)


def definitions_apart(sizes: Array, result: Answer) -> list[str]:
    """Name the definitions that cross more than one grid step from the one found."""
    if result.at is None:
        return []
    at, never = result.at, np.inf
    steps = {
        "first_win": steps_from_bracket(sizes, at, result.first_win or never),
        "least_regret": steps_from_bracket(sizes, at, result.least_regret or never),
        FITTED: steps_apart(sizes, at, result.fitted) if result.fitted else 0.0,
    }
    return [name for name, distance in steps.items() if distance > 1]


def minimum_disagrees(
    sizes: Array, at: float | None, base: list[Array], other: list[Array]
) -> bool:
    """Tell whether the fastest rounds cross more than one grid step from a crossing."""
    if at is None:
        return False
    least = [np.log(b.min() / c.min()) for b, c in zip(base, other, strict=True)]
    return steps_apart(sizes, at, crossing(sizes, np.array(least))) > 1


def _ends(low: float | None, high: float | None) -> str:
    below = "below" if low is None else f"{low:.4g}"
    above = "above" if high is None else f"{high:.4g}"
    return f"{below} to {above}"


def remarks(found: Located, left_out: int) -> list[str]:
    """Say what the fields cannot hold."""
    said = crossings_remark(found.crossings)
    if left_out:
        said.append(f"{left_out} sizes not measured")
    return said


def crossings_remark(crossings: tuple[float, ...]) -> list[str]:
    """List several crossings, none of which is the crossover."""
    return (
        [f"crossings {', '.join(f'{c:.4g}' for c in crossings)}"] if crossings else []
    )

"""One pair's paired rounds over the sizes -> outcome, interval, definitions, flags.

`crossovers` calls it on a run's rounds, `analyse` on anybody's table.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossover.crossing.boundaries import Answered, boundaries, point_boundaries
from crossover.crossing.decide import FEWEST_ROUNDS, Array, median
from crossover.crossing.definitions import (
    first_win,
    fitted,
    fitted_interval,
    least_regret,
    steps_apart,
    steps_from_bracket,
)
from crossover.crossing.locate import crossing
from crossover.crossing.rounding import Hidden, hidden
from crossover.crossing.stability import is_autocorrelated, is_unstable
from crossover.crossing.zones import RESOLVED, UNDECIDED
from crossover.findings import AHEAD, BEHIND, EQUAL, Answer, SizeZone, size_text

NOT_MEASURED = "not_measured"
FITTED = "fitted"


@dataclass(frozen=True)
class Settings:
    """How sure to be: the arguments of `boundaries` that do not depend on the data."""

    confidence: float = 0.95
    margin: float = 0.05
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
    found = boundaries(sizes[kept], ratios, **dataclasses.asdict(settings), hidden=veil)
    medians = np.array([median(r) for r in ratios])
    times = [np.array([median(t) for t in side]) for side in (base, other)]
    result = _described(sizes[kept], found, medians, times, work[kept])
    more = [*pair_flags(ratios)]
    more += disagreements(sizes[kept], work[kept], base, other, result, settings)
    more += remarks(sizes[kept], found, ratios, veil, settings.margin)
    if left_out := len(sizes) - len(kept):
        more.append(f"{left_out} sizes not measured")
    return dataclasses.replace(
        result,
        confidence=settings.confidence,
        worst_regret=found.worst_regret,
        **summary(result.zones),
        flags=tuple(more),
    )


def disagreements(
    sizes: Array,
    work: Array,
    base: list[Array],
    other: list[Array],
    result: Answer,
    settings: Settings,
) -> list[str]:
    """Flag what crosses elsewhere than at parity: other definitions, fastest rounds."""
    apart, raised = definitions_apart(sizes, result), []
    if FITTED in apart:
        sides = (base, other, settings.confidence, settings.seed)
        ends = fitted_interval(sizes, work, *sides)
        apart[apart.index(FITTED)] = f"{FITTED} ({_ends(*ends)})"
    if apart:
        raised.append(f"definitions_disagree: {', '.join(apart)}")
    if minimum_disagrees(sizes, result.parity, base, other):
        raised.append("minimum_disagrees")
    return raised


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
    found = point_boundaries(sizes, ratios, margin, veil)
    result = _described(sizes, found, ratios, [baseline_s, challenger_s], work)
    known = summary(result.zones)
    more = remarks(sizes, found, list(ratios[:, None]), veil, margin)
    if found.outcome == "inconclusive" and known["next_ahead"] is not None:
        more.insert(0, f"a crossing would lie below {size_text(known['next_ahead'])}")
    without_limits = {name: None for name in known if name.endswith(("_low", "_high"))}
    flags = ("no_rounds", *more)
    return dataclasses.replace(result, **known | without_limits, flags=flags)


def _described(
    sizes: Array, found: Answered, ratios: Array, times: list[Array], work: Array
) -> Answer:
    """Return the boundaries that were found with the other definitions.

    Args:
        sizes: increasing.
        found: by the rounds, or by one time a size.
        ratios: the typical log-ratio per size.
        times: typical seconds per size, of the baseline and of the challenger.
        work: of the cost curves; see `fitted`.
    """
    ahead, behind, parity = found.ahead_from, found.behind_until, found.parity
    zones = [
        SizeZone(
            float(size), zone.name, *map(float, np.exp((ratio, zone.low, zone.high)))
        )
        for size, zone, ratio in zip(sizes, found.zones, ratios, strict=True)
    ]
    return Answer(
        found.outcome,
        ahead.at,
        ahead.low,
        ahead.high,
        first_win=first_win(sizes, ratios),
        least_regret=least_regret(sizes, *times),
        fitted=fitted(sizes, work, *times),
        slope=ahead.slope,
        behind_until=behind.at,
        behind_until_low=behind.low,
        behind_until_high=behind.high,
        parity=parity.at,
        parity_low=parity.low,
        parity_high=parity.high,
        zones=tuple(zones),
    )


def summary(zones: tuple[SizeZone, ...]) -> dict[str, Any]:
    """Return the fields of an answer that say in numbers what its zones are."""
    equal = [zone.size for zone in zones if zone.name == EQUAL]
    ahead = [zone for zone in zones if zone.name == AHEAD][:1]
    behind = [zone for zone in zones if zone.name == BEHIND]
    told: dict[str, Any] = {
        "equal_from": min(equal, default=None),
        "equal_to": max(equal, default=None),
        "next_ahead": ahead[0].size if ahead else None,
        "next_ahead_speedup": ahead[0].speedup if ahead else None,
    }
    named = {
        "speedup_smallest": zones[0] if zones else None,
        "speedup_largest": zones[-1] if zones else None,
        "most_behind": min(behind, key=lambda zone: zone.speedup or 1, default=None),
    }
    for name, zone in named.items():
        told[name] = zone.speedup if zone else None
        told[f"{name}_low"] = (zone.low or None) if zone else None
        told[f"{name}_high"] = zone.high if zone and np.isfinite(zone.high) else None
    return told


def agreed(answers: list[Answer]) -> Answer:
    """Return what several answers to one question have in common.

    The first, its intervals widened to hold all of theirs; inconclusive where their
    outcomes differ.
    """
    first, *others = answers
    if not others:
        return first
    by_size = [{zone.size: zone for zone in a.zones} for a in answers]
    shared = [size for size in by_size[0] if all(size in one for one in by_size)]
    zones = tuple(_common_zone([one[size] for one in by_size]) for size in shared)
    held: dict[str, Any] = {"zones": zones, **summary(zones)}
    for boundary in ("", "behind_until_", "parity_"):
        lows, highs = (
            [getattr(a, boundary + end) for a in answers] for end in ("low", "high")
        )
        held[f"{boundary}low"] = None if None in lows else min(lows)
        held[f"{boundary}high"] = None if None in highs else max(highs)
    regrets = [a.worst_regret for a in answers if a.worst_regret is not None]
    held["worst_regret"] = max(regrets, default=None)
    if any(a.behind_until is None for a in answers):
        held |= dict.fromkeys(("behind_until", "behind_until_low", "behind_until_high"))
    merged = dataclasses.replace(first, **held)
    return merged if len({a.outcome for a in answers}) == 1 else unlocated(merged)


def _common_zone(zones: list[SizeZone]) -> SizeZone:
    """Return the zone of a size that several answers share, its limits the widest."""
    name = zones[0].name if len({zone.name for zone in zones}) == 1 else UNDECIDED
    low, high = min(zone.low for zone in zones), max(zone.high for zone in zones)
    return dataclasses.replace(zones[0], name=name, low=low, high=high)


def unlocated(found: Answer, **more: Any) -> Answer:
    """Return an answer without boundaries, inconclusive unless `more` says otherwise.

    Args:
        found: the answer.
        more: fields that it has after that.
    """
    names = [
        *("at", "low", "high", "slope", "behind_until", "behind_until_low"),
        *("behind_until_high", "parity", "parity_low", "parity_high", "worst_regret"),
    ]
    changed = {**dict.fromkeys(names), "outcome": "inconclusive", **more}
    return dataclasses.replace(found, **changed)


def withdrawn(found: Answer, flags: tuple[str, ...]) -> Answer:
    """Return what was measured of an answer of which nothing is shown.

    Args:
        found: the answer.
        flags: those that it has then.
    """
    zones = tuple(SizeZone(z.size, UNDECIDED, z.speedup) for z in found.zones)
    return unlocated(found, **summary(zones), zones=zones, flags=flags)


def pair_flags(ratios: list[Array]) -> tuple[str, ...]:
    """Return the flags that the paired log-ratios of a sweep raise."""
    tests = {"unstable": is_unstable, "autocorrelated": is_autocorrelated}
    return tuple(name for name, is_raised in tests.items() if is_raised(ratios))


def definitions_apart(sizes: Array, result: Answer) -> list[str]:
    """Name the definitions that cross more than one grid step from parity."""
    if result.parity is None:
        return []
    at, never = result.parity, np.inf
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
    below = "below" if low is None else size_text(low)
    above = "above" if high is None else size_text(high)
    return f"{below} to {above}"


def remarks(
    sizes: Array, found: Answered, ratios: list[Array], veil: Hidden, margin: float
) -> list[str]:
    """Say what the fields cannot hold of the answer to a pair's log-ratios."""
    said = []
    verdicts = [int(zone.name in RESOLVED) for zone in found.zones]
    if veil.blurs(sizes, ratios, verdicts, found.ahead_from.at, margin):
        said.append(f"rounded_times: {veil.values:,} different times")
    if found.crossings:
        said.append(f"crossings {', '.join(map(size_text, found.crossings))}")
    if found.ahead_from.is_coarse and (bracket := found.ahead_from.bracket):
        said.append(f"coarse_grid: {' and '.join(map(size_text, bracket))}")
    return said

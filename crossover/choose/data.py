"""What was measured, as the plain data that picking needs.

In: the rounds of each contender at each case. Out: what `shipped.Choice` takes: the
times, the paired ratios, and between which cases is interpolated. `of_run` and the door
call it.
"""

import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossover.analysis.estimate import middle
from crossover.choose.parts import parts_of, rounded
from crossover.crossing.decide import FEWEST_ROUNDS

SCHEMA = 1
"""Version of the format of exported files."""
Sizes = tuple[float, ...]


@dataclass(frozen=True)
class Timed:
    """The rounds of one contender at one case."""

    sizes: Sizes
    settings: tuple[Any, ...]
    contender: str
    seconds: Mapping[Hashable, float]
    """By round; rounds of the same name are pairs."""
    doubts: tuple[str, ...] = ()


Where = tuple[tuple[Any, ...], Sizes, str, str]
"""Settings, sizes, baseline and challenger."""


@dataclass(frozen=True)
class Seen:
    """All that was measured."""

    axes: tuple[str, ...]
    settings: tuple[str, ...]
    timed: tuple[Timed, ...]
    confidence: float
    resolution: float = 0.0
    """Share by which a process may be lucky, which no number of rounds shows."""
    verdicts: Mapping[Where, str] = field(default_factory=dict)
    """What is shown of a challenger at a case: `ahead`, `behind` or `equal`."""


def choice_data(seen: Seen, **facts: Any) -> dict[str, Any]:
    """Return what picking needs, as JSON has it.

    Args:
        seen: what was measured.
        facts: `machine`, `again`, `doubts`, `has_unit` and what else a file tells.
    """
    groups: dict[tuple[Any, ...], list[Timed]] = {}
    for one in seen.timed:
        groups.setdefault(one.settings, []).append(one)
    usual = {"machine": {"accelerators": []}, "again": "", "doubts": [], "zones": []}
    return {
        "schema": SCHEMA,
        **usual,
        "has_unit": True,
        **facts,
        "axes": [*seen.axes],
        "settings": [*seen.settings],
        "groups": [_group(seen, key, rows) for key, rows in groups.items()],
    }


def _group(
    seen: Seen, settings: tuple[Any, ...], rows: Sequence[Timed]
) -> dict[str, Any]:
    points = sorted({row.sizes for row in rows})
    place = {sizes: i for i, sizes in enumerate(points)}
    times: dict[str, list[list[Any]]] = {}
    for row in sorted(rows, key=lambda row: place[row.sizes]):
        values = np.sort(list(row.seconds.values()))
        middle_s, low_s, high_s, _ = middle(values, seen.confidence)
        ends = (low_s, high_s) if len(values) >= FEWEST_ROUNDS else (None, None)
        known = times.setdefault(row.contender, [])
        told = [rounded(value) for value in (middle_s, *ends)]
        known.append([place[row.sizes], *told, [*row.doubts]])
    logs = {
        who: {p: float(np.log(middle_s)) for p, middle_s, *_ in known}
        for who, known in times.items()
    }
    return {
        "settings": dict(zip(seen.settings, settings, strict=True)),
        "points": [[*sizes] for sizes in points],
        "times": times,
        "ratios": list(_ratios(seen, settings, place, rows)),
        "parts": parts_of(points, logs),
    }


def _ratios(
    seen: Seen,
    settings: tuple[Any, ...],
    place: Mapping[Sizes, int],
    rows: Iterable[Timed],
) -> Iterable[list[Any]]:
    """Yield, for two contenders at a case, log(time of the second / of the first).

    With its interval, and what is shown of the first one.
    """
    at: dict[Sizes, list[Timed]] = {}
    for row in rows:
        at.setdefault(row.sizes, []).append(row)
    luck = float(np.log1p(seen.resolution))
    for sizes, here in at.items():
        for one, other in itertools.combinations(here, 2):
            shared = [r for r in one.seconds if r in other.seconds]
            if len(shared) < FEWEST_ROUNDS:
                continue
            logs = [np.log(other.seconds[r] / one.seconds[r]) for r in shared]
            mid, low, high, _ = middle(np.sort(logs), seen.confidence)
            names = one.contender, other.contender
            shown = seen.verdicts.get((settings, sizes, names[1], names[0]), "")
            turned = seen.verdicts.get((settings, sizes, *names), "")
            if turned:
                shown = {"ahead": "behind", "behind": "ahead"}.get(turned, turned)
            ends = [rounded(value) for value in (mid, low - luck, high + luck)]
            yield [place[sizes], *names, *ends, shown]

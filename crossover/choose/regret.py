"""What following the picks costs, over sizes that they did not know.

In: the sweeps of a run. Out: a `Regret` for each with enough sizes. Every third size is
left out in turn and picked from the others; the time of the pick is compared with the
best one measured there, and so is that of always taking one contender.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import TYPE_CHECKING

from crossover.analysis.frame import Derived
from crossover.choose.data import Seen, Timed, choice_data
from crossover.choose.of_run import seen_in, settings_of, sizes_of
from crossover.choose.shipped.choice import Choice
from crossover.nouns import Case, Run
from crossover.workloads.workload import Workload

if TYPE_CHECKING:
    import pandas as pd

FEWEST_SIZES = 4
COLUMNS = (
    "among", "view", "sizes", "refused", "mean", "worst", "always", "always_mean",
    "always_worst",
)  # fmt: skip
"""Columns of regret.csv after those of the case."""
THIRDS = 3
At = Mapping[float, Mapping[str, float]]
"""Seconds by size and contender."""


@dataclass(frozen=True)
class Regret:
    """What picking costs along a sweep, as a share of the best time at each size."""

    axis: str
    line: Case
    """The case at every size, without a value on the axis."""
    among: tuple[str, ...]
    """The contenders that were measured along it."""
    view: str
    sizes: int
    """How many sizes were left out and picked."""
    refused: int
    """How many lay outside of those that were left, where nothing is picked."""
    mean: float
    worst: float
    always: str
    """The contender that is best to take at all of these sizes."""
    always_mean: float
    always_worst: float


def regrets(run: Run, derived: Derived, view: str = "train") -> list[Regret]:
    """Return what picking costs along each sweep with at least four sizes.

    Args:
        run: what was measured.
        derived: what follows from it.
        view: what a time includes.
    """
    seen = seen_in(run, derived.recorded, view, derived.crossovers)
    found = []
    for sweep in run.spec.sweep:
        who = {str(c) for c in run.spec.contenders_of(sweep)}
        cases = derived.recorded.lines.along(sweep).values()
        places = {(sizes_of(case), settings_of(case)) for case in cases}
        along = [
            one
            for one in seen.timed
            if one.contender in who and (one.sizes, one.settings) in places
        ]
        part = replace(seen, timed=tuple(along))
        axis = sweep.workload.axes.index(sweep.axis)
        if (cost := regret_along(part, axis)) is not None:
            among = tuple(dict.fromkeys(one.contender for one in along))
            found.append(Regret(sweep.axis, sweep.line, among, view, *cost))
    return found


def regret_table(found: Sequence[Regret], workload: Workload) -> "pd.DataFrame":
    """Return a row for each sweep; docs/tables.md has the columns."""
    import pandas as pd

    rows = [
        {"axis": one.axis, **{n: one.line[n] for n in workload.columns}}
        | {name: getattr(one, name) for name in COLUMNS}
        | {"among": ";".join(one.among)}
        for one in found
    ]
    table = pd.DataFrame(rows)
    return table.astype(dict.fromkeys(workload.axes, "Int64"))


Cost = tuple[int, int, float, float, str, float, float]


def regret_along(seen: Seen, axis: int) -> Cost | None:
    """Return what picking costs along one line; the fields of `Regret` from `sizes` on.

    None with fewer than four sizes, or where nobody can be compared.

    Args:
        seen: what was measured along it.
        axis: the place of the size that varies.
    """
    times: dict[float, dict[str, float]] = {}
    for one in seen.timed:
        of_size = times.setdefault(one.sizes[axis], {})
        of_size[one.contender] = median(one.seconds.values())
    compared = {size: of for size, of in times.items() if len(of) > 1}
    if len(compared) < FEWEST_SIZES:
        return None
    picks = dict(_picks(seen, axis, sorted(compared), compared))
    if not picks:
        return None
    costs = [_cost(compared, size, who) for size, who in picks.items()]
    fixed = {who: [_cost(compared, size, who) for size in picks]
             for who in _at_all(compared, picks)}  # fmt: skip
    if not fixed:
        return None
    always = min(fixed, key=lambda who: fmean(fixed[who]))
    refused = len(compared) - len(picks)
    best = fixed[always]
    return (
        len(picks), refused, fmean(costs), max(costs), always, fmean(best), max(best)
    )  # fmt: skip


def _picks(
    seen: Seen, axis: int, sizes: Sequence[float], times: At
) -> Iterator[tuple[float, str]]:
    """Yield each size that can be picked without knowing it, and the pick.

    Who was not measured there cannot be picked, as nobody knows what that would cost.
    """
    for third in range(THIRDS):
        left_out = {*sizes[third::THIRDS]}
        rest = tuple(one for one in seen.timed if one.sizes[axis] not in left_out)
        for size in sorted(left_out):
            known = tuple(one for one in rest if one.contender in times[size])
            asked = next(one for one in seen.timed if one.sizes[axis] == size)
            if (who := _pick(replace(seen, timed=known), asked)) is not None:
                yield size, who


def _pick(seen: Seen, asked: Timed) -> str | None:
    """Return who is picked for a case; None where it lies outside of what is known."""
    if not seen.timed:
        return None
    sizes = dict(zip(seen.axes, asked.sizes, strict=True))
    settings = dict(zip(seen.settings, asked.settings, strict=True))
    try:
        return Choice(choice_data(seen)).pick({**sizes, **settings}).contender
    except ValueError:
        return None


def _cost(times: At, size: float, who: str) -> float:
    of_size = times[size]
    return of_size[who] / min(of_size.values()) - 1


def _at_all(times: At, sizes: Iterable[float]) -> list[str]:
    """Return the contenders that were measured at all of some sizes."""
    first, *others = (times[size] for size in sizes)
    return [who for who in first if all(who in other for other in others)]

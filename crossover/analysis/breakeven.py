"""Find after how many epochs the challenger has paid for its higher fixed cost.

In: a run. Out: a `BreakEven` for each pair and case measured (docs/breakeven.md).
`frame.derive` calls it for the report.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crossover.analysis.crossover import control_crossovers, control_fired
from crossover.analysis.flags import view_flags
from crossover.analysis.pair import SETUP_SPREAD
from crossover.analysis.rounds import Pair, Recorded, cross_fitted, missing_time
from crossover.contender import BEST
from crossover.crossing.decide import FEWEST_ROUNDS, Array, median
from crossover.crossing.fieller import Means, fieller, means
from crossover.nouns import Case, Cell, Measurement, Run
from crossover.spec.spec import Spec

OUTCOMES = ("pays_from", "at_once", "never", "loses_from", "inconclusive")
INTERVALS = ("bounded", "open_below", "open_above", "unbounded", "none")
ROW = "row"
"""Name of the cost that counts the rows of data worked on."""
Rows = dict[int, Measurement]
"""The rounds of a contender, or of a device's best, by number."""


@dataclass(frozen=True)
class BreakEven:
    """The epochs after which two contenders have cost the same, fixed costs included.

    Outcomes: `pays_from` (the challenger is ahead from `repeats` on), `loses_from` (it
    is ahead only up to `repeats`), `at_once` (ahead from the first epoch on), `never`
    (behind from the first epoch on), `inconclusive` (the times per epoch do not
    differ significantly, or the control fired).
    """

    case: Case
    """The case, without a value for the size that repeats, such as `epochs`."""
    baseline: str
    challenger: str
    outcome: str
    interval: str
    """One of `INTERVALS`. `open_below`: the break-even may lie before the first epoch
    (low is None). `open_above`: there may be no break-even, as the times per epoch are
    not separated (high is None). `unbounded`: both. `none`: for `at_once`, `never`."""
    repeats: float | None
    low: float | None
    high: float | None
    trained: float | None
    """Rows worked on until the break-even; None if the workload counts no rows."""
    trained_low: float | None
    trained_high: float | None
    confidence: float
    rounds: int
    baseline_fixed_s: float
    """Set-up and transfer. This and the next three are medians of the shared rounds."""
    challenger_fixed_s: float
    baseline_repeat_s: float
    challenger_repeat_s: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """The break-even that two contenders' rounds show, in epochs."""

    outcome: str
    interval: str
    repeats: float | None = None
    low: float | None = None
    high: float | None = None


def break_evens(run: Run, recorded: Recorded | None = None) -> list[BreakEven]:
    """Find the break-even of every pair at every case where both have enough rounds.

    A case whose set-up or transfer was not recorded has none. The confidence holds for
    each break-even alone. If an A/A control of the run is decided, all of them are
    inconclusive.
    """
    spec, recorded = run.spec, recorded or Recorded(run.measurements)
    flags = recorded.flags(run.machine)
    barred = control_fired(control_crossovers(run, recorded))
    found: dict[tuple[Case, Pair], BreakEven] = {}
    for sweep in spec.sweep:
        for case in recorded.lines.along(sweep).values():
            for pair in spec.pairs_of(sweep):
                one = _one(recorded, case, pair, spec)
                if one is None or (case, pair) in found:
                    continue
                members = (m for c in pair for m in recorded.members(Cell(case, c)))
                raised = dict.fromkeys(flag for m in members for flag in flags[m])
                one = replace(one, flags=(*raised, *view_flags("from_scratch")))
                found[case, pair] = _barred(one) if barred else one
    return list(found.values())


def _one(recorded: Recorded, case: Case, pair: Pair, spec: Spec) -> BreakEven | None:
    both = [chosen_rows(recorded, Cell(case, c)) for c in pair]
    shared = sorted(both[0].keys() & both[1].keys())
    if len(shared) < FEWEST_ROUNDS or pair[0] == pair[1]:
        return None
    sides = [[side[number] for number in shared] for side in both]
    if any(missing_time(m, "from_scratch") for side in sides for m in side):
        return None
    setup_s, fixed_s, epoch_s = zip(*map(_costs, sides), strict=True)
    found = break_even(fixed_s, epoch_s, setup_s, spec.confidence, spec.resolution)
    rows = recorded.work.get(case, {}).get(ROW)
    trained, low, high = (
        None if end is None or rows is None else end * (rows / case.repeats)
        for end in (found.repeats, found.low, found.high)
    )
    fixed, epoch = ([median(v) for v in side] for side in (fixed_s, epoch_s))
    return BreakEven(
        case=case.without(case.workload.repeating),
        baseline=str(pair[0]),
        challenger=str(pair[1]),
        **vars(found),
        trained=trained,
        trained_low=low,
        trained_high=high,
        confidence=spec.confidence,
        rounds=len(shared),
        baseline_fixed_s=fixed[0],
        challenger_fixed_s=fixed[1],
        baseline_repeat_s=epoch[0],
        challenger_repeat_s=epoch[1],
    )


def chosen_rows(recorded: Recorded, cell: Cell) -> Rows:
    """Return a cell's rounds; for `best`, those of the trainer fastest per epoch.

    The trainer is chosen as in `Recorded.rounds`.
    """
    series = [{m.round: m for m in recorded.ok[c]} for c in recorded.members(cell)]
    if cell.contender.trainer != BEST:
        return series[0] if series else {}
    return cross_fitted(series, _epoch_s)


def _costs(rows: Sequence[Measurement]) -> tuple[float, Array, Array]:
    """Return the set-up's seconds, and each round's fixed seconds and seconds an epoch.

    The set-up is read once, or a few times: its median counts for all rounds alike, and
    `break_even` allows for its error.
    """
    setup_s = median([m.setup_s or 0.0 for m in rows])
    fixed_s = np.array([setup_s + (m.transfer_s or 0.0) for m in rows])
    return setup_s, fixed_s, np.array([_epoch_s(m) for m in rows])


def _epoch_s(m: Measurement) -> float:
    epochs = m.calls_per_sample * (m.epochs_run or m.case.repeats)
    return statistics.median(m.samples_s) / epochs


def break_even(
    fixed_s: Sequence[Array],
    epoch_s: Sequence[Array],
    setup_s: Sequence[float] = (0.0, 0.0),
    confidence: float = 0.95,
    resolution: float = 0.0,
) -> Broken:
    """Find where fixed + epochs x epoch is the same for both, with Fieller's interval.

    Args:
        fixed_s: fixed seconds of baseline and challenger, one for each round.
        epoch_s: seconds of an epoch, for the same rounds.
        setup_s: the part of each fixed cost that is a set-up read only once. One of
            the two may be off by the factor `SETUP_SPREAD`, in either direction.
        confidence: confidence of the interval.
        resolution: error per process that more rounds cannot average out, as a share
            of the time per epoch.
    """
    costs = means(fixed_s[1] - fixed_s[0], epoch_s[0] - epoch_s[1])
    more, less = SETUP_SPREAD - 1, 1 - 1 / SETUP_SPREAD
    up = max(setup_s[1] * more, setup_s[0] * less)
    down = max(setup_s[1] * less, setup_s[0] * more)
    luck = resolution * max(median(seconds) for seconds in epoch_s)
    ends = (costs.shifted(-down, luck), costs.shifted(up, -luck))
    return _judged(costs, *ends, confidence)


def _judged(costs: Means, best: Means, worst: Means, confidence: float) -> Broken:
    """Judge by the shift of the costs that favours the challenger most, and least.

    No other allowed shift puts the challenger further ahead or behind after any number
    of epochs. So it is surely behind where even the best shift leaves it behind, and
    surely ahead where even the worst leaves it ahead; the interval lies between.
    """
    both = zip(best.signs(confidence), worst.signs(confidence), strict=True)
    fixed, epoch = (one if one == other else 0 for one, other in both)
    # fixed > 0: the challenger starts behind; epoch > 0: it is faster
    if fixed and epoch and fixed != epoch:
        return Broken("at_once" if epoch > 0 else "never", "none")
    until, after = (best, worst) if (fixed or epoch) > 0 else (worst, best)
    ends = fieller(until, confidence).positive_ends
    low = ends[0] if fixed and ends else None
    if not epoch:
        return Broken("inconclusive", "open_above" if fixed else "unbounded", low=low)
    high = max(fieller(after, confidence).positive_ends, default=0.0)
    epochs = max(0.0, costs.numerator / costs.denominator)
    outcome = "pays_from" if epoch > 0 else "loses_from"
    return Broken(outcome, "bounded" if fixed else "open_below", epochs, low, high)


def _barred(one: BreakEven) -> BreakEven:
    """Return a break-even as inconclusive; the flag's text keeps its verdict."""
    if one.outcome == "inconclusive":
        return one
    names = "repeats", "low", "high", "trained", "trained_low", "trained_high"
    changed: dict[str, Any] = dict.fromkeys(names)
    changed |= {"outcome": "inconclusive", "interval": "unbounded"}
    flags = (f"control_fired: was {one.outcome}", *one.flags)
    return replace(one, flags=flags, **changed)

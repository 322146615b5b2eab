"""Find whether the crossovers and the times changed from one run to another.

In: two runs. Out: a `Change` with its interval for each crossover and cell that both
have. `crossover compare` calls it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossover.analysis.crossover import control_fired, crossovers, incomplete
from crossover.analysis.rounds import Recorded, paired_log_ratios
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.interval import Ratios
from crossover.crossing.locate import ahead_replicates
from crossover.crossing.shifts import Interval, drawn_interval, welch_interval
from crossover.files.untrusted import InputError
from crossover.nouns import VIEWS, Case, Cell, Run
from crossover.spec.spec import Spec
from crossover.workloads.workload import Workload

Key = tuple[str, ...]
Curve = tuple[Array, Ratios]


@dataclass(frozen=True)
class Change:
    """One number in two runs; the ratio is after / before, an open end is None."""

    what: str
    before: float | None
    after: float | None
    ratio: float | None
    low: float | None
    high: float | None
    confidence: float
    significant: bool
    """Whether the interval lies outside the margin, at a confidence that holds for all
    changes of its kind together."""


@dataclass(frozen=True)
class Comparison:
    """All changes between two runs."""

    crossings: tuple[Change, ...]
    times: tuple[Change, ...]
    warnings: tuple[str, ...]
    lacks: tuple[list[str], list[str]]
    """What each run did not measure although it was asked for; see `incomplete`."""

    @property
    def changed(self) -> bool:
        """Whether anything changed significantly, beyond the margin."""
        return any(change.significant for change in (*self.crossings, *self.times))


def compare(before: Run, after: Run) -> Comparison:
    """Compare two runs, crossover by crossover and cell by cell.

    Raises:
        InputError: when the runs have no cell in common.
    """
    spec = before.spec
    cells = _common_cells(before, after)
    if not cells:
        raise InputError(
            f"runs = {before.run_id!r}, {after.run_id!r}: must have a case measured "
            "with the same contender in common"
        )
    times = _times(cells, spec)
    found = crossovers(before), crossovers(after)
    crossings = _crossings(before, after, spec, any(map(control_fired, found)))
    warnings = []
    if before.machine.fingerprint != after.machine.fingerprint:
        warnings.append(
            f"the runs are from different machines: {before.machine.cpu} "
            f"({before.machine.fingerprint}) and {after.machine.cpu} "
            f"({after.machine.fingerprint})"
        )
    lacks = incomplete(before, found[0]), incomplete(after, found[1])
    return Comparison(tuple(crossings), tuple(times), tuple(warnings), lacks)


def lines(comparison: Comparison) -> list[str]:
    """Return a line of text for each change."""
    said = ["Crossovers"]
    said += [_line(c, "{:.4g}") for c in comparison.crossings] or ["  none in common"]
    said += ["Times (s)", *(_line(c, "{:.3g}") for c in comparison.times)]
    counted = (*comparison.crossings, *comparison.times)
    changed = sum(c.significant for c in counted)
    return [*said, f"{changed} of {len(counted)} changed significantly"]


def _line(c: Change, number: str) -> str:
    def text(value: float | None, missing: str) -> str:
        return missing if value is None else number.format(value)

    ends = f"{text(c.low, 'open')} to {text(c.high, 'open')}"
    verdict = "CHANGED" if c.significant else "no significant change"
    return (
        f"  {c.what}: {text(c.before, 'none')} -> {text(c.after, 'none')}, "
        f"ratio {text(c.ratio, 'none')} ({100 * c.confidence:.0f} % interval {ends}): "
        f"{verdict}"
    )


def _crossings(before: Run, after: Run, spec: Spec, barred: bool) -> list[Change]:
    """Return the changes of crossovers; none is significant if a control fired."""
    curves = _curves(before), _curves(after)
    shared = [key for key in curves[0] if key in curves[1]]
    changes = []
    for key in shared:
        (one, drawn), (other, redrawn) = (
            ahead_replicates(*curve[key], spec.margin, spec.seed + i)
            for i, curve in enumerate(curves)
        )
        ends = drawn_interval(drawn, redrawn)
        known = " ".join(key), (one, other), ends, len(shared), spec
        changes.append(_change(*known, counts=not barred))
    return changes


def _curves(run: Run) -> dict[Key, Curve]:
    """Return (sizes, ratios) of each sweep, pair and view with enough rounds."""
    spec, recorded = run.spec, Recorded(run.measurements)
    found: dict[Key, Curve] = {}
    for sweep in spec.sweep:
        cases = recorded.lines.along(sweep)
        for pair in spec.pairs_of(sweep):
            for view in VIEWS:
                ratios = {
                    size: paired_log_ratios(recorded, case, pair, view)
                    for size, case in cases.items()
                }
                kept = {n: r for n, r in ratios.items() if len(r) >= FEWEST_ROUNDS}
                if len(kept) > 1:
                    fixed = _fixed(spec.declared, sweep.line)
                    names = (str(pair[1]), "against", str(pair[0]))
                    key = (f"{sweep.axis}, {fixed}, {view}:", *names)
                    found[key] = (np.array(list(kept), float), list(kept.values()))
    return found


def _fixed(workload: Workload, line: Case) -> str:
    """Name the values that a sweep fixes: all sizes, and settings that are unusual."""
    return " ".join(
        f"{name}={value}".replace(" ", "")
        for name, value in line.values
        if value is not None
        and (name in workload.axes or value != workload.default(name))
    )


def _common_cells(before: Run, after: Run) -> list[tuple[Cell, Array, Array]]:
    """Return the log seconds of each cell that both runs have, `train` view."""
    one, other = Recorded(before.measurements), Recorded(after.measurements)
    shared = [c for c in one.ok if c in other.ok and not c.contender.copy]

    def logs(side: Recorded, cell: Cell) -> Array:
        found: Array = np.log(list(side.rounds(cell, "train").values()))
        return found

    return [(cell, logs(one, cell), logs(other, cell)) for cell in shared]


def _times(cells: Sequence[tuple[Cell, Array, Array]], spec: Spec) -> list[Change]:
    enough = [c for c in cells if min(len(c[1]), len(c[2])) >= FEWEST_ROUNDS]
    changes = []
    for cell, *logs in enough:
        one, other = (float(np.median(series)) for series in logs)
        ends = welch_interval(*logs)
        changes.append(_change(cell.id, (one, other), ends, len(enough), spec, True))
    return changes


def _change(
    what: str,
    logs: tuple[float, float],
    ends: Interval,
    family: int,
    spec: Spec,
    counts: bool,
) -> Change:
    """Build a change; its significance is corrected for its family by Bonferroni."""
    low, high = ends(spec.confidence)
    strict_low, strict_high = ends(1 - (1 - spec.confidence) / family)
    edge = np.log1p(spec.margin)
    shift = logs[1] - logs[0] if np.isfinite(logs).all() else np.nan
    before, after, ratio, least, most = (
        float(np.exp(x)) if np.isfinite(x) else None for x in (*logs, shift, low, high)
    )
    significant = bool(counts and (strict_low > edge or strict_high < -edge))
    return Change(what, before, after, ratio, least, most, spec.confidence, significant)

"""Find what got slower or faster, and which crossovers moved, from one run to others.

In: runs, and the limits that a change must not break. Out: a `Comparison`. What all
contenders share is the machine's: a contender's time is compared with those of the
others in the same rounds. `crossover compare` calls it.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from crossover.crossing.decide import FEWEST_ROUNDS
from crossover.files.untrusted import InputError, refused
from crossover.gate.outcome import CHANGED, Change, Comparison, Shift, Verdict
from crossover.gate.rows import Row, contenders_of, crossings_of, factor, times_of
from crossover.gate.sides import Measured
from crossover.nouns import Run


@dataclass(frozen=True)
class Limits:
    """What must not be exceeded, and of which rows."""

    margin: float | None = None
    """The share by which something must have changed; None: the first run's."""
    fail_slower: float | None = None
    """A contender that got slower by more than this share is a failure."""
    fail_moved: float | None = None
    """A crossover that moved by more than this factor is a failure."""
    only: str | None = None
    """A regular expression: only rows whose words hold it count."""


def compare(
    runs: Sequence[Run], names: Sequence[str], limits: Limits | None = None
) -> Comparison:
    """Compare a run with each later one, crossover by crossover, cell by cell.

    Args:
        runs: at least two; the first is what the others are compared with.
        names: what the user calls them.
        limits: what must not be exceeded; None: nothing is a failure.

    Raises:
        InputError: when runs have no cell with enough rounds in common, or what was
            asked for cannot be judged in any of them.
    """
    limits = limits or Limits()
    spec = runs[0].spec
    margin = spec.margin if limits.margin is None else limits.margin
    first, *later = (
        Measured(name, dataclasses.replace(run, spec=_with_margin(run, margin)))
        for name, run in zip(names, runs, strict=True)
    )
    rows: list[Row] = []
    shifts: list[Shift] = []
    for other in later:
        cells = [cell for cell in first.cells if cell in other.cells]
        crossings = [*crossings_of(first, other, margin)]
        if not (cells or crossings):
            raise InputError(
                f"runs = {first.name!r}, {other.name!r}: must have a case measured "
                f"with the same contender, with {FEWEST_ROUNDS} rounds in each; other "
                "tools keep them with asv run --record-samples, pytest "
                "--benchmark-json"
            )
        times = [*times_of(first, other, cells)]
        rows += [*contenders_of(times, other), *times, *crossings]
        shifts += _shifts(times, other.name, margin)
    rows = _chosen(rows, limits)
    family = max(1, sum(row.is_judged and not row.is_mirror for row in rows))
    confidence = 1 - (1 - spec.confidence) / family
    changes = [_judged(row, confidence, margin, limits) for row in rows]
    changes.sort(key=_rank)
    sides = tuple(one.side() for one in (first, *later))
    return Comparison(
        schema_version=1,
        sides=sides,
        shifts=tuple(shifts),
        changes=tuple(changes),
        confidence=spec.confidence,
        margin=margin,
        fail_slower=limits.fail_slower,
        fail_moved=limits.fail_moved,
        only=limits.only,
        undecided=tuple(_undecided(rows)),
        failed=any(change.failed for change in changes),
    )


def _with_margin(run: Run, margin: float) -> Any:
    return run.spec.model_copy(update={"margin": margin})


def _rank(change: Change) -> tuple[bool, bool, float]:
    """Order failures first, then changes, each by how large it is."""
    size = abs(np.log(change.ratio)) if change.ratio else np.inf
    is_quiet = change.verdict not in CHANGED
    return not change.failed, is_quiet, 0.0 if is_quiet else -float(size)


def _chosen(rows: Sequence[Row], limits: Limits) -> list[Row]:
    """Return the rows that were asked for; check that what is asked can be judged."""
    chosen = list(rows)
    if limits.only is not None:
        try:
            asked = re.compile(limits.only)
        except re.error as error:
            raise refused("only", limits.only, "be a regular expression") from error
        chosen = [row for row in rows if asked.search(row.known["what"])]
        if not chosen:
            must = f"be in the words of a row, such as {rows[0].known['what']}"
            raise refused("only", limits.only, must)
    are_times = [row.seconds is not None for row in chosen if row.drawn is not None]
    if limits.fail_slower is not None and True not in are_times:
        must = (
            "have a second contender in the rounds of a case, in both runs: nothing "
            "else tells a slower contender from a slower machine"
        )
        raise refused("fail_slower", limits.fail_slower, must)
    if limits.fail_moved is not None and False not in are_times:
        must = "have a pair that both runs measured at two sizes at least"
        raise refused("fail_moved", limits.fail_moved, must)
    return chosen


def _judged(row: Row, confidence: float, margin: float, limits: Limits) -> Change:
    low, high = row.interval(confidence)
    middle = row.middle if row.seconds is None else (low + high) / 2
    edges = [float(np.log1p(margin)), np.inf]
    if row.seconds is None and limits.fail_moved is not None:
        edges[1] = float(np.log(limits.fail_moved))
    if row.seconds is not None and limits.fail_slower is not None:
        edges[1] = float(np.log1p(limits.fail_slower))
    verdict = _verdict(row, low, high, edges[0])
    broken = _verdict(row, low, high, edges[1])
    return Change(
        **row.known,
        ratio=factor(middle if row.drawn else np.nan),
        low=factor(low),
        high=factor(high),
        seconds_ratio=None if row.seconds is None else factor(row.seconds),
        verdict=verdict,
        failed=broken in ("slower", "later", "earlier"),
    )


def _verdict(row: Row, low: float, high: float, edge: float) -> Verdict:
    """Judge a shift by its interval.

    A time that only the others' changes have moved did not change: its own must have,
    without what is the machine's, beyond the edge and the same way.
    """
    if row.drawn is None:
        return "alone"
    if row.is_withheld:
        return "unclear"
    if row.own is None and (low > edge or high < -edge):
        return "later" if low > edge else "earlier"
    if row.own is not None and low > edge and row.own > edge:
        return "slower"
    if row.own is not None and high < -edge and row.own < -edge:
        return "faster"
    return "same" if -edge <= low and high <= edge else "unclear"


def _undecided(rows: Sequence[Row]) -> Iterator[str]:
    """Say what no verdict was found for, and why."""
    for is_time, why in (
        (True, "other programs took more than a quarter of the cores"),
        (
            False,
            "a control differed from itself, or others took a quarter of the cores",
        ),
    ):
        mine = [row for row in rows if (row.seconds is not None) is is_time]
        if n := sum(row.is_withheld for row in mine):
            what = "times" if is_time else "crossovers"
            yield f"{n} of {len(mine)} {what} are not judged, as {why}"


def _shifts(times: Sequence[Row], name: str, margin: float) -> Iterator[Shift]:
    """Yield what all times of a run have in common."""
    by_contender: dict[str, list[float]] = {}
    for row in times:
        assert row.seconds is not None
        by_contender.setdefault(row.known["contender"], []).append(row.seconds)
    each = [float(np.mean(shifts)) for shifts in by_contender.values()]
    if not each:
        return
    edge = np.log1p(margin)
    middle, low, high = median(r.seconds or 0.0 for r in times), min(each), max(each)
    yield Shift(
        run=name,
        ratio=float(np.exp(middle)),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        is_common=bool(low > edge or high < -edge),
    )

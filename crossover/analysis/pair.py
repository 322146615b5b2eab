"""Find one pair's `Crossover` from what a run recorded in one metric.

`analysis.crossover` makes one object for each metric (seconds, money, joules), and asks
it for every pair and view of a sweep.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from crossover.analysis.flags import NO_INTERVAL, view_flags, worst_each
from crossover.analysis.metrics import ENERGY, TIME
from crossover.analysis.rounds import Pair, Recorded, Scales
from crossover.contender import Contender
from crossover.crossing.answer import (
    NOT_MEASURED,
    Settings,
    agreed,
    answer,
    point_answer,
    withdrawn,
)
from crossover.crossing.bounds import settled
from crossover.crossing.decide import FEWEST_ROUNDS, Array, median
from crossover.findings import Answer, Crossover
from crossover.nouns import Case, Cell
from crossover.workloads.workload import MOVED

Cases = dict[int, Case]
SETUP_SPREAD = 1.2
"""A set-up is measured once per process, and may be off by this factor."""
SETUP_SCALES = ((1.0, 1.0), (SETUP_SPREAD, 1.0), (1.0, SETUP_SPREAD))
"""Factors of the two set-ups; an answer must hold with each of these pairs."""


@dataclasses.dataclass(frozen=True)
class PairAnalysis:
    """What a run recorded in one metric, and the flags of each cell."""

    recorded: Recorded
    flags: dict[Cell, tuple[str, ...]]
    metric: str = TIME

    def crossover(
        self,
        axis: str,
        cases: Cases,
        pair: Pair,
        view: str,
        settings: Settings,
        asked: Sequence[int] = (),
        most_rounds: int = FEWEST_ROUNDS,
    ) -> Crossover:
        """Find one pair's crossover over the cases in one view.

        Args:
            axis: name of the size that varies.
            cases: cases by size, increasing.
            pair: baseline and challenger.
            view: one of `VIEWS`.
            settings: how sure the answer must be.
            asked: sizes that must be measured before the answer may be `always` or
                `never`.
            most_rounds: how many rounds of a size were asked for.
        """
        scales = SETUP_SCALES if view == "from_scratch" else SETUP_SCALES[:1]
        found = agreed([self._answer(cases, pair, view, settings, s) for s in scales])
        if found.outcome == NOT_MEASURED:
            raised: tuple[str, ...] = (why(self.recorded, cases, pair, view),)
            found = Answer(NOT_MEASURED)
        else:
            enough = min(FEWEST_ROUNDS, most_rounds)
            missing = self._missing(cases, pair, asked, enough)
            if enough < FEWEST_ROUNDS:
                missing += (NO_INTERVAL,)
            if missing and found.outcome in ("always", "never"):
                found = dataclasses.replace(found, outcome="inconclusive")
            raised = (*missing, *found.flags, *self._cell_flags(cases, pair, view))
            raised += self._timed_out(cases, pair)
        found = dataclasses.replace(found, flags=raised)
        line = next(iter(cases.values())).without(axis)
        names = self.metric, str(pair[0]), str(pair[1])
        return Crossover(axis, line, view, *names, found)

    def shares_rounds(self, cases: Cases, pair: Pair) -> bool:
        """Tell whether a pair has enough rounds in common at any of the cases."""
        return any(
            len(self.recorded.paired(case, pair, "train")[0]) >= FEWEST_ROUNDS
            for case in cases.values()
        )

    def _answer(
        self,
        cases: Cases,
        pair: Pair,
        view: str,
        settings: Settings,
        scales: Scales,
    ) -> Answer:
        seconds = [self.recorded.paired(c, pair, view, scales) for c in cases.values()]
        found = answer(
            np.array(list(cases), float),
            [one for one, _ in seconds],
            [other for _, other in seconds],
            self._work(cases),
            settings,
        )
        if found.outcome == NOT_MEASURED:
            found = self._undecided(cases, pair, view, settings.margin) or found
        bounds = [self.recorded.bounded(c, pair, view, scales) for c in cases.values()]
        return settled(found, np.array(list(cases), float), seconds, bounds, settings)

    def _undecided(
        self, cases: Cases, pair: Pair, view: str, margin: float
    ) -> Answer | None:
        """Return what one time per size shows: definitions and speed-ups, no verdict.

        A crossing that may be chance is no finding, so the outcome is always
        `inconclusive`. The result is None if no size has a time of both contenders.
        """
        points = {
            i: times
            for i, case in enumerate(cases.values())
            if None not in (times := [self._point_s(Cell(case, c), view) for c in pair])
        }
        if not points:
            return None
        kept = list(points)
        seconds = np.array(list(points.values()), float)
        sizes, work = np.array(list(cases), float)[kept], self._work(cases)[kept]
        found = point_answer(sizes, seconds[:, 0], seconds[:, 1], work, margin)
        flags = tuple(flag for flag in found.flags if flag != "no_rounds")
        if left_out := len(cases) - len(kept):
            flags += (f"{left_out} sizes not measured",)
        return withdrawn(found, flags)

    def _point_s(self, cell: Cell, view: str) -> float | None:
        """Return the median of a cell whose times are too few for an interval.

        For `best` it is the least median of its members.
        """
        medians = []
        for member in self.recorded.members(cell):
            seconds = list(self.recorded.rounds(member, view).values())
            flags = self.recorded.ok[member][0].flags
            has_none = any(flag.startswith(NO_INTERVAL) for flag in flags)
            if seconds and (has_none or len(seconds) < FEWEST_ROUNDS):
                medians.append(median(seconds))
        return min(medians, default=None)

    def _missing(
        self, cases: Cases, pair: Pair, asked: Sequence[int], enough: int
    ) -> tuple[str, ...]:
        """Return flags for the sizes asked for with too few rounds of a pair."""
        found: dict[str, list[str]] = {}
        for size in asked:
            known = cases[size], pair, "train"
            rounds = max(
                len(self.recorded.paired(*known)[0]),
                len(self.recorded.bounded(*known)[0]),
            )
            if rounds < enough:
                ended = {
                    m.status: None
                    for c in pair
                    if not self.recorded.rounds(Cell(cases[size], c), "train")
                    for m in self.recorded.ended_of(Cell(cases[size], c))
                }
                found.setdefault(" and ".join(ended), []).append(f"{size:,}")
        return tuple(
            f"failed: {status} at {', '.join(sizes)}"
            if status
            else f"unfinished: {len(sizes)} of {len(asked)} sizes not reached: "
            f"{', '.join(sizes)}"
            for status, sizes in found.items()
        )

    def _work(self, cases: Cases) -> Array:
        """Return what each case pays of each cost; see `definitions.fitted`.

        The columns are a fixed cost and the workload's costs. If none of those varies
        along the axis, as with features, the size itself takes their place.
        """
        known = [self.recorded.work.get(case, {}) for case in cases.values()]
        names = dict.fromkeys(n for one in known for n in one if n != MOVED)
        columns = [np.array([one.get(n, 0.0) for one in known]) for n in names]
        told = [i for i, one in enumerate(known) if one]
        if not any(np.ptp(column[told]) for column in columns):
            columns = [np.array(list(cases), float)]
        return np.column_stack([np.ones(len(cases)), *columns])

    def _timed_out(self, cases: Cases, pair: Pair) -> tuple[str, ...]:
        """Return the flag that names who timed out, and at which sizes."""
        late: dict[Contender, dict[str, None]] = {}
        for size, case in cases.items():
            for m in (m for c in pair for m in self.recorded.ended_of(Cell(case, c))):
                if m.bound_s:
                    late.setdefault(m.contender, {})[f"{size:,}"] = None
        said = (f"{contender} at {', '.join(at)}" for contender, at in late.items())
        return (f"timed_out: {' and '.join(said)}",) if late else ()

    def _cell_flags(self, cases: Cases, pair: Pair, view: str) -> list[str]:
        members = [
            member
            for case in cases.values()
            for contender in pair
            for member in self.recorded.members(Cell(case, contender))
        ]
        raised = [flag for member in members for flag in self.flags.get(member, ())]
        if self.metric == ENERGY:
            of = {m.energy_of: None for c in members for m in self.recorded.ok[c]}
            raised.append(f"energy_counters: {' against '.join(of)}")
        return worst_each([*raised, *view_flags(view)])


def why(recorded: Recorded, cases: Cases, pair: Pair, view: str = "train") -> str:
    """Return why a pair shares no rounds in a view, naming the contender without any.

    If both have none, an unavailable contender comes before a failed one, and that
    before one that was not reached.
    """
    if pair[0] == pair[1]:
        return "this machine has one core: both contenders are the same"
    reasons = []
    for contender in pair:
        cells = [Cell(case, contender) for case in cases.values()]
        if not any(recorded.rounds(cell, view) for cell in cells):
            reason = min((recorded.reason(cell, view) for cell in cells), key=_rank)
            reasons.append((_rank(reason), f"{contender}: {reason}"))
    if not reasons:
        return f"fewer than {FEWEST_ROUNDS} shared rounds"
    return min(reasons, key=lambda ranked: ranked[0])[1]


def _rank(reason: str) -> int:
    """Return the rank of a reason: unavailable, then failures, then not reached."""
    return {"unavailable": 0, "not reached": 2}.get(reason.partition(":")[0], 1)

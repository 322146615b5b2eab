"""One `Crossover` for each sweep, pair and view of a run, and for its A/A control."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from bench.analysis.answer import NOT_MEASURED, Answer, Settings, agreed, answer
from bench.analysis.decide import FEWEST_ROUNDS, Array, looks_up_to
from bench.analysis.flags import cell_flags, view_flags
from bench.analysis.series import Recorded
from bench.nouns import VIEWS, Cell, Contender, Crossover, Run
from bench.spec import Spec, Sweep
from softmax_core.case import Case

Pair = tuple[Contender, Contender]
Cases = dict[int, Case]
SETUP_SPREAD = 1.2
SETUP_SCALES = ((1.0, 1.0), (SETUP_SPREAD, 1.0), (1.0, SETUP_SPREAD))
"""A set-up is measured once per process: what is said of it must hold if either one
took 20 % longer against the other."""
DECIDED = ("found", "always", "never", "not_monotone")


def crossovers(run: Run) -> list[Crossover]:
    """Find every crossover a run's spec asks for, measured or not.

    After the pairs of a sweep come its A/A controls, flagged `control`. If any of them
    is decided, no other verdict of the run stands.
    """
    spec = Spec.model_validate(run.spec)
    recorded = Recorded(run.measurements)
    flags = {cell: cell_flags(rows, run.machine) for cell, rows in recorded.ok.items()}
    seen = _Seen(recorded, flags)
    found: list[Crossover] = []
    controls: list[Crossover] = []
    for sweep in spec.sweep:
        settings = settings_of(spec, sweep)
        cases = sweep.cases_with(run.measurements)
        for pair in spec.pairs_of(sweep):
            for view in VIEWS:
                row = seen.crossover(sweep.axis, cases, pair, view, settings)
                if not spec.grid and width_of(row, cases) > spec.width:
                    sharp = dataclasses.replace(settings, resolution=0.0)
                    steep = seen.crossover(sweep.axis, cases, pair, view, sharp)
                    row = _wide(row, width_of(steep, cases), spec.width)
                found.append(row)
        controls += [
            seen.crossover(sweep.axis, cases, pair, "train", settings, ("control",))
            for pair in control_pairs(cases.values(), seen.recorded)
        ]
    if control_fired(controls):
        found = [_downgraded(c) for c in found]
    return found + controls


def settings_of(spec: Spec, sweep: Sweep) -> Settings:
    """Return how sure to be: the error is split over looks and pairs of the sweep.

    The interval also allows for the resolution: two processes of one contender differ
    by about a per cent, however long they are measured.
    """
    looks = 1 if spec.grid else looks_up_to(spec.rounds)
    pairs = len(spec.pairs_of(sweep))
    return Settings(
        spec.confidence, spec.margin, spec.seed, looks, pairs, spec.resolution
    )


def control_pairs(cases: Iterable[Case], recorded: Recorded) -> list[Pair]:
    """Return (contender, its copy) for every copy measured in some cases."""
    known = set(cases)
    copies = {c.contender for c in recorded.ok if c.case in known and c.contender.copy}
    return [(dataclasses.replace(c, copy=0), c) for c in sorted(copies, key=str)]


def width_of(row: Crossover, cases: Cases) -> float:
    """Return high / low of a crossing, an open end taken as the end of the range."""
    if row.outcome != "found":
        return 1.0
    return (row.high or max(cases)) / (row.low or min(cases))


def _wide(row: Crossover, width: float, asked: float) -> Crossover:
    """Say why an interval is wider than asked.

    Inconclusive, its interval kept, if more rounds or sizes could narrow it. If they
    could not, because the curves cross at so flat an angle that the resolution alone
    spans more than was asked, it stands as it is.
    """
    if width <= asked:
        return dataclasses.replace(row, flags=("flat_crossing", *row.flags))
    flags = (f"wider_than_asked: {width:.3g}", *row.flags)
    return dataclasses.replace(row, outcome="inconclusive", at=None, flags=flags)


def control_fired(rows: Iterable[Crossover]) -> bool:
    """Tell whether any A/A control among the rows is decided, as it must not be."""
    return any("control" in c.flags and c.outcome in DECIDED for c in rows)


def _downgraded(row: Crossover) -> Crossover:
    """Return a decided row as inconclusive, its verdict kept in the flag's text."""
    if row.outcome not in DECIDED:
        return row
    flags = (f"control_fired: was {row.outcome}", *row.flags)
    return dataclasses.replace(
        row,
        outcome="inconclusive",
        at=None,
        low=None,
        high=None,
        slope=None,
        flags=flags,
    )


@dataclasses.dataclass(frozen=True)
class _Seen:
    """What was recorded, and the flags of each cell."""

    recorded: Recorded
    flags: dict[Cell, tuple[str, ...]]

    def crossover(
        self,
        axis: str,
        cases: Cases,
        pair: Pair,
        view: str,
        settings: Settings,
        flags: tuple[str, ...] = (),
    ) -> Crossover:
        """Find one pair's crossover over the cases in one view."""
        scales = SETUP_SCALES if view == "from_scratch" else SETUP_SCALES[:1]
        found = agreed([self._answer(cases, pair, view, settings, s) for s in scales])
        if found.outcome == NOT_MEASURED:
            raised: tuple[str, ...] = (why(self.recorded, cases, pair),)
            found = Answer(NOT_MEASURED)
        else:
            raised = (*found.flags, *self._cell_flags(cases, pair, view))
            raised += self._timed_out(cases, pair)
        found = dataclasses.replace(found, flags=(*flags, *raised))
        case = next(iter(cases.values()))
        head = (axis, case, view, "time_s", str(pair[0]), str(pair[1]))
        return Crossover(*head, **vars(found))

    def _answer(
        self,
        cases: Cases,
        pair: Pair,
        view: str,
        settings: Settings,
        scales: tuple[float, float],
    ) -> Answer:
        seconds = [self.recorded.paired(c, pair, view, scales) for c in cases.values()]
        return answer(
            np.array(list(cases), float),
            [one for one, _ in seconds],
            [other for _, other in seconds],
            work(cases),
            settings,
        )

    def _timed_out(self, cases: Cases, pair: Pair) -> tuple[str, ...]:
        late = [
            f"{size:,}"
            for size, case in cases.items()
            if any(
                m.bound_s for c in pair for m in self.recorded.ended_of(Cell(case, c))
            )
        ]
        return (f"timed_out: {', '.join(late)}",) if late else ()

    def _cell_flags(self, cases: Cases, pair: Pair, view: str) -> list[str]:
        members = (
            member
            for case in cases.values()
            for contender in pair
            for member in self.recorded.members(Cell(case, contender))
        )
        raised = (flag for member in members for flag in self.flags[member])
        return list(dict.fromkeys([*raised, *view_flags(view)]))


def work(cases: Cases) -> Array:
    """Return how often each case pays a fixed cost, a step's and a row's."""
    return np.array(
        [
            [1, c.epochs * c.steps_per_epoch, c.epochs * c.samples]
            for c in cases.values()
        ],
        float,
    )


def why(recorded: Recorded, cases: Cases, pair: Pair) -> str:
    """Say why a pair has no shared rounds, naming the contender that has none.

    A contender that this machine does not have is the first reason, then one that
    failed, then one that was not reached.
    """
    if pair[0] == pair[1]:
        return "this machine has one core: both contenders are the same"
    reasons = []
    for contender in pair:
        cells = [Cell(case, contender) for case in cases.values()]
        if not any(recorded.rounds(cell, "train") for cell in cells):
            reason = min((recorded.reason(cell) for cell in cells), key=_rank)
            reasons.append((_rank(reason), f"{contender}: {reason}"))
    if not reasons:
        return f"fewer than {FEWEST_ROUNDS} shared rounds"
    return min(reasons, key=lambda ranked: ranked[0])[1]


def _rank(reason: str) -> int:
    """Order reasons: unavailable, then failures, then not reached."""
    return {"unavailable": 0, "not reached": 2}.get(reason.partition(":")[0], 1)

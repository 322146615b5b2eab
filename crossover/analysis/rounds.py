"""What a run recorded, by cell: the seconds of each round in each view.

In: measurements. Out: `Recorded`, on which all of the analysis rests. It also finds the
rounds of `best`, the fastest trainer on a device.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from crossover.analysis.flags import cell_flags, few_disturbed
from crossover.contender import BEST, Contender
from crossover.crossing.decide import median
from crossover.nouns import Case, Cell, Machine, Measurement
from crossover.spec.sweep import Lines

T = TypeVar("T")
Rounds = dict[int, float]
"""Seconds of one cell by round number: the unit of replication."""
Pair = tuple[Contender, Contender]
Scales = tuple[float, float]
"""How often the set-up of each contender counts."""
Times = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Seconds of the baseline and of the challenger, round by round."""


def round_s(m: Measurement, view: str, setup_scale: float = 1.0) -> float | None:
    """Return one round's seconds for all of the case's epochs, in one view.

    The result is None if a part of the view's time was not recorded. The set-up counts
    `setup_scale` times.
    """
    if missing_time(m, view):
        return None
    seconds = m.train_s
    if view != "train":
        seconds += m.transfer_s or 0.0
    if view == "from_scratch":
        seconds += setup_scale * (m.setup_s or 0.0)
    return seconds


def missing_time(m: Measurement, view: str) -> str | None:
    """Return which part of a view's time a round lacks; None if it has all.

    A user's file without data of its own moves none before it starts.
    """
    if view == "from_scratch" and m.setup_s is None:
        return "set-up time"
    needs_transfer = view == "with_transfer" or not m.case.workload.is_users
    if view != "train" and needs_transfer and m.transfer_s is None:
        return "transfer time"
    return None


class Recorded:
    """What a run recorded, by cell; a failed cell has only the reason."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self.ok: dict[Cell, list[Measurement]] = defaultdict(list)
        self.ended: dict[Cell, Measurement] = {}
        self._rounds: dict[tuple[Cell, str, float], Rounds] = {}
        self._flags: dict[Cell, tuple[str, ...]] = {}
        self.work: dict[Case, dict[str, float]] = {}
        """How often one training pays each cost, by case."""
        self._elsewhere: dict[tuple[Cell, int], str] = {}
        """The machine's id of each round that was not measured on the run's first."""
        self.lines = Lines()
        """The cases of all rounds, discarded ones among them, by line."""
        for m in measurements:
            self.lines.add(m.case)
            cell = Cell(m.case, m.contender)
            if m.machine_id:
                self._elsewhere[cell, m.round] = m.machine_id
            if m.work:
                self.work.setdefault(m.case, m.work)
            if m.discarded:
                continue
            if m.status == "ok":
                self.ok[cell].append(m)
            else:
                self.ended[cell] = m

    def flags(self, machine: Machine) -> dict[Cell, tuple[str, ...]]:
        """Return the flags of every measured cell, on the machine of the run."""
        if not self._flags:
            self._flags = {c: cell_flags(rows, machine) for c, rows in self.ok.items()}
        return self._flags

    def rounds(self, cell: Cell, view: str, setup_scale: float = 1.0) -> Rounds:
        """Return a cell's round values; empty when it has none."""
        if cell.contender.trainer == BEST:
            return self._best(cell, view, setup_scale)
        key = (cell, view, setup_scale)
        if key not in self._rounds:
            rows = self.ok.get(cell, [])
            disturbed = few_disturbed(rows)
            self._rounds[key] = {
                m.round: seconds
                for m in rows
                if m.round not in disturbed
                and (seconds := round_s(m, view, setup_scale)) is not None
            }
        return self._rounds[key]

    def paired(
        self,
        case: Case,
        pair: Pair,
        view: str,
        setup_scales: Scales = (1.0, 1.0),
    ) -> Times:
        """Return the seconds of both contenders in the rounds they share, in order."""
        one, other = self._sides(case, pair, view, setup_scales)
        shared = sorted(one.keys() & other.keys())
        if self._elsewhere:
            cells = [c for who in pair for c in self.members(Cell(case, who))]
            shared = [r for r in shared if self.is_on_one_machine(cells, r)]
        return (
            np.array([one[r] for r in shared], float),
            np.array([other[r] for r in shared], float),
        )

    def _sides(
        self, case: Case, pair: Pair, view: str, setup_scales: Scales
    ) -> Iterator[Rounds]:
        """Yield the rounds of both contenders, each with its own set-ups."""
        for contender, scale in zip(pair, setup_scales, strict=True):
            yield self.rounds(Cell(case, contender), view, scale)

    def is_on_one_machine(self, cells: Sequence[Cell], number: int) -> bool:
        """Tell whether a round of some cells was measured under the same circumstances.

        A cell of another id is no partner, whatever its round is called.
        """
        taken = [c for c in cells if number in self.rounds(c, "train")]
        return len({self._elsewhere.get((c, number), "") for c in taken}) == 1

    def bounded(
        self,
        case: Case,
        pair: Pair,
        view: str,
        setup_scales: Scales = (1.0, 1.0),
    ) -> Times:
        """Return the rounds of one contender against the bound of one that timed out.

        It tells who is ahead, and not by how much. Both are empty if neither timed out
        or both did, and if the bound, not above what the other took, shows nothing.
        """
        one, other = self._sides(case, pair, view, setup_scales)
        nothing = np.array([]), np.array([])
        if bool(one) == bool(other):
            return nothing
        measured = np.array([*(one or other).values()], float)
        missing = pair[1] if one else pair[0]
        bounds = [m.bound_s for m in self.ended_of(Cell(case, missing)) if m.bound_s]
        if not bounds or min(bounds) <= measured.max():
            return nothing
        bound = np.full(len(measured), min(bounds))
        return (measured, bound) if one else (bound, measured)

    def ended_of(self, cell: Cell) -> list[Measurement]:
        """Return the last rows of failed cells that a cell stands for."""
        who, ended = cell.contender, self.ended.items()
        return [m for c, m in ended if c.case == cell.case and who.covers(c.contender)]

    def members(self, cell: Cell) -> list[Cell]:
        """Return the measured cells that a cell stands for: itself, or `best`'s."""
        who = cell.contender
        if who.trainer != BEST:
            return [cell] if cell in self.ok else []
        return [c for c in self.ok if c.case == cell.case and who.covers(c.contender)]

    def reason(self, cell: Cell, view: str = "train") -> str:
        """Return why a cell has no rounds in a view."""
        for member in self.members(cell):
            if missing := missing_time(self.ok[member][0], view):
                return f"{missing} not recorded"
        ended = self.ended_of(cell)
        return f"{ended[0].status}: {ended[0].notes}" if ended else "not reached"

    def _best(self, cell: Cell, view: str, setup_scale: float) -> Rounds:
        series = [self.rounds(c, view, setup_scale) for c in self.members(cell)]
        # Trainers with one round each leave no rounds to choose by: take the least.
        return cross_fitted(series, float) or min(
            filter(None, series), key=lambda s: _median(s, 0, float), default={}
        )


class TrainSeconds(Recorded):
    """The seconds of each round only, as planning needs them; rounds can be added."""

    def add(self, m: Measurement) -> None:
        """Add a round."""
        cell = Cell(m.case, m.contender)
        if m.machine_id:
            self._elsewhere[cell, m.round] = m.machine_id
        if m.status != "ok":
            self.ended[cell] = m
            return
        self.ok.setdefault(cell, [])
        seconds = round_s(m, "train")
        assert seconds is not None  # every round has the time of its training
        self._rounds.setdefault((cell, "train", 1.0), {})[m.round] = seconds


def cross_fitted(
    series: Sequence[dict[int, T]], seconds: Callable[[T], float]
) -> dict[int, T]:
    """Return the rounds of the fastest series, without selection bias.

    The fastest by the even rounds gives its odd ones, and the fastest by the odd rounds
    its even ones.

    Args:
        series: rounds by number; a series of fewer than two is left out.
        seconds: returns the seconds of one round.
    """
    found: dict[int, T] = {}
    candidates = [rows for rows in series if len(rows) > 1]
    for parity in (0, 1) if candidates else ():
        chosen = min(candidates, key=lambda rows: _median(rows, parity, seconds))
        found |= {number: row for number, row in chosen.items() if number % 2 != parity}
    return found


def _median(rows: dict[int, T], parity: int, seconds: Callable[[T], float]) -> float:
    values = [seconds(row) for number, row in rows.items() if number % 2 == parity]
    return median(values) if values else float("inf")


def paired_log_ratios(
    recorded: Recorded, case: Case, pair: Pair, view: str
) -> NDArray[np.float64]:
    """Return log(baseline seconds / challenger seconds), one per shared round."""
    baseline_s, challenger_s = recorded.paired(case, pair, view)
    ratios: NDArray[np.float64] = np.log(baseline_s / challenger_s)
    return ratios

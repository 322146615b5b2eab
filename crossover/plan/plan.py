"""Decide what to measure next: spec and rounds so far in, the next `Block`s out.

First come the sizes asked for, each with the rounds of the first look. Then, unless the
spec says `grid`, sizes near each pair's crossover get the rounds of their next look;
new sizes may be added (docs/search.md). The pipeline measures the first block, and asks
again.
"""

import dataclasses
import itertools
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from crossover.analysis.crossover import settings_of
from crossover.analysis.rounds import TrainSeconds, paired_log_ratios
from crossover.contender import Contender
from crossover.crossing.boundaries import Answered, boundaries
from crossover.crossing.decide import LOOKS, Array
from crossover.latency import calls
from crossover.nouns import Case, Cell, Machine, Measurement
from crossover.plan.extend import Means, larger, smaller
from crossover.plan.next_size import NOWHERE, Aim, Reach, next_size
from crossover.spec.spec import Spec
from crossover.spec.sweep import Lines, Sweep
from crossover.workloads.registry import definition

FIRST_LOOK = LOOKS[0]
"""Rounds of the first look, and rounds added by each look after the last."""
CONTROL_SHARE = 0.1
"""Share of the expected time that the A/A control may take."""
SAMPLE_S = 6e-3
"""Shortest time expected of a sample."""
OPEN_S = 0.3
"""Seconds expected for opening a cell, beside its trainings."""
OPENINGS = 5
"""Number of trainings that opening a cell is expected to take."""

Pair = tuple[Contender, Contender]


@dataclass(frozen=True)
class Block:
    """One case with the contenders to measure side by side for some rounds."""

    case: Case
    contenders: tuple[Contender, ...]
    rounds: tuple[int, ...]
    expected_s: float = 0.0
    """Rough seconds that the block takes."""
    done: int = 0
    """Number of rounds already recorded, if the block was interrupted."""
    ended: frozenset[Contender] = frozenset()
    """Contenders that already failed, if the block was interrupted."""


def next_blocks(
    spec: Spec, measurements: Iterable[Measurement], machine: Machine | None = None
) -> list[Block]:
    """Return the blocks left to measure, most useful first; empty if all is done.

    The search consists of measuring the first block and asking again. A failed cell is
    not tried again. The machine tells how large a size may be that is not asked for.
    """
    return Known(spec, measurements, machine).next_blocks()


def next_look(rounds: int) -> int:
    """Return the number of rounds that a size has at its next look.

    The error is split over `LOOKS`, so there are no other looks before the last one.
    """
    return next((look for look in LOOKS if look > rounds), rounds + FIRST_LOOK)


class Known:
    """What planning needs of the measurements so far.

    It keeps no measurements, so that a round adds the same cost however many there are.
    """

    def __init__(
        self,
        spec: Spec,
        measurements: Iterable[Measurement],
        machine: Machine | None = None,
    ) -> None:
        self.spec = spec
        self._means = Means(spec.budget_s, machine)
        self._found: dict[object, tuple[dict[int, int], Answered]] = {}
        self.recorded = TrainSeconds(())
        self._rounds: Counter[Cell] = Counter()
        self._next: dict[Case, int] = {}
        self._lines = Lines()
        self._wanted = self._asked_for()
        self._single = calls.single_calls(spec, machine)
        self.add(measurements)

    def add(self, measurements: Iterable[Measurement]) -> None:
        """Add measurements that were recorded since."""
        for m in measurements:
            self._means.add(m)
            if m.discarded:
                continue
            self._next[m.case] = max(self._next.get(m.case, 0), m.round + 1)
            self._lines.add(m.case)
            self._rounds[Cell(m.case, m.contender)] += m.status == "ok"
            if m.status != "ok" or not self.spec.grid:
                self.recorded.add(m)

    def next_blocks(self) -> list[Block]:
        """Return the blocks left to measure; see the function of this name."""
        return self.grid_blocks() or ([] if self.spec.grid else self.search_blocks())

    def _asked_for(self) -> dict[Case, dict[Contender, None]]:
        """Return the cases asked for with their contenders, the outermost sizes first.

        A run that is cut short then still spans the range.
        """
        wanted: dict[Case, dict[Contender, None]] = {}
        for sweep in self.spec.sweep:
            cases = list(sweep.cases().values())
            for index in outermost_first(len(cases)):
                group = wanted.setdefault(cases[index], {})
                group.update(dict.fromkeys(self.spec.contenders_of(sweep)))
        for case, contender in controls(self.spec):
            wanted[case][contender] = None
        return wanted

    def grid_blocks(self) -> list[Block]:
        """Return a block for each case asked for that lacks rounds."""
        most = self.spec.rounds
        least = most if self.spec.grid else min(FIRST_LOOK, most)
        wanted = self._wanted.items()
        blocks = (self._block(case, group, least) for case, group in wanted)
        return [block for block in blocks if block is not None]

    def search_blocks(self) -> list[Block]:
        """Return a block for each pair that is not yet settled.

        The one that had the fewest rounds of the search comes first, then the cheapest.
        """
        blocks: dict[tuple[Case, tuple[Contender, ...]], tuple[int, Block]] = {}
        for sweep in self.spec.sweep:
            for pair in self.spec.pairs_of(sweep):
                if (turn := self._search(sweep, pair)) is not None:
                    _, block = turn
                    blocks.setdefault((block.case, block.contenders), turn)
        turns = sorted(blocks.values(), key=lambda turn: (turn[0], turn[1].expected_s))
        return [block for _, block in turns]

    def _search(self, sweep: Sweep, pair: Pair) -> tuple[int, Block] | None:
        """Return how many rounds of the search a pair has had, and its next block."""
        cases = self._lines.along(sweep)
        every = {size: self._ratios(case, pair) for size, case in cases.items()}
        ratios = {size: values for size, values in every.items() if len(values)}
        if len(ratios) < 2:
            return None
        rounds = {size: len(values) for size, values in ratios.items()}
        found = self._located(sweep, pair, ratios, rounds)
        spec = self.spec
        group = dict.fromkeys(
            c for c in spec.contenders_of(sweep) if any(a.covers(c) for a in pair)
        )
        aim = Aim(spec.rounds, spec.width, spec.margin, spec.both_ends)
        reach = self._reach(sweep, min(rounds), max(rounds), group)
        if (proposed := next_size(found, rounds, aim, reach)) is None:
            return None
        size = sweep.workload.settled(sweep.line, sweep.axis, proposed)
        if size != proposed and size in rounds:
            return None  # it is clipped to a measured size, and would be so again
        block = self._block(sweep.case_at(size), group, next_look(rounds.get(size, 0)))
        if block is None:
            return None
        return sum(rounds.values()) - FIRST_LOOK * len(sweep.values), block

    def _located(
        self, sweep: Sweep, pair: Pair, ratios: dict[int, Array], rounds: dict[int, int]
    ) -> Answered:
        """Return a pair's zones and boundaries, kept until it has more rounds."""
        key = sweep.line, sweep.pairs, pair
        known = self._found.get(key)
        if known is not None and known[0] == rounds:
            return known[1]
        settings = dataclasses.replace(settings_of(self.spec, sweep), resolution=0.0)
        found = boundaries(
            np.array(list(ratios), float),
            list(ratios.values()),
            **dataclasses.asdict(settings),
        )
        self._found[key] = rounds, found
        return found

    def _reach(
        self, sweep: Sweep, smallest: int, largest: int, group: dict[Contender, None]
    ) -> Reach:
        """Return the sizes beyond those measured that the job and its means allow."""
        if sweep.closed:
            return NOWHERE
        down, up = smaller(sweep, smallest), larger(sweep, largest)
        return Reach(
            down if down and self._allow(sweep, smallest, down, group) else None,
            up if up and self._allow(sweep, largest, up, group) else None,
        )

    def _allow(
        self, sweep: Sweep, edge: int, size: int, group: dict[Contender, None]
    ) -> bool:
        """Tell whether there are time and memory for a size beyond a measured one."""
        case, measured = sweep.case_at(size), sweep.case_at(edge)
        total_s = 0.0
        for c in group:
            rounds = self.recorded.rounds(Cell(measured, c), "train")
            if not rounds:
                return False  # it failed, or took too long
            growth = expected_s(case, c.trainer) / expected_s(measured, c.trainer)
            whole_s = float(np.median(list(rounds.values()))) * growth
            one_s = min(whole_s, self.spec.longest_sample_s)
            one_s = max(one_s, whole_s / case.repeats)
            if OPENINGS * one_s > self.spec.cell_timeout_s / 2:
                return False
            total_s += block_s(FIRST_LOOK, one_s)
        devices = {c.device for c in group}
        return self._means.last_s(total_s) and self._means.hold(
            measured, size / edge, devices
        )

    def _ratios(self, case: Case, pair: Pair) -> Array:
        """Return a pair's log-ratios, or those against the bound after a timeout.

        A bound tells the search on which side to look, and is no measurement.
        """
        measured = paired_log_ratios(self.recorded, case, pair, "train")
        if len(measured):
            return measured
        baseline_s, challenger_s = self.recorded.bounded(case, pair, "train")
        bounds: Array = np.log(baseline_s / challenger_s)
        return bounds

    def _block(
        self, case: Case, group: dict[Contender, None], rounds: int
    ) -> Block | None:
        live = [c for c in group if Cell(case, c) not in self.recorded.ended]
        done = [self._rounds[Cell(case, c)] for c in live]
        need = min(rounds, self.spec.rounds) - min(done, default=rounds)
        if need <= 0:
            return None
        start = self._next.get(case, 0)
        seconds = sum(
            block_s(need, call_s(self.spec, case, c))
            + need * calls.expected_s(self._single, case, expected_s(case, c.trainer))
            for c in live
        )
        return Block(case, tuple(live), tuple(range(start, start + need)), seconds)


def block_s(rounds: int, call_s: float) -> float:
    """Return roughly the seconds that a contender takes for some rounds of a case."""
    return 2 * rounds * max(SAMPLE_S, call_s) + OPEN_S + OPENINGS * call_s


def controls(spec: Spec) -> list[tuple[Case, Contender]]:
    """Choose the cells of the A/A control: case, and copy of a contender.

    It measures the cheapest sweep's cheapest contender twice, at as many sizes as a
    tenth of the expected time allows, the cheapest first. If fewer than two fit, there
    is no control.
    """
    if not spec.control:
        return []
    cells = [
        [(call_s(spec, case, c), case, c) for case in sweep.cases().values()]
        for sweep in spec.sweep
        for c in spec.contenders_of(sweep)
        if c.device == "cpu"
    ]
    total = sum(seconds for group in cells for seconds, _, _ in group)
    best: list[tuple[Case, Contender]] = []
    for group in sorted(cells, key=lambda group: sum(cell[0] for cell in group)):
        ordered = sorted(group, key=lambda cell: cell[0])
        spent = itertools.accumulate(cell[0] for cell in ordered)
        kept = [
            (case, dataclasses.replace(c, copy=1))
            for (_, case, c), spent_s in zip(ordered, spent, strict=True)
            if spent_s <= CONTROL_SHARE * total
        ]
        if len(kept) > max(1, len(best)):
            best = kept
    return best


def outermost_first(n: int) -> list[int]:
    """Return 0..n-1 in the order: both ends, then each half's middle, and so on."""
    order = dict.fromkeys([0, n - 1] if n else [])
    gaps = [(0, n - 1)]
    while gaps:
        low, high = gaps.pop(0)
        if high - low > 1:
            middle = (low + high) // 2
            order[middle] = None
            gaps += [(low, middle), (middle, high)]
    return list(order)


def round_order(spec: Spec, block: Block, number: int) -> list[Contender]:
    """Return a round's order: a seeded shuffle, then the same backwards (ABBA)."""
    shuffled = list(block.contenders)
    random.Random(f"{spec.seed} {block.case.id} {number}").shuffle(shuffled)
    return shuffled + shuffled[::-1]


def expected_s(case: Case, trainer: str) -> float:
    """Return roughly the seconds of one training of a case."""
    return definition(case.workload.name).expected_s(case, trainer)


def call_s(spec: Spec, case: Case, contender: Contender) -> float:
    """Return roughly the seconds of one call: of all epochs, or of fewer."""
    return min(expected_s(case, contender.trainer), spec.longest_sample_s)


def notices(spec: Spec) -> list[str]:
    """Return a line for each value that the plan changes."""
    return [
        f"{name} = {value} is larger than {most} in sweep {number + 1} "
        f"({sweep.axis}): clipped to all {most}, as the lesson's loader does"
        for number, sweep in enumerate(spec.sweep)
        for name, value, most in sweep.clipped()
    ]

"""What to measure next: pure functions of the spec and what is recorded so far."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench.nouns import Cell, Contender, Measurement
from bench.spec import Spec, Sweep
from softmax_core.case import Case

STEP_S = {"lesson": 250e-6, "manual": 180e-6, "resident": 250e-6}
ROW_S = {"lesson": 7e-6, "manual": 0.3e-6, "resident": 0.05e-6}
VALUE_S = 1.5e-9
"""Orders of magnitude for a core, to foretell durations; no result rests on them."""
OPENINGS = 5
"""Trainings that opening a cell costs beside the rounds."""


@dataclass(frozen=True)
class Block:
    """One case with all its contenders, measured side by side for some rounds."""

    case: Case
    contenders: tuple[Contender, ...]
    rounds: tuple[int, ...]

    @property
    def expected_s(self) -> float:
        """Roughly how long it takes, in seconds."""
        per_call = sum(expected_s(Cell(self.case, c)) for c in self.contenders)
        return (2 * len(self.rounds) + OPENINGS) * per_call


def contenders_of(spec: Spec, sweep: Sweep) -> tuple[Contender, ...]:
    """Return the contenders of a sweep: its own, else the spec's."""
    return tuple(map(Contender.parse, sweep.contenders or spec.contenders))


def pairs_of(spec: Spec, sweep: Sweep) -> tuple[tuple[Contender, Contender], ...]:
    """Return a sweep's (baseline, challenger) pairs: its own, else the spec's."""
    pairs = sweep.pairs or spec.pairs
    return tuple((Contender.parse(a), Contender.parse(b)) for a, b in pairs)


def next_blocks(spec: Spec, measurements: Iterable[Measurement]) -> list[Block]:
    """Return what is left to measure; empty when the plan is done.

    A fixed grid: every case of every sweep, the outermost sizes first, so that a run
    cut short still spans the range. A cell that failed is not tried again.
    """
    done: Counter[str] = Counter()
    ended = set()
    for m in measurements:
        done[m.cell_id] += 1
        if m.status != "ok":
            ended.add(m.cell_id)
    wanted: dict[Case, dict[Contender, None]] = {}
    for sweep in spec.sweep:
        cases = list(sweep.cases().values())
        for index in outermost_first(len(cases)):
            group = wanted.setdefault(cases[index], {})
            group.update(dict.fromkeys(contenders_of(spec, sweep)))
    blocks = []
    for case, group in wanted.items():
        cells = [Cell(case, contender) for contender in group]
        live = [cell for cell in cells if cell.cell_id not in ended]
        start = min((done[cell.cell_id] for cell in live), default=spec.rounds)
        if start < spec.rounds:
            contenders = tuple(cell.contender for cell in live)
            blocks.append(Block(case, contenders, tuple(range(start, spec.rounds))))
    return blocks


def outermost_first(n: int) -> list[int]:
    """Order 0..n-1: both ends, then each half's middle, and so on."""
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
    random.Random(f"{spec.seed} {block.case} {number}").shuffle(shuffled)
    return shuffled + shuffled[::-1]


def expected_s(cell: Cell) -> float:
    """Return the order of magnitude of one training of a cell, in seconds."""
    case, trainer = cell.case, cell.contender.trainer
    epoch_s = case.steps_per_epoch * STEP_S.get(trainer, 250e-6) + case.samples * (
        ROW_S.get(trainer, 0.1e-6) + case.features * VALUE_S
    )
    return max(1.2e-3, case.epochs * epoch_s)


def notices(spec: Spec) -> list[str]:
    """Say in a line each what the plan changes of what was asked."""
    return [
        f"batch_size = {batch} is larger than samples in sweep {number + 1} "
        f"({sweep.axis}): clipped to all samples, as the lesson's loader does"
        for number, sweep in enumerate(spec.sweep)
        for batch in sweep.clipped()
    ]

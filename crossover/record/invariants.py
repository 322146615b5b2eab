"""What a run takes for granted of its rows: those that contradict it are breaches.

In: a run's header, and its rows as they were recorded. Out: what contradicts the header
or the rows before. Nothing is read or written here: `journal` asks for every line, and
whoever records a round may ask before.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from crossover.contender import Contender
from crossover.files.untrusted import shown
from crossover.nouns import Case, Cell, Measurement, Run
from crossover.spec.spec import Spec

TOLERANCE_S = 0.01
"""By how much a round's samples may exceed the time that passed: what is rounded."""
TOLERANCE = 0.01
"""The same, as a share of them."""


@dataclass(frozen=True)
class Breach:
    """A value that contradicts the header or earlier rows."""

    at: int
    """Which of the rows that were recorded at once."""
    field: str
    value: object
    must: str

    def __str__(self) -> str:
        return f"{self.field} = {shown(self.value)}: {self.must}"


@dataclass
class _Known:
    """What is known of a cell."""

    case: Case
    contender: Contender
    repeats: int
    rounds: set[int] = field(default_factory=set)
    last: Measurement | None = None
    has_ended: bool = False


@dataclass
class _Part:
    """What is known of a run, or of one of the jobs that were merged into it."""

    cells: dict[str, _Known] = field(default_factory=dict)
    elapsed_s: float = 0.0


class Invariants:
    """What must hold of the rows to come, by the header and the rows so far."""

    def __init__(self, run: Run) -> None:
        self._names = [run.run_id, *_jobs(run.run_id)]
        self._parts: dict[str, _Part] = {}
        self._sweeps = _Sweeps(run.spec)
        self._places = 2 * _contenders(run.spec)

    def add(self, rows: Sequence[Measurement]) -> Breach | None:
        """Take in rows that were recorded at once, as `recorded_at_once` has them.

        Return a breach instead, if there is one; then nothing is taken in.
        """
        part = self._parts.get(rows[0].run_id)
        if part is None:
            if (breach := self._other_run(rows[0])) is not None:
                return breach
            part = self._parts[rows[0].run_id] = _Part()
        cells = []
        for at, m in enumerate(rows):
            cell = part.cells.get(m.cell_id)
            # Rows that are read share the objects of their cell.
            if not (cell and m.case is cell.case and m.contender is cell.contender):
                if (breach := self._misnamed(m, at)) is not None:
                    return breach
                cell = cell or _Known(m.case, m.contender, m.case.repeats)
            if (breach := _again(m, cell, at)) is not None:
                return breach
            cells.append(cell)
        breach = _time(rows, part.elapsed_s) or self._round(rows)
        if breach is not None:
            return breach
        part.elapsed_s = rows[0].elapsed_s or part.elapsed_s
        for m, cell in zip(rows, cells, strict=True):
            part.cells[m.cell_id] = cell
            if m.discarded:
                continue
            cell.rounds.add(m.round)
            cell.last, cell.has_ended = m, m.status != "ok"
        return None

    def _other_run(self, m: Measurement) -> Breach | None:
        header, *jobs = self._names
        if m.run_id == header or any(re.fullmatch(job, m.run_id) for job in jobs):
            return None
        return Breach(0, "run_id", m.run_id, f"must be {header}, as run.json says")

    def _misnamed(self, m: Measurement, at: int) -> Breach | None:
        """Check what the first row of a cell says of it."""
        name = _name(m.case, m.contender)
        if m.cell_id != name:
            must = f"must be {name}, its case and contender"
            return Breach(at, "cell_id", m.cell_id, must)
        if m.elapsed_s is None or self._sweeps.hold(m.case):
            return None  # older runs and other tools have cases of no sweep, too
        return Breach(at, "case", m.case.id, "must be of a sweep in run.json")

    def _round(self, rows: Sequence[Measurement]) -> Breach | None:
        """Check what the rows of a round say of each other."""
        names: set[str] = set()
        places: set[int] = set()
        taken = 0
        for at, m in enumerate(rows):
            if m.cell_id in names:
                return Breach(at, "cell_id", m.cell_id, "must be there once in a round")
            if m.in_round != len(rows) and m.in_round is not None:
                must = f"must be {len(rows)}, the rows of its round"
                return Breach(at, "in_round", m.in_round, must)
            names.add(m.cell_id)
            if not (mine := m.positions):
                continue
            places.update(mine)
            taken += len(mine)
            are_new = len(places) == taken and len(mine) == len(m.samples_s)
            if not are_new or min(mine) < 0 or max(mine) >= self._places:
                must = "must be a place in its round for each sample, no two alike"
                return Breach(at, "positions", list(mine), must)
        return None


class _Sweeps:
    """The cases that are asked for, and those that the search may add."""

    def __init__(self, spec: Spec) -> None:
        self._asked = {case for s in spec.sweep for case in s.cases().values()}
        self._lines = {(s.axis, s.line) for s in (() if spec.grid else spec.sweep)}
        self._axes = {axis for axis, _ in self._lines}

    def hold(self, case: Case) -> bool:
        """Tell whether a case is one of them."""
        if case in self._asked:
            return True
        return any((axis, case.without(axis)) in self._lines for axis in self._axes)


@lru_cache(maxsize=10_000)
def _name(case: Case, contender: Contender) -> str:
    return Cell(case, contender).id


def breaches(header: Run, rows: Sequence[Measurement]) -> Iterator[tuple[int, Breach]]:
    """Yield each breach of a run's rows, with the number of its row, from 0.

    The rows in breach do not count for those that follow.
    """
    known = Invariants(header)
    for start, alike in recorded_at_once(rows):
        left = [*enumerate(alike, start)]
        while left:
            breach = known.add([m for _, m in left])
            if breach is None:
                break
            yield left[breach.at][0], breach
            del left[breach.at]


def so_far(run: Run) -> Invariants:
    """Return what must hold of the rows to come of a run that was read, or begins."""
    known = Invariants(run)
    for _, alike in recorded_at_once(run.measurements):
        known.add(alike)
    return known


def recorded_at_once(
    rows: Sequence[Measurement],
) -> Iterator[tuple[int, Sequence[Measurement]]]:
    """Yield the rows of each round, and each that ended a cell, with its number.

    Attempts at one round that were discarded alike were recorded at different times.
    """
    start = 0
    while start < len(rows):
        first, end = rows[start], start + 1
        if first.status == "ok":
            number, case = first.round, first.case
            while (
                end < len(rows)
                and (m := rows[end]).round == number
                and m.status == "ok"
                and (m.case is case or m.case == case)
                and m.run_id == first.run_id
                and m.discarded == first.discarded
                and (not m.discarded or m.elapsed_s == first.elapsed_s)
            ):
                end += 1
        yield start, rows[start:end]
        start = end


def _again(m: Measurement, cell: _Known, at: int) -> Breach | None:
    """Check a row against its case, and the earlier ones of its cell."""
    epochs, last = m.epochs_run, cell.last
    if epochs is not None and not 1 <= epochs <= cell.repeats:
        must = f"must be 1 to {cell.repeats:,}, as its case says"
        return Breach(at, "epochs_run", epochs, must)
    if last is None:
        return None
    if cell.has_ended:
        return Breach(at, "round", m.round, "must be none, as its cell has ended")
    if m.round in cell.rounds and not m.discarded:
        return Breach(at, "round", m.round, "must be recorded once for its cell")
    if m.calls_per_sample != last.calls_per_sample or epochs != last.epochs_run:
        return _within_block(m, last, at)
    return None


def _within_block(m: Measurement, last: Measurement, at: int) -> Breach | None:
    """Check that what differs from the round before was decided anew."""
    if m.warmup_s or m.setup_s != last.setup_s or m.status != "ok":
        return None  # opened again, or not at all
    is_calls = m.calls_per_sample != last.calls_per_sample
    name = "calls_per_sample" if is_calls else "epochs_run"
    must = f"must be {getattr(last, name)}, as in the rounds before of its block"
    return Breach(at, name, getattr(m, name), must)


def _time(rows: Sequence[Measurement], before_s: float) -> Breach | None:
    """Check that time did not go back, and that all samples fit in what passed."""
    then_s = rows[0].elapsed_s
    spent_s = 0.0
    for at, m in enumerate(rows):
        if m.elapsed_s != then_s:
            return Breach(
                at, "elapsed_s", m.elapsed_s, f"must be {then_s}, its round's"
            )
        if not m.discarded:  # its samples may hold time in which we were stopped
            spent_s += sum(m.samples_s) + sum(m.latency)
    if then_s is None:
        return None
    if then_s < before_s:
        must = f"must be at least {before_s}, as the round before says"
        return Breach(0, "elapsed_s", then_s, must)
    passed_s = then_s - before_s
    if spent_s <= passed_s + TOLERANCE_S + TOLERANCE * spent_s:
        return None
    at, m = max(enumerate(rows), key=lambda row: sum(row[1].samples_s))
    must = f"must fit, with its round's others, in the {passed_s:.4g} s that passed"
    return Breach(at, "samples_s", list(m.samples_s), must)


def _contenders(spec: Spec) -> int:
    """Return the most contenders that a round can have, with the copy of the A/A."""
    asked = {c for sweep in spec.sweep for c in spec.contenders_of(sweep)}
    return len(asked) + spec.control


def _jobs(run_id: str) -> list[str]:
    """Return what the jobs are called of which a merged run may consist."""
    stem = re.sub(r"\+\d+$", "", run_id)
    return [rf"{re.escape(name)}-\d+" for name in dict.fromkeys((run_id, stem))]

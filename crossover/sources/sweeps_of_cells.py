"""What a set of cells can answer: which cases form sweeps, which contenders pairs.

In: cells of any origin. Out: the sweeps of a `Spec`. docs/sources.md has the rules.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from crossover.contender import BEST, Contender
from crossover.nouns import Case, Cell
from crossover.spec.sweep import Sweep, sweep_type
from crossover.workloads.workload import Workload

Pair = tuple[str, str]
Places = dict[Case, list[tuple[int, Contender]]]
TRAINER_ORDER = ("lesson", "manual")
"""The trainers that others are compared with, in this order."""


def clipped(workload: Workload, cases: Iterable[Case]) -> dict[Case, Case]:
    """Return the cases whose size exceeds its most, and what they are with that most.

    As `Sweep.cases` does. Not those that a sweep over the other size needs as they are,
    nor where that name is taken.
    """
    known = set(cases)
    renamed = {}
    for size in workload.sizes:
        for group in _groups(known, size.most) if size.most else ():
            first = group[0]
            target = first.at(**{size.name: first[size.most]})
            too_large = first[size.name] > first[size.most]
            if len(group) == 1 and too_large and target not in known:
                renamed[first] = target
    return renamed


def sweeps(
    workload: Workload, measured: Sequence[Cell], skipped: Sequence[Cell] = ()
) -> list[Sweep]:
    """Return a sweep for every two or more cases that differ in one axis alone.

    A case that is in none gets one of its own. Sweeps without a pair are left out. An
    axis begins at 1: a size of 0, such as a seed, is fixed.

    Args:
        workload: what the cells are of.
        measured: the cells that ran, or failed.
        skipped: those that were not to run; a contender that ran elsewhere is no part
            of a sweep that skipped it throughout.
    """
    cases = list(dict.fromkeys(cell.case for cell in [*measured, *skipped]))
    ran, left = _by_case(measured), _by_case(skipped)
    seen = dict.fromkeys(cell.contender for cell in measured)
    order = {contender: place for place, contender in enumerate(seen)}
    found = []
    grouped: set[Case] = set()
    for axis in workload.axes:
        for members in _groups(cases, axis):
            usable = [
                c for c in members if 1 <= c[axis] == workload.settled(c, axis, c[axis])
            ]
            if len(usable) > 1:
                grouped.update(usable)
                found.append(_sweep(workload, axis, usable, ran, left, order))
    for case in (case for case in cases if case not in grouped):
        first = next((axis for axis in workload.axes if case[axis] >= 1), None)
        if first is not None:
            found.append(_sweep(workload, first, [case], ran, left, order))
    return [sweep for sweep in found if sweep.pairs]


def _by_case(cells: Sequence[Cell]) -> Places:
    """Return the contenders of each case, with their places among all cells."""
    found: Places = defaultdict(list)
    for place, cell in enumerate(cells):
        found[cell.case].append((place, cell.contender))
    return found


def _groups(cases: Iterable[Case], axis: str) -> list[list[Case]]:
    """Gather the cases that differ in the axis alone."""
    groups: dict[Case, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.without(axis)].append(case)
    return list(groups.values())


def _sweep(
    workload: Workload, axis: str, cases: Sequence[Case], ran: Places, left: Places,
    order: dict[Contender, int],
) -> Sweep:  # fmt: skip
    measured = {who for case in cases for _, who in ran[case]}
    here = sorted(measured, key=order.__getitem__)
    skipped = sorted(one for case in cases for one in left[case])
    never_ran = dict.fromkeys(who for _, who in skipped if who not in order)
    contenders = [*here, *never_ran]
    fixed = {name: value for name, value in cases[0].values if name != axis}
    fields = {
        "axis": axis,
        "values": tuple(case[axis] for case in cases),
        "contenders": tuple(map(str, contenders)),
        # Those that ran are compared also where their usual partner was not selected.
        "pairs": tuple(dict.fromkeys((*pairs(here), *pairs(contenders)))),
    }
    return sweep_type(workload).model_validate({**fixed, **fields})


def pairs(contenders: Iterable[Contender]) -> tuple[Pair, ...]:
    """Return the (baseline, challenger) pairs that users ask about.

    Each accelerator contender against the best on the CPU. On the CPU, per trainer,
    more threads or ranks against the fewest, and per number of threads in all the other
    trainers against the first, which is the lesson's where it is there. Whoever is in
    no pair then is compared with the first of all.
    """
    ordered = sorted(contenders, key=_order)
    cpu = [c for c in ordered if c.device == "cpu"]
    found: dict[Pair, None] = {}
    for alike in (lambda c: c.trainer, _threads):
        firsts: dict[object, Contender] = {}
        for c in cpu:
            first = firsts.setdefault(alike(c), c)
            if first != c:
                found[str(first), str(c)] = None
    best = f"cpu/{BEST}" if len(cpu) > 1 else "".join(map(str, cpu))
    if best:
        accelerated = (c for c in ordered if c.device != "cpu")
        found |= dict.fromkeys((best, str(c)) for c in accelerated)
    paired = {text for pair in found for text in pair}
    left = [c for c in ordered[1:] if str(c) not in paired]
    return (*found, *((str(ordered[0]), str(c)) for c in left))


def _order(contender: Contender) -> tuple[bool, int, float, int, str]:
    """Sort the CPU first, then the lesson's trainers, then fewer threads."""
    names = (*TRAINER_ORDER, contender.trainer)
    return (
        contender.device != "cpu",
        names.index(contender.trainer),
        _threads(contender),
        contender.ranks,
        str(contender),
    )


def _threads(contender: Contender) -> float:
    """Count the threads of all ranks; infinite where nobody said how many."""
    threads = contender.threads
    return float("inf") if threads is None else threads * contender.ranks

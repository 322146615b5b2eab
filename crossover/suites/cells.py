"""The cells that both suites measure, by profile; one at a time is prepared.

asv starts a process for each cell, so torch is loaded only when a cell is prepared.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from crossover.files.untrusted import refused
from crossover.measure.machine import usable_cores
from crossover.nouns import Case, Cell
from crossover.spec.contenders import STAND_IN, missing_cores
from crossover.suites.choice import load_profile, more_devices, profile_name
from crossover.workloads.registry import definition
from crossover.workloads.softmax import SOFTMAX
from crossover.workloads.workload import Workload

VERSION = "1"
"""The version of asv's benchmarks; asv compares no results of different versions."""
ALL_EPOCHS_S = 1e6
"""Longest sample: no training is cut short, as both tools could not tell of it."""

now = time.perf_counter
"""The clock of both suites; tests replace it by a virtual one."""


def cells(profile: str | None = None, more: Iterable[str] = ()) -> tuple[Cell, ...]:
    """Return a profile's cells, each once, in the profile's order.

    Args:
        profile: its name; None means the one that the environment chooses.
        more: devices, in addition to those that the environment names.

    Raises:
        InputError: in one line, for whatever keeps the profile from being measured.
    """
    spec = load_profile(profile or profile_name())
    devices = dict.fromkeys((*more_devices(), *more))
    found: dict[Cell, None] = {}
    for sweep in spec.sweep:
        for case in sweep.cases().values():
            for contender in spec.contenders_of(sweep):
                found[Cell(case, contender)] = None
                if contender.device == STAND_IN:
                    also = (replace(contender, device=d) for d in devices)
                    found |= dict.fromkeys(Cell(case, c) for c in also)
    for case in dict.fromkeys(cell.case for cell in found):
        _check_name(case)
    return tuple(found)


def _check_name(case: Case) -> None:
    """Refuse a case that is not read back from its name, by which both tools go."""
    try:
        is_read = case.workload.parse_case(case.id) == case
    except ValueError:
        is_read = False
    if not is_read:
        must = "have texts of letters, digits, _, . and + only, at most 40 of them"
        raise refused("case", case.id, must)


def workload() -> Workload:
    """Return the workload of the profile's cells."""
    return load_profile(profile_name()).declared


def declaration() -> dict[str, Any]:
    """Return what results must keep of the workload, to be read without its code.

    It is empty for softmax regression, which every version knows.
    """
    known = workload()
    return {} if known == SOFTMAX else {"workload": asdict(known)}


def version() -> str:
    """Return the version of asv's benchmarks, which holds the declaration.

    asv keeps it with each result, and little else that a suite could choose.
    """
    declared = declaration()
    return f"{VERSION} {json.dumps(declared)}" if declared else VERSION


@dataclass(frozen=True)
class Grid:
    """The cells in asv's form: a product of texts, and the pairs that are no cells."""

    cases: list[str]
    contenders: list[str]
    skipped: list[tuple[str, str]]


def grid(measured: Iterable[Cell]) -> Grid:
    """Return the product of the cells' cases and contenders."""
    pairs = dict.fromkeys((c.case.id, str(c.contender)) for c in measured)
    cases = list(dict.fromkeys(case for case, _ in pairs))
    contenders = list(dict.fromkeys(contender for _, contender in pairs))
    product = [(case, contender) for case in cases for contender in contenders]
    return Grid(cases, contenders, [pair for pair in product if pair not in pairs])


def unavailable(text: str) -> str | None:
    """Return why a contender cannot be measured here; None if it can."""
    contender = workload().contender(text)
    if few := missing_cores(contender, usable_cores()):
        return few
    from softmax_core.device import parse_device, unavailable_reason

    who = contender.trainer, contender.device, contender.ranks
    reason = unavailable_reason(parse_device(contender.device)) or definition(
        workload().name
    ).unavailable(*who)
    return None if reason is None else f"{contender.device}: {reason}"


class Prepared:
    """One cell: built, warmed up, and compared with the reference.

    Raises:
        crossover.workloads.definition.WrongResult: if the work is not equal.
    """

    def __init__(self, cell: Cell) -> None:
        from crossover.measure.sampler import Sampler
        from softmax_core.device import parse_device, pin_products, use_threads

        self.cell = cell
        pin_products()
        use_threads(cell.contender.threads)
        self._sampler = Sampler(
            cell.case,
            cell.contender.trainer,
            parse_device(cell.contender.device),
            cell.contender.threads,
            0.0,
            ALL_EPOCHS_S,
            now,
            ranks=cell.contender.ranks,
        )
        opened = self._sampler.opened
        self.calls, self.threads = opened.calls_per_sample, opened.threads
        self.loss, self.accuracy = opened.loss, opened.accuracy
        self.items = opened.items

    @property
    def has_data(self) -> bool:
        """Whether there are data to move."""
        return self._sampler.has_data

    def ready(self) -> None:
        """Prepare a sample: set the threads, wake the device, reset the weights."""
        from softmax_core.device import use_threads

        use_threads(self.cell.contender.threads)
        self._sampler.ready()

    def train(self) -> None:
        """Train all epochs once, and wait for the device."""
        self._sampler.train()
        self._sampler.synchronize()

    def train_calls(self) -> None:
        """Train `calls` times, which makes one sample, and wait for the device."""
        self._sampler.train_calls()
        self._sampler.synchronize()

    def transfer(self) -> None:
        """Move the data to the device once more, and wait for it."""
        self._sampler.move()
        self._sampler.synchronize()

    def synchronize(self) -> None:
        """Wait until the device has done all its work."""
        self._sampler.synchronize()

    def close(self) -> None:
        """Let Python collect garbage again."""
        self._sampler.close()


@dataclass
class Kept:
    """What this process keeps: the cell prepared last, and the number prepared."""

    prepared: Prepared | None = None
    builds: int = 0


kept = Kept()


def prepare(cell_id: str) -> Prepared:
    """Return a prepared cell; the one prepared last is kept and not built again.

    asv_runner 0.3 calls `setup` before every timed call, 0.2 before every sample.

    Raises:
        ValueError: for a text that names no cell.
    """
    cell = workload().parse_cell(cell_id)
    if kept.prepared is not None and kept.prepared.cell == cell:
        return kept.prepared
    release()
    kept.builds += 1
    kept.prepared = Prepared(cell)
    return kept.prepared


def release() -> None:
    """Close the cell that is kept."""
    if kept.prepared is not None:
        kept.prepared.close()
        kept.prepared = None


def train_once(cell_id: str) -> None:
    """Build a cell and train it once; asv measures the memory of that."""
    cell = workload().parse_cell(cell_id)
    who = cell.contender
    session = definition(cell.case.workload.name).session(
        cell.case, who.trainer, who.device, who.threads, who.ranks
    )
    session.move()
    session.build()
    session.run(cell.case.repeats)
    session.synchronize()


def calls_per_sample() -> int:
    """Return how often the kept cell trains in a sample; 1 if none is kept."""
    return 1 if kept.prepared is None else kept.prepared.calls


def timer() -> float:
    """Wait until the kept cell's device has nothing left to do; read the clock."""
    if kept.prepared is not None:
        kept.prepared.synchronize()
    return now()

"""asv's benchmarks of each cell: training, transfer of the data, memory, accuracy.

asv takes every name that begins with time_, track_ or peakmem_ for a benchmark,
imported ones too; so import modules here, not names.
"""

import math
from collections.abc import Callable
from typing import Any, ClassVar

from crossover.suites import cells

NAMED = cells.workload()
GRID = cells.grid(cells.cells())


def _with(**attributes: object) -> Callable[[Any], Any]:
    """Set asv's attributes on a benchmark."""

    def decorate(function: Any) -> Any:
        vars(function).update(attributes)
        return function

    return decorate


def _available(case: str, contender: str) -> None:
    """Skip a contender that cannot run here; asv then shows n/a."""
    reason = cells.unavailable(contender)
    if reason is not None:
        raise NotImplementedError(reason)


def _ready(case: str, contender: str) -> None:
    _available(case, contender)
    cells.prepare(f"{case}:{contender}").ready()


def _moving(case: str, contender: str) -> None:
    _available(case, contender)
    prepared = cells.prepare(f"{case}:{contender}")
    if not prepared.has_data:
        raise NotImplementedError("the file has no data of its own to move")
    prepared.ready()


def _judged(case: str, contender: str) -> None:
    if NAMED.is_users:
        raise NotImplementedError("a user's file has no accuracy")
    _available(case, contender)


def _on_cpu(case: str, contender: str) -> None:
    if not contender.startswith("cpu/"):
        raise NotImplementedError("a device's memory is not in the resident memory")
    _available(case, contender)


class Training:
    """The benchmarks of one cell; seconds are for a training of all the case's epochs.

    asv may call `setup` before every call. `cells.prepare` builds a cell only once, and
    the return to the initial weights is not timed.
    """

    params: ClassVar = [GRID.cases, GRID.contenders]
    param_names: ClassVar = ["case", "contender"]
    skip_params: ClassVar = GRID.skipped
    version = cells.version()
    timeout = 600
    rounds = 4
    repeat = (5, 10, 2.0)
    warmup_time = 0.1
    min_run_count = 2
    timer = staticmethod(cells.timer)

    @property
    def number(self) -> int:
        """Return how many trainings make a sample, read after `setup`."""
        return cells.calls_per_sample()

    @_with(setup=_ready)
    def time_train(self, case: str, contender: str) -> None:
        """Train the case once."""
        cells.prepare(f"{case}:{contender}").train()

    @_with(setup=_moving, number=1)
    def time_transfer(self, case: str, contender: str) -> None:
        """Move the data to the device once; on the CPU this does nothing."""
        cells.prepare(f"{case}:{contender}").transfer()

    @_with(setup=_on_cpu)
    def peakmem_train(self, case: str, contender: str) -> None:
        """Build the cell and train once, in a process that did nothing before."""
        cells.train_once(f"{case}:{contender}")

    @_with(setup=_judged, unit="share")
    def track_accuracy(self, case: str, contender: str) -> float:
        """Return the share of samples classified correctly; nan if there is none."""
        accuracy = cells.prepare(f"{case}:{contender}").accuracy
        return math.nan if accuracy is None else accuracy

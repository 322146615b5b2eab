"""Each cell's training and its data's transfer, by pytest-benchmark.

One sample is `calls` trainings (extra_info), so that none is too short for the clock.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from crossover.measure.rows import LOSS_ATOL, LOSS_RTOL
from crossover.nouns import Cell, InputError
from crossover.spec.contenders import STAND_IN
from crossover.suites import cells, facts
from softmax_core.device import accelerators

ROUNDS, WARMUP_ROUNDS = 12, 2
ACCURACY_ATOL = 0.02
NAMED = cells.workload()
Reached = dict[str, tuple[float | None, float | None]]


def measured_cells() -> tuple[Cell, ...]:
    """Return the profile's cells, for every kind of accelerator that is here too."""
    kinds = {device.type for device in accelerators()} - {STAND_IN}
    try:
        return cells.cells(more=sorted(kinds))
    except InputError as error:
        raise pytest.Collector.CollectError(str(error)) from None


# The scope keeps the two tests of a cell together: it is made ready once for both.
each_cell = pytest.mark.parametrize(
    ("case", "contender"),
    [
        pytest.param(cell.case.id, str(cell.contender), id=cell.id)
        for cell in measured_cells()
    ],
    scope="module",
)
synchronised = pytest.mark.benchmark(timer=cells.timer, disable_gc=True)


@pytest.fixture
def prepared(case: str, contender: str) -> cells.Prepared:
    """Return the cell made ready, or skip it and say why."""
    reason = cells.unavailable(contender)
    if reason is not None:
        pytest.skip(f"{case}:{contender}: {reason}")
    return cells.prepare(f"{case}:{contender}")


@pytest.fixture(scope="module")
def reached() -> Iterator[Reached]:
    """Keep each case's loss and accuracy, those of the contender measured first."""
    yield {}
    cells.release()


@each_cell
@synchronised
def test_train(
    prepared: cells.Prepared, reached: Reached, case: str, benchmark: Any
) -> None:
    """Time the training from the initial weights, once the cell does equal work."""
    loss, accuracy = reached.setdefault(case, (prepared.loss, prepared.accuracy))
    assert prepared.loss == pytest.approx(loss, rel=LOSS_RTOL, abs=LOSS_ATOL)
    assert prepared.accuracy == pytest.approx(accuracy, abs=ACCURACY_ATOL)
    benchmark.group = f"train {case}"
    benchmark.extra_info.update(facts.cell_facts(prepared, "train"))
    benchmark.pedantic(
        prepared.train_calls,
        setup=prepared.ready,
        rounds=ROUNDS,
        warmup_rounds=WARMUP_ROUNDS,
    )


@each_cell
@synchronised
def test_transfer(prepared: cells.Prepared, case: str, benchmark: Any) -> None:
    """Time one move of the data to the device; nothing to do on the CPU."""
    benchmark.group = f"transfer {case}"
    benchmark.extra_info.update(facts.cell_facts(prepared, "transfer"))
    benchmark.pedantic(prepared.transfer, rounds=ROUNDS, warmup_rounds=WARMUP_ROUNDS)

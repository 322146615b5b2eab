"""pytest-benchmark's measurements of each cell: training, and transfer of the data.

One sample is `calls` trainings (see its extra_info), so that the clock can resolve it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from crossover.files.untrusted import InputError
from crossover.measure.rows import LOSS_ATOL, LOSS_RTOL
from crossover.nouns import Cell
from crossover.spec.contenders import STAND_IN
from crossover.suites import cells, facts
from softmax_core.device import accelerators

ROUNDS, WARMUP_ROUNDS = 12, 2
ACCURACY_ATOL = 0.02
Reached = dict[str, tuple[float | None, float | None]]


def measured_cells() -> tuple[Cell, ...]:
    """Return the profile's cells, and the same for each kind of accelerator present."""
    kinds = {device.type for device in accelerators()} - {STAND_IN}
    try:
        return cells.cells(more=sorted(kinds))
    except InputError as error:
        raise pytest.Collector.CollectError(str(error)) from None


# The scope keeps the two tests of a cell together, so that it is prepared once.
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
    """Return the prepared cell; skip the test, with the reason, if it cannot run."""
    reason = cells.unavailable(contender)
    if reason is not None:
        pytest.skip(f"{case}:{contender}: {reason}")
    return cells.prepare(f"{case}:{contender}")


@pytest.fixture(scope="module")
def reached() -> Iterator[Reached]:
    """Yield each case's loss and accuracy, as the first contender reached them.

    Both are None for a user's file, whose contenders are not compared here.
    """
    yield {}
    cells.release()


@each_cell
@synchronised
def test_train(
    prepared: cells.Prepared, reached: Reached, case: str, benchmark: Any
) -> None:
    """Measure training from the initial weights; the cell must first do equal work."""
    loss, accuracy = reached.setdefault(case, (prepared.loss, prepared.accuracy))
    if loss is not None:
        assert prepared.loss == pytest.approx(loss, rel=LOSS_RTOL, abs=LOSS_ATOL)
    if accuracy is not None:
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
    """Measure one move of the data to the device; on the CPU this does nothing."""
    if not prepared.has_data:
        pytest.skip(f"{prepared.cell.id}: the file has no data of its own to move")
    benchmark.group = f"transfer {case}"
    benchmark.extra_info.update(facts.cell_facts(prepared, "transfer"))
    benchmark.pedantic(prepared.transfer, rounds=ROUNDS, warmup_rounds=WARMUP_ROUNDS)

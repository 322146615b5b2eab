"""The engine against simulated truth: small here, in full with -m simulation."""

import pytest

from crossover.selftest.promises import (
    NOISES,
    OUTCOMES,
    SPEEDUPS,
    accuracy,
    clopper_pearson,
    coverage,
    coverage_at_looks,
    false_crossovers,
    false_crossovers_at_looks,
    outcomes,
    pseudo_replication,
    simulation_table,
    step,
)

SEED = 2024


def test_a_contender_never_overtakes_itself():
    assert false_crossovers(80, SEED).ok
    assert false_crossovers_at_looks(30, SEED).ok


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("speedup", SPEEDUPS)
def test_the_interval_covers_the_truth(noise, speedup):
    assert coverage(noise, speedup, 60, SEED).ok


@pytest.mark.parametrize("speedup", SPEEDUPS[:2])
def test_the_error_is_small(speedup):
    assert accuracy(speedup, 80, SEED).ok


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcomes_are_told_apart(outcome):
    assert outcomes(outcome, 25, SEED).ok


def test_a_step_in_machine_speed_does_not_move_the_crossover():
    assert step(25, SEED).ok


def test_iterations_in_one_process_do_not_count_as_rounds():
    row = pseudo_replication(200, SEED)
    assert row.ok
    pooled = int(row.found.split("iterations: ")[1].split("%")[0])
    assert pooled > 20


def test_a_row_can_fail():
    """Noise that the engine is not made for must show."""
    assert not accuracy(1.25, 60, SEED).ok
    low, high = clopper_pearson(950, 1000, 0.95)
    assert low == pytest.approx(0.9346, abs=1e-4)
    assert high == pytest.approx(0.9627, abs=1e-4)


@pytest.mark.simulation
def test_every_promise_in_full():
    """3,000 sweeps a row, each with seeds of its own: among 18 rows of 1,000 each,
    chance alone puts one a per cent above its true coverage.
    """
    rows = simulation_table(3000, 1)
    print(*rows, sep="\n")
    assert [row for row in rows if not row.ok] == []


@pytest.mark.simulation
def test_the_interval_covers_the_truth_when_the_search_stops_early():
    for noise in NOISES:
        assert coverage_at_looks(noise, 1000, 1).ok

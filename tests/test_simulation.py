"""The engine against simulated truth: small here, in full with -m simulation.

Also against real times of which sizes are left out.
"""

import csv
import itertools
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from crossover.crossing.boundaries import boundaries
from crossover.crossing.rounding import hidden
from crossover.selftest.promises import (
    EDGES,
    GAINS,
    LAGS,
    NOISES,
    OUTCOMES,
    SPEEDUPS,
    aa,
    aa_at_looks,
    accuracy,
    clopper_pearson,
    coverage,
    coverage_at_looks,
    false_claims,
    outcomes,
    pseudo_replication,
    simulation_table,
    step,
    tied,
)
from crossover.selftest.search import search_after_tie
from crossover.selftest.simulate import SIZES, TIES, passes, tie

SEED = 2026
STAN = Path(__file__).parent / "fixtures" / "stan" / "cholesky.csv"


@pytest.mark.parametrize("law", TIES)
def test_after_a_tie_the_interval_holds_where_the_lead_begins(law):
    assert tied(law, LAGS[0], GAINS[0], 25, SEED).ok
    assert tied(law, LAGS[1], GAINS[1], 25, SEED).ok


@pytest.mark.parametrize("law", TIES)
def test_the_search_holds_where_the_lead_begins_after_a_tie(law):
    assert search_after_tie(law, LAGS[1], GAINS[1], 6, SEED).ok


@pytest.mark.simulation
@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("law", TIES)
def test_the_search_holds_it_in_all_ties(law, lag, gain):
    row = search_after_tie(law, lag, gain, 1000, SEED)
    assert row.ok, row.found


@pytest.mark.parametrize("name", EDGES)
def test_false_claims_are_rare(name):
    assert false_claims(name, 40, SEED).ok


def test_a_control_does_not_fire():
    assert aa(40, SEED).ok
    assert aa_at_looks(15, SEED).ok


@pytest.mark.parametrize("noise", NOISES)
def test_the_intervals_hold_the_truth_and_are_as_narrow_as_before(noise):
    assert coverage(noise, SPEEDUPS[1], 30, SEED).ok
    assert coverage_at_looks(noise, 25, SEED).ok


def test_the_error_is_small():
    assert accuracy(SPEEDUPS[1], 60, SEED).ok


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcomes_are_told_apart(outcome):
    assert outcomes(outcome, 20, SEED).ok


def test_a_step_in_machine_speed_does_not_move_the_boundary():
    assert step(20, SEED).ok


def test_a_row_can_fail():
    """Noise that hides so small a lead must show."""
    assert not accuracy(1.25, 40, SEED).ok
    low, high = clopper_pearson(950, 1000, 0.95)
    assert low == pytest.approx(0.9346, abs=1e-4)
    assert high == pytest.approx(0.9627, abs=1e-4)


def test_iterations_in_one_process_do_not_count_as_rounds():
    row = pseudo_replication(200, SEED)
    assert row.ok
    pooled = int(row.found.split("iterations: ")[1].split("%")[0])
    assert pooled > 20


@pytest.mark.parametrize("law", TIES)
def test_a_tie_is_level_first_and_gains_what_it_is_to(law):
    curve = tie(law, 0.01, 1.3, 500.0)
    assert curve[SIZES <= 500] == pytest.approx(np.log(0.99))
    assert curve[-1] == pytest.approx(np.log(1.3))
    assert (np.diff(curve) >= 0).all()
    start = passes(lambda sizes: tie(law, 0.01, 1.3, 500.0, sizes), np.log(1.05))
    assert 499 < start < 1300
    assert (law == "step") == (start == pytest.approx(500))


def stan_times():
    """Return seconds by (variant, device), then size: nine repetitions each."""
    times = defaultdict(lambda: defaultdict(list))
    with STAN.open() as file:
        for row in csv.DictReader(file):
            cell = times[row["variant"], row["device"]]
            cell[int(row["size"])].append(float(row["seconds"]))
    return times


def stan_answer(times, pair, sizes):
    one, other = ([np.array(times[cell][s]) for s in sizes] for cell in pair)
    ratios = [np.log(a / b) for a, b in zip(one, other, strict=True)]
    shown = hidden(one, other)
    return boundaries(
        np.array(sizes, float), ratios, 0.95, 0.05, 0, resolution=0.01, hidden=shown
    )


def test_real_intervals_hold_what_the_full_grid_finds_with_a_size_left_out():
    """The gaps are then from 100 to 1,000, or from 500 to 2,000."""
    times, held, coarse = stan_times(), [], 0
    for pair in itertools.permutations(times, 2):
        if pair[0][0] != pair[1][0]:
            continue
        sizes = sorted(times[pair[0]])
        whole = stan_answer(times, pair, sizes)
        if whole.outcome != "found":
            continue
        for left_out in (500, 1000):
            found = stan_answer(times, pair, [s for s in sizes if s != left_out])
            interval, at = found.ahead_from, whole.ahead_from.at
            assert interval.bracket[0] <= interval.at <= interval.bracket[1]
            spans = np.log(interval.high / interval.low)
            assert spans <= 1.2 * np.log(np.divide(*interval.bracket[::-1]))
            held.append(interval.low <= at <= interval.high)
            coarse += interval.is_coarse
    assert len(held) == 28
    assert coarse == 20
    assert sum(held) >= 26


@pytest.mark.simulation
def test_every_promise_in_full():
    rows = simulation_table(1000, 1)
    print(*rows, sep="\n")
    assert [row for row in rows if not row.ok] == []

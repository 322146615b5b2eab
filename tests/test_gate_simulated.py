"""How often the gate is wrong, on runs of which the truth is known.

Each run is like one of preset `smoke`: eight rounds of four sizes, times that scatter
by 1.5 %, a machine whose speed drifts by a random walk, processes that differ by 0.5 %.
"""

import numpy as np
import pytest
from two_runs import PAIR, run

from crossover.gate.changes import Limits, compare

LIMITS = Limits(fail_slower=0.05, fail_moved=1.25)


def pair(seed, machine, third=False, **slower):
    """Compare two runs; the machine's speeds differ by a factor of this deviation."""
    rng = np.random.default_rng([7, seed])
    runs = [
        run(
            2 * seed + i, sizes=(64, 256, 1024, 8192), rounds=8, noise=0.015,
            drift=0.003, process=0.005, speed=float(np.exp(rng.normal(0, machine))),
            third=third, **(slower if i else {}),
        )
        for i in range(2)
    ]  # fmt: skip
    return compare(runs, ["before", "after"], LIMITS)


def identical(pairs):
    """Count the failures of identical pairs, on a machine of quite another speed."""
    return sum(pair(seed, machine=0.1).failed for seed in range(pairs))


def found(pairs, machine, third=False):
    """Count pairs of which the contender that got 10 % slower, and no other, failed."""
    right = 0
    for seed in range(pairs):
        who, name = (("one", PAIR[0]), ("two", PAIR[1]))[seed % 2]
        compared = pair(seed, machine, third, **{who: 1.1})
        slower = {c.contender for c in compared.changes if c.verdict == "slower"}
        right += compared.failed and slower == {name}
    return right


def test_identical_runs_do_not_fail_and_slower_ones_do():
    assert identical(6) == 0
    assert found(4, machine=0.01) >= 3
    assert found(4, machine=0.1, third=True) >= 3


@pytest.mark.simulation
def test_identical_runs_fail_in_one_of_twenty_at_most():
    failed = identical(200)
    print(f"{failed} of 200 identical pairs failed")
    assert failed <= 10


@pytest.mark.simulation
@pytest.mark.parametrize(("machine", "third"), [(0.01, False), (0.1, True)])
def test_a_slowdown_of_a_tenth_is_found_with_its_direction(machine, third):
    right = found(200, machine, third)
    print(f"{right} of 200 slowdowns found; machine {machine}, third {third}")
    assert right >= 180

"""A change with convergence is one only if every training shows it."""

import pytest

from crossover.proof.steady import TURNS, change


def judged(*seconds):
    """Return the verdict on trainings, and how many were looked at."""
    looked = iter(seconds)
    found = change(lambda: next(looked))
    return found, len(seconds) - len([*looked])


@pytest.mark.parametrize("last_s", [0.85, 1.0, 1.19])
def test_one_training_whose_ends_are_alike_is_enough(last_s):
    assert judged((1.0, last_s), (1.0, 9.0)) == (None, 1)


@pytest.mark.parametrize(("last_s", "ratio"), [(1.3, 1.3), (70.0, 70.0), (0.5, 0.5)])
def test_a_change_is_seen_in_every_training(last_s, ratio):
    assert judged(*[(1.0, last_s)] * TURNS) == (pytest.approx(ratio), TURNS)


def test_another_program_that_disturbs_some_ends_is_no_change():
    assert judged((1.0, 5.0), (1.0, 4.0), (1.0, 1.0))[0] is None
    assert judged((1.0, 5.0), (6.0, 1.0))[0] is None


def test_the_fastest_of_all_trainings_are_compared():
    seconds = (3.0, 9.0), (1.0, 2.0), (2.0, 4.0), (2.0, 5.0), (1.5, 2.5)
    assert judged(*seconds)[0] == pytest.approx(2.0)
    slow = (5.0, 6.5), (1.0, 1.3), (1.0, 1.3), (1.0, 1.3), (1.1, 1.4)
    assert judged(*slow)[0] == pytest.approx(1.3)

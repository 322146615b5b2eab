"""Small tables of shapes that people have sent elsewhere, and what is right of each."""

from pathlib import Path

import pytest

from crossover.analysis.flags import advice
from crossover.crossing.answer import Settings
from crossover.sources.table.analyse import TableAsk, analyse, read_table

FIXTURES = Path(__file__).parent / "fixtures" / "tables"


def answer_of(name, rounds, time="ms"):
    """Answer a table of `cpu` and `gpu` over n as `crossover analyse` does."""
    asked = TableAsk("n", time, "device", "cpu", "gpu", rounds)
    table = read_table(FIXTURES / f"{name}.csv", asked)
    return analyse(table, asked, Settings())[0].answer


def test_a_parabola_that_leaves_the_bracket_gives_way_to_the_line():
    found = answer_of("outside_bracket", None)
    assert found.outcome == "found"
    assert found.at == pytest.approx(51.4, abs=0.05)
    assert found.flags == ("no_rounds",)
    found = answer_of("outside_bracket_rounds", "rep")
    assert found.at == pytest.approx(133, abs=0.5)
    assert 128 <= found.low < found.at < found.high < 256
    assert found.flags == ()


def test_zero_is_no_crossing():
    found = answer_of("at_zero", None)
    assert (found.outcome, found.at) == ("inconclusive", None)
    assert found.flags == ("no_rounds", "a crossing would lie below 2,048")


def test_a_clocks_steps_leave_the_low_end_open():
    found = answer_of("timer_steps", "rep", "ns")
    assert found.outcome == "found"
    assert (found.low, found.high) == (None, 1100)
    assert 110 <= found.at <= 1100
    assert found.flags == ("rounded_times: 4 different times",)
    assert "half a step" in advice(found.flags[0])


def test_whole_milliseconds_hold_a_crossing_between_two_equal_readings():
    found = answer_of("whole_milliseconds", "rep")
    assert found.outcome == "found"
    assert found.low is None
    assert 8125 < found.at < found.high < 20_000
    assert "rounded_times: 6 different times" in found.flags

"""Small tables of shapes that people have sent elsewhere, and what is right of each."""

from pathlib import Path

import pytest

from crossover.analysis.flags import advice
from crossover.crossing.answer import Settings
from crossover.sources.table.analyse import analyse
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.rows import read_table
from crossover.sources.table.text.file import read_file

FIXTURES = Path(__file__).parent / "fixtures" / "tables"


def answer_of(name, rounds, time="ms", margin=0.05):
    """Answer a table of `cpu` and `gpu` over n as `crossover analyse` does."""
    asked = TableAsk("n", time, "device", "cpu", "gpu", rounds)
    table = read_table(read_file(FIXTURES / f"{name}.csv"), asked)
    return analyse(table, asked, Settings(margin=margin))[0].answer


def test_a_parabola_that_leaves_the_bracket_gives_way_to_the_line():
    found = answer_of("outside_bracket", None, margin=0.02)
    assert found.outcome == "found"
    assert found.parity == pytest.approx(51.4, abs=0.05)
    assert found.flags == ("no_rounds", "coarse_grid: 32 and 64")
    found = answer_of("outside_bracket_rounds", "rep", margin=0.02)
    assert found.parity == pytest.approx(133, abs=0.5)
    assert 128 <= found.parity_low < found.parity < found.parity_high <= 256
    assert found.flags == ("coarse_grid: 128 and 256",)


def test_a_lead_within_the_margin_at_the_smallest_size_leaves_parity_below():
    found = answer_of("at_zero", None)
    assert (found.outcome, found.parity) == ("found", None)
    assert 1024 < found.at < 2048
    assert found.flags == ("no_rounds", "coarse_grid: 1,024 and 2,048")


def test_a_clocks_steps_leave_the_low_end_open():
    found = answer_of("timer_steps", "rep", "ns")
    assert found.outcome == "found"
    assert found.low is None
    assert 110 <= found.at <= 1100 <= found.high
    assert (found.parity_low, found.parity_high) == (None, 1100)
    assert found.flags[0] == "rounded_times: 4 different times"
    assert "half a step" in advice(found.flags[0])


def test_whole_milliseconds_hold_a_crossing_between_two_equal_readings():
    found = answer_of("whole_milliseconds", "rep")
    assert found.outcome == "found"
    assert found.low is None
    assert found.parity_low is None
    assert 8125 < found.parity < found.at < found.high == 100_000
    assert "rounded_times: 6 different times" in found.flags

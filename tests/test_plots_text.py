"""Texts and ticks of figures."""

import math

import pytest

from crossover.report.pictures.labels import drawable, name_of, plain
from crossover.report.pictures.ticks import apart, log_ticks, seconds, unit_of


def test_texts_that_the_font_lacks_are_named():
    assert drawable("a \U0001f680 b") == "a :rocket: b"
    assert drawable("\u4e2d\u6587") == "??"
    assert drawable("two\nlines\x00") == "two lines"
    assert drawable("\u200d") == "?"
    assert plain("$1") == "\\$1"
    assert name_of("cpu/best") == "cpu's best"
    assert len(name_of("x" * 80)) == 29
    assert "\u2026" in name_of("x" * 80)


def test_labelled_sizes_do_not_touch():
    assert apart([1, 100, 500, 1000, 2000, 10000]) == [1, 100, 500, 2000, 10000]
    assert apart([8]) == [8]
    assert apart([8, 64]) == [8, 64]
    assert apart([]) == []


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1e-7, 10, [1e-6, 1e-4, 0.01, 1]),
        (0.8, 120, [1, 10, 100]),
        (0.8, 12, [1, 3, 10]),
        (0.4, 3, [0.5, 1, 2]),
        (0.98, 1.06, [0.98, 1.0, 1.02, 1.04, 1.06]),
        (0, 1, []),
        (math.nan, 1, []),
    ],
)
def test_ticks_are_round_and_few(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_seconds_have_a_unit():
    values = [120.0, 1.5, 0.0123, 4.56e-6, 2e-9]
    assert [seconds(v) for v in values] == [
        "120 s",
        "1.5 s",
        "12.3 ms",
        "4.56 \u00b5s",
        "2 ns",
    ]
    assert unit_of([1e-4, 1e-2, math.nan, 0.0]) == (1e-3, "ms")
    assert unit_of([]) == (1.0, "s")

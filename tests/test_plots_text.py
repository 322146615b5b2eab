"""Texts and ticks of figures."""

import math

import pytest

from crossover.report.pictures.labels import drawable, name_of, plain
from crossover.report.pictures.ticks import apart, log_ticks
from crossover.report.words.numbers import between, lasting, reached, seconds, spanned


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
        (1e-7, 10, [1e-7, 1e-5, 1e-3, 0.1, 10]),
        (0.8, 1200, [1, 3, 10, 30, 100, 300, 1000]),
        (0.8, 12, [1, 2, 5, 10]),
        (0.4, 3, [1, 2, 3]),
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
    assert [lasting(v) for v in (13.9, 750.0, 68_040.0, 3.6e6 * 1.5)] == [
        "13.9 s", "12.5 min", "18.9 h", "1,500 h",
    ]  # fmt: skip


def test_an_interval_names_its_unit_once():
    assert between(17.0, 201.4) == "17 to 201"
    assert between(65_520, 70_560, lasting) == "18.2 to 19.6 h"
    assert between(100.0, 7200.0, lasting) == "100 s to 2 h"
    assert spanned([8, 32, 8]) == "8 to 32"
    assert spanned([8, 8]) == "8"
    assert reached(0.9921875) == "99 % interval"

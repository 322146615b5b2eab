"""Which sweeps and pairs follow from a set of cells, and how cases are named."""

import itertools
import random

import pytest

from crossover.contender import Contender
from crossover.nouns import Cell
from crossover.sources.sweeps_of_cells import clipped, pairs, sweeps
from crossover.workloads.softmax import SOFTMAX

CPU = ("cpu/resident@1", "cpu/resident@2")
FUSED, RESIDENT_2 = "cpu/fused@1", "cpu/resident@2"


def cells(cases, contenders=CPU):
    return [Cell(c, Contender.parse(t)) for c in cases for t in contenders]


def found(measured, skipped=()):
    return [
        (s.axis, s.values, s.contenders) for s in sweeps(SOFTMAX, measured, skipped)
    ]


def test_cases_that_differ_in_one_axis_are_a_sweep():
    cases = [
        SOFTMAX.case(samples=n, batch_size=b) for n in (100, 1000) for b in (1, 10)
    ]
    cases.append(SOFTMAX.case(samples=500, batch_size=3, epochs=7, features=5))
    assert found(cells(cases)) == [
        ("samples", (100, 1000), CPU),
        ("samples", (100, 1000), CPU),
        ("batch_size", (1, 10), CPU),
        ("batch_size", (1, 10), CPU),
        ("samples", (500,), CPU),  # alone, and still reported
    ]
    for sweep in sweeps(SOFTMAX, cells(cases)):
        assert set(sweep.cases().values()) <= set(cases)


def test_batches_beyond_the_samples_are_all_of_them():
    large = SOFTMAX.case(samples=100, batch_size=1000)
    cases = [SOFTMAX.case(samples=100, batch_size=10), large]
    full = large.at(batch_size=100)
    assert clipped(SOFTMAX, cases) == {large: full}
    assert clipped(SOFTMAX, [*cases, full]) == {}
    # one batch of all samples at every size: as it is
    assert clipped(SOFTMAX, [large, large.at(samples=200)]) == {}


def test_a_contender_that_ran_elsewhere_is_no_part_of_a_sweep_that_skipped_it():
    wide, narrow = (
        [SOFTMAX.case(features=f, batch_size=b) for b in (1, 10)] for f in (784, 2)
    )
    measured = cells(wide) + cells(narrow, (*CPU, "cpu/lesson@1"))
    skipped = cells(wide, ("cpu/lesson@1",)) + cells(wide + narrow, ("cuda/resident",))
    by_features = ("features", (2, 784), (*CPU, "cpu/lesson@1", "cuda/resident"))
    assert found(measured, skipped) == [
        by_features,
        by_features,
        ("batch_size", (1, 10), (*CPU, "cuda/resident")),
        ("batch_size", (1, 10), (*CPU, "cpu/lesson@1", "cuda/resident")),
    ]


@pytest.mark.parametrize(
    ("contenders", "expected"),
    [
        (CPU, [CPU]),
        (CPU[::-1], [CPU]),
        (("cpu/resident@2",), []),
        (("cpu/resident@2", "cuda/resident"), [("cpu/resident@2", "cuda/resident")]),
        (
            ("cuda/resident", "cuda/lesson", "cpu/lesson@1", *CPU),
            [
                ("cpu/resident@1", "cpu/resident@2"),
                ("cpu/lesson@1", "cpu/resident@1"),
                ("cpu/best", "cuda/lesson"),
                ("cpu/best", "cuda/resident"),
            ],
        ),
        (("cpu/resident@2", "cpu/lesson@1"), [("cpu/lesson@1", "cpu/resident@2")]),
        (("mps/resident", "cuda/resident"), [("cuda/resident", "mps/resident")]),
        (("cpu/resident", "cpu/resident@1"), [("cpu/resident@1", "cpu/resident")]),
    ],
)
def test_pairs_are_what_users_ask(contenders, expected):
    assert list(pairs(map(Contender.parse, contenders))) == expected


def test_a_case_is_what_its_name_says():
    rng = random.Random(0)
    rates = (0.03, 1e-5, 1 / 3, 0.1 + 0.2, 1e-12, 1e22, 5)
    shapes = ((6.0, 2.0), (0.5, 2), (-1 / 3, 1e-9), (2.0, 1e20))
    kinds = itertools.product(
        rates, (0.0, 0.9, 2 / 3), shapes, ("float32", "float64"), (420, 0, 2**63 - 1)
    )
    for rate, momentum, dispersion, dtype, seed in kinds:
        sizes = [rng.randrange(2, 10**9) for _ in range(5)]
        sizes[0] += 10**9
        values = (*sizes, rate, momentum, dispersion, dtype, seed)
        case = SOFTMAX.case(**dict(zip(SOFTMAX.names, values, strict=True)))
        assert SOFTMAX.parse_case(case.id) == case


def test_names_stay_as_they_were():
    assert SOFTMAX.case().id == "n1500-d2-c3-b10-e1"
    case = SOFTMAX.case(learning_rate=0.001, momentum=0.9, dispersion=(0.5, 2), seed=1)
    assert case.id == "n1500-d2-c3-b10-e1-lr0.001-m0.9-g0.5_2-s1"
    assert SOFTMAX.case(learning_rate=1e-5).id.endswith("-lr1e-05")
    assert SOFTMAX.case(learning_rate=0.12345678).id.endswith("-lr0.12345678")


@pytest.mark.parametrize(
    "text",
    [
        "", "n1500", "n1500-d2-c3-b10-e3 ", "n1500-d2-c3-b10-e3:cpu", "n0-d2-c3-b10-e3",
        "n1500-d2-c3-b10-e3-float16", "n1500-d2-c3-b10-e3-lr-1", "n\u0661-d2-c3-b10-e3",
        "n1500-d2-c3-b10-e3-lr" + "9" * 400, "n" + "9" * 5000 + "-d2-c3-b10-e3",
    ],
)  # fmt: skip
def test_what_names_no_case_is_refused(text):
    with pytest.raises(ValueError):
        SOFTMAX.parse_case(text)


def test_those_that_ran_are_compared_where_their_usual_partner_was_not_selected():
    cases = [SOFTMAX.case(batch_size=size) for size in (10, 100)]
    ran = [Cell(c, Contender.parse(t)) for c in cases for t in (FUSED, RESIDENT_2)]
    skipped = [Cell(c, Contender.parse("cpu/resident@1")) for c in cases]
    (sweep,) = sweeps(SOFTMAX, ran, skipped)
    assert sweep.pairs[0] == (FUSED, RESIDENT_2)

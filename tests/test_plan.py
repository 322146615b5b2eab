"""The search against workers whose cost is known exactly: it converges, and stops."""

import dataclasses
import math
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from builders import FakeWorker, carried_out, opened

from bench.promises.report_size import made_measurements, made_spec
from crossover.analysis.crossover import crossovers
from crossover.contender import Contender
from crossover.crossing.boundaries import NOWHERE, Answered, Boundary
from crossover.crossing.zones import Zone
from crossover.plan.next_size import Aim, Reach, next_size, roundest
from crossover.plan.plan import Known, controls, next_blocks, next_look, outermost_first
from crossover.spec.load import load_preset
from crossover.spec.resolve import resolve
from crossover.spec.spec import parse_spec

ROOT = Path(__file__).parent.parent
SPEC = {
    "name": "search",
    "control": False,
    "resolution": 0.0,
    "contenders": ["cpu/resident@1", "cpu/resident@2"],
    "pairs": [["cpu/resident@1", "cpu/resident@2"]],
    "sweep": [{"axis": "batch_size", "values": [8, 64, 512, 4096], "samples": 4096}],
}
TRUTH = 300.0
AHEAD_FROM = (1.05 * (1e-3 + 0.5e-6 * TRUTH) - 1e-3) / (1e-6 - 1.05 * 0.5e-6)
"""Where one thread takes 1.05 times as long as two."""
BEHIND_UNTIL = (1e-3 + 0.5e-6 * TRUTH - 1.05 * 1e-3) / (1.05 * 1e-6 - 0.5e-6)
"""Where two threads take 1.05 times as long as one."""


class Priced(FakeWorker):
    """Both contenders take the same at the truth; what all samples take is added up."""

    crossing, jitter = TRUTH, 0.02
    spent_s = 0.0

    def opened(self, request):
        return opened(threads=request.threads, setup_s=0.0, warmup_s=())

    def sampled(self, request):
        reply = super().sampled(request)
        Priced.spent_s += reply.sample_s
        return reply


def searched(fields, out):
    Priced.spent_s = 0.0
    return carried_out(SPEC | fields, out, Priced), Priced.spent_s


def test_the_search_narrows_the_interval_around_the_truth(tmp_path):
    run, _ = searched({"width": 1.25}, tmp_path / "run")
    found = crossovers(run)[0].answer
    assert found.outcome == "found"
    assert found.parity == pytest.approx(TRUTH, rel=0.05)
    assert found.at == pytest.approx(AHEAD_FROM, rel=0.03)
    assert found.high / found.low <= 1.25
    added = {m.case["batch_size"] for m in run.measurements} - {8, 64, 512, 4096}
    assert added
    assert all(64 < size < 512 for size in added)
    assert next_blocks(parse_spec(SPEC | {"width": 1.25}, "t"), run.measurements) == []


def test_where_a_lag_ends_is_narrowed_down_if_that_is_asked_for(tmp_path):
    runs = {
        both: searched({"width": 1.25, "both_ends": both}, tmp_path / str(both))[0]
        for both in (False, True)
    }
    found = {both: crossovers(run)[0].answer for both, run in runs.items()}
    wide = {b: a.behind_until_high / a.behind_until_low for b, a in found.items()}
    assert wide[True] <= 1.25 < wide[False]
    assert found[True].behind_until == pytest.approx(BEHIND_UNTIL, rel=0.06)
    assert found[True].high / found[True].low <= 1.25
    assert len(runs[True].measurements) > len(runs[False].measurements)


def calls_of(work):
    """Return how many functions something calls, whatever the machine's speed."""
    calls = Counter()
    sys.setprofile(lambda frame, event, argument: calls.update([event]))
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls["call"] + calls["c_call"]


def test_planning_is_linear_in_the_number_of_sweeps():
    def planned(sweeps):
        spec = made_spec(sweeps, 2).model_copy(update={"grid": False})
        rows = list(made_measurements(spec, 8))
        known = Known(spec, rows)
        assert known.next_blocks()  # what is computed once is, before the count
        return calls_of(known.next_blocks), calls_of(lambda: Known(spec, rows))

    few, many = planned(4), planned(16)
    assert [b / a for a, b in zip(few, many, strict=True)] == pytest.approx(
        [4, 4], rel=0.1
    )


def test_the_search_costs_a_fraction_of_a_grid_of_the_same_width(tmp_path):
    _, searched_s = searched({"width": 1.25}, tmp_path / "search")
    step, sizes = 1.12, [8]
    while sizes[-1] < 4096:
        sizes.append(max(sizes[-1] + 1, round(sizes[-1] * step)))
    sweep = [{**SPEC["sweep"][0], "values": [s for s in sizes if s <= 4096]}]
    grid, grid_s = searched({"grid": True, "sweep": sweep}, tmp_path / "grid")
    found = crossovers(grid)[0].answer
    assert found.high / found.low <= 1.25
    assert searched_s <= 0.15 * grid_s


LEVEL, LEADING, LOST = (-0.02, 0.02), (0.02, 0.06), (-0.5, -0.4)
"""Limits of a log-ratio."""
AIM = Aim(32, 1.25, 0.05)


def located(outcome, smallest, largest, sizes, ahead_from=NOWHERE):
    """Return zones of which those between the first and the last say nothing."""
    inner = [Zone()] * (len(sizes) - 2)
    return Answered(outcome, (smallest, *inner, largest), ahead_from)


def found_at(at, low, high, sizes):
    ends = Zone("not_ahead", -0.1, 0.01), Zone("ahead", 0.3, 0.4)
    return located("found", *ends, sizes, Boundary(at, low, high))


@pytest.mark.parametrize(
    ("at", "low", "high", "rounds", "size"),
    [
        (100.0, 95.0, 105.0, {80: 16, 120: 16}, None),
        (100.0, 95.0, 105.0, {80: 16, 120: 8}, 120),  # narrow by chance?
        (100.0, 95.0, 105.0, {8: 8, 512: 8}, 96),
        (100.0, 95.0, 105.0, {95: 8, 512: 8}, 256),
        (100.0, 50.0, 200.0, {75: 8, 125: 8}, 96),
        (100.0, 50.0, 200.0, {80: 8, 95: 8, 110: 8}, 95),
        (100.0, 50.0, 200.0, {80: 32, 95: 32, 110: 8}, 64),
        (100.0, 80.0, 120.0, {80: 32, 120: 32}, 96),  # blind between the two
        (100.0, 80.0, 150.0, {80: 32, 150: 32}, 128),
        (100.0, 80.0, 110.0, {50: 8, 80: 32, 90: 32, 100: 32, 110: 32, 190: 8}, 50),
        (100.0, 80.0, 110.0, {80: 32, 96: 32, 110: 32}, None),
        (1.5, 1.0, 2.0, {1: 32, 2: 32}, None),
    ],
)
def test_where_a_lead_begins_is_narrowed_down(at, low, high, rounds, size):
    assert next_size(found_at(at, low, high, [*rounds]), rounds, AIM) == size


def test_where_a_lag_ends_comes_after_the_lead_and_also_without_one():
    both = dataclasses.replace(AIM, both_ends=True)
    until = Boundary(100.0, 50.0, 200.0)
    wide = dataclasses.replace(
        found_at(400.0, 200.0, 800.0, [8, 75, 512]), behind_until=until
    )
    rounds = {8: 8, 75: 8, 512: 8}
    assert next_size(wide, rounds, both) == next_size(wide, rounds, AIM) == 192
    narrow = dataclasses.replace(wide, ahead_from=Boundary(512.0, 500.0, 530.0))
    narrow_rounds = {8: 8, 75: 8, 480: 32, 512: 32}
    assert next_size(narrow, narrow_rounds, AIM) is None
    assert next_size(narrow, narrow_rounds, both) == 96
    never = located("never", Zone("behind", *LOST), NOT, [*rounds])
    never = dataclasses.replace(never, behind_until=until)
    assert next_size(never, rounds, AIM) is None
    assert next_size(never, rounds, both) == 96


AHEAD, NOT = Zone("ahead", 0.3, 0.4), Zone("not_ahead", -0.1, 0.01)
REACH = Reach(2, 2048)


@pytest.mark.parametrize(
    ("outcome", "smallest", "largest", "rounds", "reach", "size"),
    [
        ("always", AHEAD, AHEAD, {8: 8, 512: 8}, Reach(), None),
        ("always", AHEAD, AHEAD, {8: 8, 512: 8}, REACH, 2),
        ("inconclusive", Zone("not_behind", *LEADING), AHEAD, {8: 8, 512: 8}, REACH, 2),
        ("inconclusive", Zone("not_behind", *LEADING), AHEAD, {8: 8, 512: 8}, Reach(),
         8),
        ("inconclusive", Zone("not_behind", *LEADING), AHEAD, {8: 32, 512: 8}, Reach(),
         None),
        ("never", NOT, NOT, {8: 8, 512: 8}, REACH, None),  # it does not gain
        ("never", Zone("behind", *LOST), NOT, {8: 8, 512: 8}, REACH, 2048),
        ("never", Zone("behind", *LOST), NOT, {8: 8, 512: 8}, Reach(2), None),
        ("never", Zone("behind", *LOST), NOT, {257: 8, 512: 8}, REACH, None),
        ("inconclusive", NOT, Zone(high=1.0, low=-1.0), {8: 8, 512: 8}, REACH, None),
        ("inconclusive", NOT, Zone(high=0.2, low=-0.1), {8: 8, 512: 8}, REACH, 512),
        ("inconclusive", NOT, Zone(high=0.2, low=-0.1), {8: 8, 512: 32}, REACH, None),
        ("inconclusive", NOT, Zone(), {8: 8, 512: 8}, Reach(), 512),
        ("inconclusive", NOT, Zone("not_behind", *LEVEL), {8: 8, 512: 8}, REACH, None),
        ("not_monotone", AHEAD, NOT, {8: 8, 512: 8}, REACH, None),
    ],
)  # fmt: skip
def test_rounds_go_where_a_lead_may_be_and_never_prove_equality(
    outcome, smallest, largest, rounds, reach, size
):
    found = located(outcome, smallest, largest, [*rounds])
    assert next_size(found, rounds, AIM, reach) == size


@pytest.mark.parametrize(
    ("target", "size"),
    [(1.5, 2), (13.7, 16), (21.0, 24), (45.3, 48), (100.0, 96), (1000.0, 1024)],
)
def test_new_sizes_are_round_in_binary(target, size):
    assert roundest(target) == size


@pytest.mark.parametrize("near", [1.05, 1.2, 1.5])
def test_the_roundest_size_is_divisible_by_two_most_often(near):
    for target in [*range(1, 300), 0.4, 7.5, 99.9, 12345.6]:
        size = roundest(target, near)
        low = min(max(1, round(target)), math.ceil(target / near))
        high = max(1, round(target), math.floor(target * near))
        others = set(range(max(1, low), high + 1)) - {size}
        assert max(1, low) <= size <= high
        assert all(n & -n < size & -size for n in others)


def test_a_size_of_any_length_is_found_at_once():
    assert roundest(1e15) == 2**50
    assert roundest(11.0 * 2**70) % 2**70 == 0


def test_the_control_fits_into_a_tenth_of_the_time():
    spec = resolve(load_preset("quick"), (), 2)
    chosen = controls(spec)
    assert len(chosen) >= 2
    assert len({contender for _, contender in chosen}) == 1
    assert all(contender.copy == 1 for _, contender in chosen)
    blocks = next_blocks(spec, [])
    cases = {case for case, _ in chosen}
    held = [b for b in blocks if any(c.copy for c in b.contenders)]
    assert {b.case for b in held} == cases
    share = sum(b.expected_s / len(b.contenders) for b in held)
    assert share <= 0.15 * sum(b.expected_s for b in blocks)


def test_no_control_when_the_spec_says_so():
    assert controls(parse_spec(SPEC, "t")) == []


def test_a_copy_has_its_own_name_and_is_never_the_best():
    copy = Contender.parse("cpu/resident@1#1")
    assert str(copy) == "cpu/resident@1#1"
    assert not Contender.parse("cpu/best").covers(copy)


def test_no_look_is_taken_that_the_error_is_not_split_over():
    assert [next_look(n) for n in (0, 8, 12, 16, 24, 32)] == [8, 16, 16, 32, 32, 40]


def test_the_ends_come_first():
    assert outermost_first(5) == [0, 4, 2, 1, 3]


SPECS = [
    *sorted(ROOT.glob("crossover/spec/presets/*.toml")),
    *sorted(ROOT.glob("crossover/suites/profiles/*.toml")),
    ROOT / "results" / "reference.toml",
]


@pytest.mark.parametrize(
    "path", SPECS, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_pair_differs_in_its_trainers_or_its_threads(path):
    """Two threads of one trainer against one of another would answer nothing."""
    written = tomllib.loads(path.read_text())
    asked = [written, *written["sweep"]]
    pairs = [tuple(pair) for part in asked for pair in part.get("pairs", [])]
    assert pairs
    for pair in pairs:
        if all(
            text.startswith("cpu/") and "x" not in text.partition("@")[2]
            for text in pair
        ):
            trainers, threads = zip(*(text.split("@") for text in pair), strict=True)
            assert trainers[0] == trainers[1] or threads[0] == threads[1], pair

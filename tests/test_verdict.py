"""The verdict on the lesson's claim, from evidence written by hand."""

import dataclasses

import pytest

from crossover.lesson.decides import decisive
from crossover.lesson.evidence import (
    Code,
    Cost,
    Evidence,
    Whole,
    ahead_from,
    break_even_steps,
    interval_of,
)
from crossover.lesson.sections import sections
from crossover.lesson.verdict import OUTCOMES, lasting, outcome, reasons, span, verdict

STEPS = 109_800_000
US = 1e-6
SPREAD = (0.98, 0.99, 0.99, 1.0, 1.0, 1.0, 1.0, 1.01, 1.01, 1.02)


def code(name, floor_us, row_us, setup_s=0.0, steps=1000):
    """Return a code of known cost, measured with 2 % noise whose median is 1."""
    costs = []
    for batch in (5, 50, 500, 5000):
        step_s = (floor_us + row_us * batch) * US
        costs.append(Cost(batch, steps, tuple(steps * step_s * s for s in SPREAD)))
    return Code(name, setup_s, tuple(costs))


LOOP = code("the loop on the CPU", 350, 10, 0.5)  # 400 us at batch 5: 12.2 h
FUSED = code("fused", 0.1, 0.005, 1.0, 900_000)
ALL = Whole(((STEPS // 2, 7.175), (STEPS // 2, 7.525)), 0.803)


def evidence(gpu=None, loop=LOOP, fused_whole=ALL, **more):
    missing = "" if gpu else "torch was built without CUDA"
    return Evidence(STEPS, 60_000, 2, loop, FUSED, gpu, missing, fused_whole, **more)


def gpu(floor_us, row_us=0.1, setup_s=4.5):
    return code("the loop on the GPU", floor_us, row_us, setup_s)


def test_an_interval_s_ends_are_values_and_its_confidence_is_the_one_reached():
    found = interval_of([*range(1, 10), 1000])
    assert (found.middle, found.low, found.high) == (5.5, 2, 9)
    assert found.confidence == pytest.approx(1 - 2 * 11 / 1024)
    few = interval_of([1.0, 2.0, 3.0])
    assert (few.low, few.high, few.confidence) == (1, 3, 0.75)


def test_parts_of_a_known_cost_are_found():
    assert LOOP.fit() == pytest.approx((350 * US, 10 * US), rel=1e-9)
    assert LOOP.total_s(STEPS) == pytest.approx(0.5 + STEPS * 400 * US)
    cost = Cost(5, 10, (1.0, 1.0, 1.5, 1.5))
    assert cost.halves == 1.5
    assert cost.step_s.middle == cost.mean_s == 0.125


def test_late_steps_are_compared_with_early_ones():
    rounds = tuple((epochs, 2.0 * epochs) for epochs in range(1, 61))
    assert Whole(rounds).halves == 1
    slower = (*rounds[:59], (60, 240.0))
    late = sum(range(43, 60)) * 2 + 240
    steps = sum(range(43, 61))
    assert Whole(slower).halves == pytest.approx(late / steps / 2)
    assert (ALL.seconds, ALL.steps) == (14.7, STEPS)
    assert ALL.halves == pytest.approx(7.525 / 7.175)


def test_break_even_is_the_start_over_the_gain_of_a_step():
    assert break_even_steps(LOOP, gpu(199.5)) == pytest.approx(4 / 200e-6)
    assert break_even_steps(LOOP, gpu(500)) is None
    assert break_even_steps(LOOP, gpu(100, setup_s=0.1)) == 0


def test_the_batch_size_from_which_on_another_code_is_ahead():
    assert ahead_from(LOOP, gpu(700)) == 50
    assert ahead_from(LOOP, gpu(4500)) == 500
    assert ahead_from(LOOP, gpu(100)) == 5
    assert ahead_from(LOOP, gpu(100, 20)) is None


@pytest.mark.parametrize(
    ("given", "named", "said"),
    [
        (evidence(), "code_decides", "torch was built without CUDA"),
        (evidence(loop=code("x", 50, 1)), "not_measured", "built without CUDA"),
        (evidence(gpu(639.5)), "cpu_ahead", "so the CPU stays ahead"),
        (evidence(gpu(399.5)), "undecided", "which may be as long"),
        (evidence(gpu(199.5)), "ahead_before", "after 8.5 s of the CPU's work"),
        (evidence(gpu(99.5, setup_s=0.2)), "ahead_before", "from the first step on"),
        (evidence(gpu(199.5, setup_s=7200.5)), "near", "about the 4 hours"),
        (evidence(gpu(199.5, setup_s=18000.5)), "ahead_after", "after 10 h"),
    ],
)
def test_the_verdict_follows_from_the_numbers(given, named, said):
    assert outcome(given) == named
    assert verdict(given) == f"{OUTCOMES[named]}. {reasons(given, named)}"
    assert said in verdict(given)


def test_without_a_gpu_the_code_is_told_from_the_job():
    said = verdict(evidence())
    assert said.startswith("Not supported by anything measured here. The job that ")
    assert (
        "would take 12.2 h with the lesson's loop, over 4 hours, takes 14.7 s" in said
    )
    assert "2,988 x as fast. So it is the code that takes over 4 hours" in said
    assert "alike (of 109,800,000 steps, late ones took 1.05 x" in said
    slower = Whole(((STEPS // 2, 7.0), (STEPS // 2, 8.0)))
    assert "alike (though of 109,800,000 steps, late ones took 1.14 x" in verdict(
        evidence(fused_whole=slower)
    )
    short = verdict(evidence(fused_whole=None))
    assert "would take 13.7 s on one core" in short
    assert "late ones" not in short
    under = verdict(evidence(loop=code("x", 50, 1)))
    assert "would take 101 min with the lesson's loop, under 4 hours" in under
    assert "So it is the code" not in under


def test_a_gpu_that_loses_or_wins_is_told_with_its_numbers():
    lost = verdict(evidence(gpu(639.5)))
    assert "takes 1.6 x (97 % interval 1.6 to 1.6) as long on the GPU" in lost
    assert "19.5 h on the GPU against 12.2 h." in lost
    assert "With fused, that core is 4,781 x as fast as the GPU with the loop." in lost
    won = verdict(evidence(gpu(199.5)))
    assert won.startswith(
        "True here, but not because of the 4 hours. A step of batch 5"
    )
    assert "6.1 h on the GPU against 12.2 h." in won
    slow = evidence(gpu(0.05, 0.001, 0.1))
    assert "core is 0.418 x as fast as the GPU" in verdict(slow)


def told(given):
    """Return every text under the verdict, by section."""
    return {
        s.anchor: " ".join(
            [*s.paragraphs, *(t.caption for t in s.tables)]
            + [cell for t in s.tables for row in t.rows for cell in row]
        )
        for s in sections(given)
    }


def test_sections_hold_what_was_and_what_was_not_measured():
    parts = told(evidence())
    assert list(parts) == ["predicted", "decides", "scaled", "full", "missing"]
    assert "36 million steps, or 600 epochs of 60,000" in parts["predicted"]
    assert "10,000 0.0091 % 4 s 12.2 h 12.1 to 12.3 h 12.2 h" in parts["scaled"]
    assert "14.7 s 134 ns 0.803 1.05 x 2,988" in parts["full"]
    assert "GPU: not measured: torch was built without CUDA." in parts["missing"]
    assert "--full" not in parts["missing"]
    assert "disagree" not in parts["scaled"]


def test_sections_with_a_gpu_have_its_rows():
    half = STEPS // 2, 7.1 * 1800
    whole = Whole((half, half), 0.8)
    parts = told(evidence(gpu(199.5), fused_whole=None))
    assert "not measured" not in parts["missing"].lower()
    assert parts["missing"].count("ask for it with --full") == 2
    assert "the loop on the GPU 10,000" in parts["scaled"]
    assert "made up for its start after 20,000 steps, 8.5 s" in parts["decides"]
    full = told(evidence(gpu(199.5), gpu_whole=whole))["full"]
    assert "the lesson's loop on the GPU 7.1 h 233 µs 0.800" in full
    behind = told(evidence(gpu(900)))["decides"]
    assert "At batch 5 no number of steps brings the loop on the GPU ahead" in behind
    assert "from a batch size of 500 on" in behind


def test_halves_that_disagree_are_said_to():
    rising = tuple(0.4 * (1 + i / 20) for i in range(10))
    costs = (Cost(5, 1000, rising), *LOOP.costs[1:])
    loop = dataclasses.replace(LOOP, costs=costs)
    assert "disagree" in told(evidence(loop=loop))["scaled"]


def test_the_table_by_steps_ends_at_the_whole_job():
    table = decisive(evidence(gpu(199.5))).tables[2]
    assert table.head[1:] == (LOOP.name, "the loop on the GPU", FUSED.name)
    assert table.rows[0] == ("1", "500 ms", "4.5 s (8.99)", "1 s (2)")
    last = table.rows[-1]
    assert last[:3] == ("109,800,000", "12.2 h", "6.1 h (0.5)")


@pytest.mark.parametrize(
    ("value", "text"),
    [(13.9, "13.9 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (0.1, "100 ms")],
)
def test_how_durations_are_written(value, text):
    assert lasting(value) == text


def test_an_interval_keeps_one_unit_where_it_can():
    assert span(interval_of([36000.0] * 6 + [37800.0])) == "10 to 10.5 h"
    assert span(interval_of([60.0, 600.0])) == "60 s to 10 min"

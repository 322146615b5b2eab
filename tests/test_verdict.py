"""The verdict on the lesson's claim, from runs of workers whose cost is known."""

from dataclasses import replace

import pytest
from lesson_run import GPU, evidence

from crossover.lesson import large
from crossover.lesson.evidence import FUSED, LOOP, STEPS, Whole
from crossover.lesson.sections import sections
from crossover.lesson.verdict import OUTCOMES, outcome, reasons, share, verdict
from crossover.report.words.numbers import lasting

ALL = Whole(((STEPS // 2, 7.175), (STEPS // 2, 7.525)), 0.803)


@pytest.fixture(autouse=True)
def _no_gpu_here(monkeypatch):
    monkeypatch.setattr(large, "gpu_missing", lambda: "torch was built without CUDA")


@pytest.fixture
def usual():
    return evidence()


def gpu(floor_us, row_us=0.1, setup_s=4.5):
    return evidence((floor_us, row_us, setup_s))


def told(given):
    """Return every text under the verdict, by section."""
    return {
        s.anchor: " ".join(
            [*s.paragraphs, *(t.caption for t in s.tables)]
            + [cell for t in s.tables for row in t.rows for cell in row]
        )
        for s in sections(given)
    }


def test_the_engine_s_run_has_the_steps_of_the_job_and_finds_a_known_cost(usual):
    assert STEPS == 109_800_000
    assert usual.job_s(LOOP) == pytest.approx(STEPS * 400e-6)
    job = usual.times[LOOP][5]
    assert (job.low_s, job.high_s) == pytest.approx(
        (0.98 * job.median_s, 1.02 * job.median_s)
    )
    assert job.confidence == 1 - 2 / 2**6
    assert usual.total_s(LOOP, 1000) == pytest.approx(0.5 + 0.4)
    parts = usual.costs[LOOP].parts
    assert parts["per_step"].seconds == pytest.approx(350e-6, rel=1e-3)
    assert parts["per_row"].seconds == pytest.approx(10e-6, rel=1e-3)
    assert usual.timed(LOOP) == 2 * 6 * 1000
    assert (list(usual.times), usual.threads) == ([LOOP, FUSED], 2)


def test_late_steps_are_compared_with_early_ones():
    rounds = tuple((epochs, 2.0 * epochs) for epochs in range(1, 61))
    assert Whole(rounds, 0.8).lateness == 1
    slower = (*rounds[:59], (60, 240.0))
    late = sum(range(43, 60)) * 2 + 240
    steps = sum(range(43, 61))
    assert Whole(slower, 0.8).lateness == pytest.approx(late / steps / 2)
    assert ALL.seconds == 14.7
    assert ALL.lateness == pytest.approx(7.525 / 7.175)


@pytest.mark.parametrize(
    ("codes", "named", "said"),
    [
        ({}, "code_decides", "torch was built without CUDA"),
        ({"loop": (50, 1, 0.5)}, "not_measured", "torch was built without CUDA"),
        ({"gpu": (639.5, 0.1, 4.5)}, "cpu_ahead", "no number of steps brings the GPU"),
        ({"gpu": (639.5, 0.1, 0.1)}, "cpu_ahead", "ahead only up to 1,670 steps"),
        ({"gpu": (399.5, 0.1, 4.5)}, "undecided", "not clear who is done first"),
        ({"gpu": (199.5, 0.1, 4.5)}, "ahead_before", "after 20,000 steps"),
        ({"gpu": (99.5, 0.1, 0.2)}, "ahead_before", "from the first step on"),
        ({"gpu": (199.5, 0.1, 7200.5)}, "near", "4 h of the CPU's work"),
        ({"gpu": (199.5, 0.1, 18000.5)}, "ahead_after", "10 h of the CPU's work"),
    ],
)
def test_the_verdict_follows_from_the_numbers(codes, named, said):
    given = evidence(**codes)
    assert outcome(given) == named
    assert verdict(given) == f"{OUTCOMES[named]}. {reasons(given)}"
    assert said in verdict(given)


def test_without_a_gpu_the_code_is_told_from_the_job(usual):
    whole = verdict(replace(usual, wholes={FUSED: ALL}))
    assert whole.startswith("Not supported by anything measured here. The job that ")
    assert "would take 12.2 h with the lesson's loop, over 4 hours, takes 14.7" in whole
    assert "2,990 x as fast. So it is the code that takes over 4 hours" in whole
    assert "alike (of 109,800,000 steps, late ones took 1.05 x" in whole
    slower = Whole(((STEPS // 2, 7.0), (STEPS // 2, 8.0)), 0.8)
    assert "alike (though of 109,800,000 steps, late ones took 1.14 x" in verdict(
        replace(usual, wholes={FUSED: slower})
    )
    part = verdict(usual)
    assert "would take 13.7 s on one core" in part
    assert "late ones" not in part
    under = verdict(evidence(loop=(50, 1, 0.5)))
    assert "would take 101 min with the lesson's loop, under 4 hours" in under
    assert "So it is the code" not in under


def test_a_gpu_that_loses_or_wins_is_told_with_its_numbers():
    lost = verdict(gpu(639.5))
    assert "takes 640 µs on the GPU and 400 µs on the CPU, 1.6 x as" in lost
    assert "19.5 h on the GPU against 12.2 h." in lost
    assert "With fused, that core is 5,120 x as fast as the GPU with the loop." in lost
    won = verdict(gpu(199.5))
    assert won.startswith("True here, but not because of the 4 hours. A step of batch")
    assert "6.1 h on the GPU against 12.2 h." in won
    assert "core is 0.44 x as fast as the GPU" in verdict(gpu(0.05, 0.001, 0.1))


def test_what_fails_is_named_and_the_rest_is_told():
    given = evidence((199.5, 0.1, 4.5), fused=None)
    assert given.missing == {FUSED: "unavailable: broken"}
    assert outcome(given) == "ahead_before"
    assert "fused" not in verdict(given)
    broken = evidence(gpu=False, fused=None)
    assert broken.missing == {
        FUSED: "unavailable: broken",
        "GPU": "unavailable: broken",
    }
    assert outcome(broken) == "not_measured"
    assert "was not measured: unavailable: broken." in verdict(broken)


def test_sections_hold_what_was_and_what_was_not_measured(usual):
    parts = told(replace(usual, wholes={FUSED: ALL}))
    assert list(parts) == ["predicted", "decides", "scaled", "full", "missing"]
    assert "36 million steps, or 600 epochs of 60,000" in parts["predicted"]
    assert "cpu/lesson 12,000 0.011 % 12.2 h 12 h to 12.4 h" in parts["scaled"]
    assert "cpu/fused@1 14.7 s 134 ns 0.803 1.05 x 2,990" in parts["full"]
    assert "GPU: not measured: torch was built without CUDA." in parts["missing"]
    assert "--full" not in parts["missing"]
    assert "ask for it with --full" in told(usual)["full"]


def test_sections_with_a_gpu_have_its_rows():
    half = STEPS // 2, 7.1 * 1800
    given = gpu(199.5)
    parts = told(given)
    assert "not measured" not in parts["missing"].lower()
    assert parts["missing"].count("ask for it with --full") == 2
    assert "cuda/lesson 12,000" in parts["scaled"]
    assert (
        "the GPU has made up for its start after 20,000 steps (95" in parts["decides"]
    )
    full = told(replace(given, wholes={GPU: Whole((half, half), 0.8)}))["full"]
    assert "cuda/lesson 7.1 h 233 \u00b5s 0.800" in full
    behind = told(gpu(900))["decides"]
    assert "At batch 5, no number of steps brings the GPU ahead" in behind
    assert "over batch sizes, the GPU is ahead from" in behind


def test_the_table_by_steps_ends_at_the_whole_job():
    table = sections(gpu(199.5))[1].tables[2]
    assert table.head == ("steps", LOOP, FUSED, GPU)
    assert table.rows[0] == ("1", "500 ms", "1 s (2)", "4.5 s (8.99)")
    assert table.rows[-1][::3] == ("109,800,000", "6.1 h (0.5)")


@pytest.mark.parametrize(
    ("value", "text"),
    [(13.9, "13.9 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (0.1, "100 ms")],
)
def test_how_durations_are_written(value, text):
    assert lasting(value) == text


def test_an_interval_s_confidence_is_not_rounded_up():
    assert share(0.96875) == "96.8 % interval"
    assert share(0.95) == "95 % interval"

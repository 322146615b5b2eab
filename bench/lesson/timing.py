"""The lesson's two timings: its own loop, timed on one device.

The published seconds are another machine's, so nothing here is checked against them.
"""

from collections.abc import Callable
from itertools import islice

from bench.lesson.claims import Row, not_checked
from bench.lesson.tasks import Task
from bench.measure.clock import measured_s

SMALL_ROUNDS = range(20)
SMALL_STEPS = 150
"""Steps of an epoch of 1,500 rows in batches of 10."""
LARGE_ROUNDS = range(1, 61)
LARGE_STEPS = 60_000
"""Steps of an epoch of 300,000 rows in batches of 5."""
TAKEN_STEPS = 12_000
"""Of the 109.8 million, unless the large job is run in full."""
WARMUP_STEPS = 1_000


def timing_small(task: Task) -> list[Row]:
    """Time the library's training on overlapping classes, whole."""
    from softmax_core.experiments import HARD, seeded_job

    job = seeded_job(HARD, task.device)
    job.fit(1)
    seconds = _seconds(task, lambda: [job.fit(i) for i in SMALL_ROUNDS])
    task.seen(sum(SMALL_ROUNDS))
    steps = sum(SMALL_ROUNDS) * SMALL_STEPS
    text = f"{seconds:.2f} s, {1e6 * seconds / steps:.0f} us a step"
    published = "8.63 s, another machine", "14.39 s, another machine"
    what = "190 epochs of 150 steps"
    return _rows("timing-small", what, task, published, text)


def timing_large(task: Task) -> list[Row]:
    """Time the lesson's large job: a stated part of its loop, scaled.

    In full, the CPU also takes every step, with trainer fused; another device takes
    them with the lesson's loop itself.
    """
    steps = sum(LARGE_ROUNDS) * LARGE_STEPS
    what = f"{steps / 1e6:.1f} million steps of batch 5"
    fused: list[Row] = []
    if task.full and task.device.type != "cpu":
        text = _whole(task)
    else:
        seconds, text = _extrapolated(task, steps)
        if task.full:
            fused = [_fused(task, what, steps, seconds)]
    claim = Row(
        "timing-large", "once a job takes over 4 hours, the GPU is faster",
        "no figure", "", "",
        "not measured: crossover run measures from which batch size on it is",
    )  # fmt: skip
    rows = _rows("timing-large", what, task, ("no figure",) * 2, text)
    return [*rows, *fused, claim]


def _whole(task: Task) -> str:
    from softmax_core.experiments import large_job

    job = large_job(task.device)

    def rounds() -> None:
        for epochs in LARGE_ROUNDS:
            job.fit(epochs)
            task.seen(epochs * LARGE_STEPS / SMALL_STEPS)

    return f"{_seconds(task, rounds) / 3600:.2f} h"


def _fused(task: Task, what: str, steps: int, loop_s: float) -> Row:
    """Take every step of the job with trainer fused, on one core; its set-up apart."""
    from softmax_core import Case, evaluate, get_trainer
    from softmax_core.data import Data
    from softmax_core.experiments import LEARNING_RATE, large_job

    job = large_job(task.device)
    data = Data(job.features, job.labels.flatten().long())
    samples, features = data.X.shape
    case = Case(
        samples, features, int(data.y.max()) + 1, job.batch_size, sum(LARGE_ROUNDS),
        LEARNING_RATE, job.momentum,
    )  # fmt: skip
    trainer = get_trainer("fused")

    def set_up() -> None:
        trainer.prepare(case, data, threads=1).train(1)

    def rounds() -> None:
        for epochs in LARGE_ROUNDS:
            session.train(epochs)
            task.seen(epochs * LARGE_STEPS / SMALL_STEPS)

    setup_s = _seconds(task, set_up)
    session = trainer.prepare(case, data, threads=1)
    seconds = _seconds(task, rounds)
    _, accuracy = evaluate(*session.weights(), data)
    return not_checked(
        "timing-large", f"CPU: all {what}, trainer fused on one core", "no figure",
        f"{seconds:.1f} s, {1e6 * seconds / steps:.3f} us a step, accuracy "
        f"{accuracy:.3f}; {loop_s / seconds:,.0f} x as fast as the loop; set-up "
        f"and first epoch {setup_s:.1f} s",
    )  # fmt: skip


def _extrapolated(task: Task, steps: int) -> tuple[float, str]:
    """Time two halves of the steps taken, so that they can be seen to agree.

    Returns the seconds that all steps would take, and the same in words.
    """
    from softmax_core.experiments import large_job
    from softmax_core.lesson import fit

    job = large_job(task.device)
    # One pass, so that the shuffle, 0.1 % of an epoch, falls into the warm-up.
    batches = iter(job.batches)

    def take(count: int) -> None:
        fit(job.net, job.criterion, job.optimizer, islice(batches, count), 1)

    take(WARMUP_STEPS)
    halves = []
    for _ in range(2):
        halves.append(_seconds(task, lambda: take(TAKEN_STEPS // 2)))
        task.seen(TAKEN_STEPS / 2 / SMALL_STEPS)
    step_s = sum(halves) / TAKEN_STEPS
    return step_s * steps, (
        f"{step_s * steps / 3600:.2f} h extrapolated from {TAKEN_STEPS:,} steps, "
        f"{1e6 * step_s:.0f} us each (second half {halves[1] / halves[0]:.2f} x the "
        "first)"
    )


def _seconds(task: Task, work: Callable[[], object]) -> float:
    from softmax_core.device import synchronize

    return measured_s(work, lambda: synchronize(task.device))


def _rows(
    name: str, what: str, task: Task, published: tuple[str, str], measured: str
) -> list[Row]:
    """Return a row for the CPU and one for the GPU; one of them was measured."""
    import torch

    from softmax_core.device import unavailable_reason

    if task.device.type == "cpu":
        here, other, missing = "CPU", "cuda", unavailable_reason(torch.device("cuda"))
        measured = f"{measured}, {torch.get_num_threads()} threads"
    else:
        here, other, missing = "GPU", "cpu", None
    reason = missing or f"ask for it with --device {other}"
    return [
        not_checked(name, f"{kind}: {what}", text, measured)
        if kind == here
        else Row(name, f"{kind}: {what}", text, "", "", f"not measured: {reason}")
        for kind, text in zip(("CPU", "GPU"), published, strict=True)
    ]

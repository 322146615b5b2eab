"""The lesson's two timings: its own loop, timed on one device.

The published seconds are another machine's, so nothing here is checked against them.
"""

from functools import partial

from crossover.lesson.claims import Row, unjudged
from crossover.lesson.evidence import BATCH_SIZE, FUSED, LOOP, STEPS, Evidence
from crossover.lesson.large import SMALL_STEPS, in_full, measured_evidence
from crossover.lesson.tasks import SMALL_EPOCHS, Task, gpu_missing, hard

LARGE = f"{STEPS / 1e6:.1f} million steps of batch {BATCH_SIZE}"
CLAIM = "once a job takes over 4 hours, the GPU is faster"


def timing_small(task: Task) -> list[Row]:
    """Time the library's training on overlapping classes, which `hard` does."""
    import torch

    if task.hard_s is None:
        from softmax_core.experiments import HARD, seeded_job

        seeded_job(HARD, task.device).fit(1)  # loads what a first training loads
        hard(task)
        task.rounds.clear()
    took_s = task.hard_s or 0.0
    a_step = 1e6 * took_s / (SMALL_EPOCHS * SMALL_STEPS)
    measured = f"{took_s:.2f} s, {a_step:.0f} us a step"
    here, missing = "GPU", "ask for it with --device cpu"
    if task.device.type == "cpu":
        here, missing = "CPU", gpu_missing()
        measured = f"{measured}, {torch.get_num_threads()} threads"
    published = {"CPU": "8.63 s, another machine", "GPU": "14.39 s, another machine"}
    return [
        unjudged(
            "timing-small", f"{kind}: {SMALL_EPOCHS} epochs of {SMALL_STEPS} steps",
            measured, "" if kind == here else missing, text,
        )
        for kind, text in published.items()
    ]  # fmt: skip


def timing_large(task: Task) -> list[Row]:
    """Time a part of the lesson's large job by the engine, and what it comes to.

    On another device than the CPU, the loop there as well. In full, trainer fused takes
    every step on the CPU, and the loop on such a device.
    """
    from crossover.lesson.verdict import OUTCOMES, outcome

    e = measured_evidence(task)
    if LOOP not in e.times:
        why = e.missing[LOOP]
        return [_large(what, "", why) for what in (f"CPU: {LARGE}", CLAIM)]
    task.evidence = e
    for fuller in in_full(task, e) if task.full else ():
        task.evidence = e = fuller
    missing, decided = e.missing.get("GPU", ""), OUTCOMES[outcome(e)]
    measured = f"{_loop(e, LOOP)}, {e.threads} threads"
    return [
        _large(f"CPU: {LARGE}", measured),
        _large(f"GPU: {LARGE}", "" if missing else _loop(e, e.gpu), missing),
        *_fused(e),
        _large(CLAIM, decided, missing),
    ]


_large = partial(unjudged, "timing-large")


def _fused(e: Evidence) -> list[Row]:
    whole = e.wholes.get(FUSED)
    if whole is None:
        return []
    text = (
        f"{whole.seconds:.1f} s, {1e6 * whole.seconds / STEPS:.3f} us a step, accuracy "
        f"{whole.accuracy:.3f}; {e.job_s(LOOP) / whole.seconds:,.0f} x as fast as the "
        f"loop; start {e.total_s(FUSED, 0):.1f} s"
    )
    return [_large(f"CPU: all {LARGE}, trainer fused on one core", text)]


def _loop(e: Evidence, name: str) -> str:
    """Say how long the job takes with the lesson's loop."""
    from crossover.lesson.verdict import share

    job, whole, doubts = e.times[name][BATCH_SIZE], e.wholes.get(name), e.doubts(name)
    middle, low, high = (s / 3600 for s in (job.median_s, job.low_s, job.high_s))
    every = f"{whole.seconds / 3600:.2f} h, every step; " if whole else ""
    return (
        f"{every}{middle:.2f} h extrapolated from {e.timed(name):,} steps, "
        f"{1e6 * job.median_s / STEPS:.0f} us each ({share(job.confidence)} "
        f"{low:.2f} to {high:.2f} h{'; doubtful: ' * bool(doubts)}{doubts})"
    )

"""The lesson's two timings: its own loop, timed on one device.

The published seconds are another machine's, so nothing here is checked against them.
"""

import dataclasses

from crossover.lesson.claims import Row, not_checked
from crossover.lesson.evidence import BATCH_SIZE, Code, Evidence
from crossover.lesson.large import (
    SMALL_STEPS,
    measured_evidence,
    taken_by_fused,
    taken_by_loop,
    waited_s,
)
from crossover.lesson.tasks import Task, gpu_missing

SMALL_ROUNDS = range(20)


def timing_small(task: Task) -> list[Row]:
    """Time the library's training on overlapping classes, whole."""
    from softmax_core.experiments import HARD, seeded_job

    job = seeded_job(HARD, task.device)
    job.fit(1)
    seconds = waited_s(task.device, lambda: [job.fit(i) for i in SMALL_ROUNDS])
    task.seen(sum(SMALL_ROUNDS))
    steps = sum(SMALL_ROUNDS) * SMALL_STEPS
    text = f"{seconds:.2f} s, {1e6 * seconds / steps:.0f} us a step"
    published = "8.63 s, another machine", "14.39 s, another machine"
    what = "190 epochs of 150 steps"
    return _rows("timing-small", what, task, published, text)


def timing_large(task: Task) -> list[Row]:
    """Time the lesson's large job: a stated part of its loop, scaled.

    On another device than the CPU, the loop there as well. In full, trainer fused takes
    every step on the CPU, and the loop on such a device.
    """
    from crossover.lesson.verdict import OUTCOMES, outcome

    task.evidence = e = measured_evidence(task)
    if task.full:
        # each is kept as soon as it is there, in case that the next is interrupted
        task.evidence = e = dataclasses.replace(e, fused_whole=taken_by_fused(task))
        if e.gpu is not None:
            task.evidence = e = dataclasses.replace(e, gpu_whole=taken_by_loop(task))
    what = f"{e.steps / 1e6:.1f} million steps of batch {BATCH_SIZE}"
    missing = f"not measured: {e.gpu_missing}"
    gpu = Row("timing-large", f"GPU: {what}", "no figure", "", "", missing)
    if e.gpu is not None:
        gpu = not_checked("timing-large", gpu.what, "no figure", _loop(e, e.gpu))
    if e.gpu_whole is not None:
        took = f"{e.gpu_whole.seconds / 3600:.2f} h"
        gpu = dataclasses.replace(gpu, measured=f"{took}, every step; {gpu.measured}")
    measured = f"{_loop(e, e.loop)}, {e.threads} threads"
    claim = Row(
        "timing-large", "once a job takes over 4 hours, the GPU is faster",
        "no figure", "" if e.gpu is None else OUTCOMES[outcome(e)], "",
        missing if e.gpu is None else "not checked",
    )  # fmt: skip
    return [
        not_checked("timing-large", f"CPU: {what}", "no figure", measured),
        gpu,
        *_fused(e, what),
        claim,
    ]


def _fused(e: Evidence, what: str) -> list[Row]:
    whole = e.fused_whole
    if whole is None:
        return []
    faster = e.loop.total_s(e.steps) / whole.seconds
    text = (
        f"{whole.seconds:.1f} s, {1e6 * whole.seconds / whole.steps:.3f} us a step, "
        f"accuracy {whole.accuracy:.3f}; {faster:,.0f} x as fast as the loop; set-up "
        f"and first epoch {e.fused.setup_s:.1f} s"
    )
    name = f"CPU: all {what}, trainer fused on one core"
    return [not_checked("timing-large", name, "no figure", text)]


def _loop(e: Evidence, code: Code) -> str:
    from crossover.lesson.verdict import share

    cost = code.at(BATCH_SIZE)
    total = cost.step_s.times(e.steps / 3600)
    return (
        f"{total.middle:.2f} h extrapolated from {cost.steps * len(cost.seconds):,} "
        f"steps, {1e6 * cost.step_s.middle:.0f} us each ({share(total)} "
        f"{total.low:.2f} to {total.high:.2f} h; second half {cost.halves:.2f} x the "
        "first)"
    )


def _rows(
    name: str, what: str, task: Task, published: tuple[str, str], measured: str
) -> list[Row]:
    """Return a row for the CPU and one for the GPU; one of them was measured."""
    import torch

    if task.device.type == "cpu":
        here, reason = "CPU", gpu_missing()
        measured = f"{measured}, {torch.get_num_threads()} threads"
    else:
        here, reason = "GPU", "ask for it with --device cpu"
    return [
        not_checked(name, f"{kind}: {what}", text, measured)
        if kind == here
        else Row(name, f"{kind}: {what}", text, "", "", f"not measured: {reason}")
        for kind, text in zip(("CPU", "GPU"), published, strict=True)
    ]

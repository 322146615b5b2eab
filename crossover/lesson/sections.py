"""The sections under the verdict: pure, `Evidence` in, paragraphs and tables out."""

from crossover.lesson.decides import codes, decisive
from crossover.lesson.evidence import (
    AGREE,
    BATCH_SIZE,
    CLAIMED_S,
    Code,
    Evidence,
    Whole,
)
from crossover.lesson.verdict import lasting, share, span
from crossover.report.words.document import Section
from crossover.report.words.numbers import seconds
from crossover.report.words.table import Table


def sections(e: Evidence) -> tuple[Section, ...]:
    """Return all sections, in the order in which they are read."""
    return predicted(e), decisive(e), scaled(e), in_full(e), not_measured(e)


def predicted(e: Evidence) -> Section:
    """Say what follows if the claim is true."""
    step_s = e.loop.at(BATCH_SIZE).step_s.middle
    steps = CLAIMED_S / step_s
    return Section(
        "predicted",
        "What the claim predicts",
        (
            "Who is ahead depends on how long the job takes. So at the same batch "
            "size, features and classes, more epochs turn the GPU from the slower "
            "one into the faster one, where the CPU has worked for 4 hours.",
            f"With the {seconds(step_s)} a step that the loop takes here, those are "
            f"{steps / 1e6:,.3g} million steps, or {steps / e.epoch_steps:,.3g} epochs "
            f"of {e.epoch_steps:,}.",
        ),
    )


def scaled(e: Evidence) -> Section:
    """Say what was measured of the lesson's loop, and what it scales to."""
    loops = [code for code in codes(e) if code is not e.fused]
    said = [
        f"The halves of {code.name} disagree: the machine was busy or warming up, and "
        "its figure is worth little."
        for code in loops
        if abs(code.at(BATCH_SIZE).halves - 1) > AGREE
    ]
    cost = e.loop.at(BATCH_SIZE)
    head = (
        "code", "steps taken", "share", "took", "all would take", "interval",
        "by the mean", "second half against first",
    )  # fmt: skip
    return Section(
        "scaled",
        "Measured of the lesson's loop, and scaled",
        (
            f"Of the {e.steps:,} steps, {len(cost.seconds)} chunks were taken on "
            f"{e.threads} thread{'s' * (e.threads > 1)}. The figure is the chunks' "
            f"median with its {share(cost.step_s)}: it holds for the machine as it was "
            "in those seconds, and not for what hours of other work on it would "
            "change. The mean counts slow chunks in full.",
            *said,
        ),
        (
            Table(
                f"Part of the {e.steps:,} steps of batch {BATCH_SIZE}",
                head,
                tuple(_part(e, code) for code in loops),
            ),
        ),
    )


def _part(e: Evidence, code: Code) -> tuple[str, ...]:
    cost = code.at(BATCH_SIZE)
    taken = cost.steps * len(cost.seconds)
    total = cost.step_s.times(e.steps)
    return (
        code.name, f"{taken:,}", f"{100 * taken / e.steps:.2g} %",
        lasting(sum(cost.seconds)), lasting(total.middle), span(total),
        lasting(cost.mean_s * e.steps), f"{cost.halves:.2f} x",
    )  # fmt: skip


def in_full(e: Evidence) -> Section:
    """Say what was measured of the whole job."""
    loop_s = e.loop.total_s(e.steps)
    found = [
        (e.fused.name, e.fused_whole),
        ("the lesson's loop on the GPU", e.gpu_whole),
    ]
    rows = [_whole_row(name, whole, loop_s) for name, whole in found if whole]
    if not rows:
        said = f"Not measured: ask for it with --full. {_fused_scaled(e)}"
        return Section("full", "Measured in full", (said,))
    return Section(
        "full",
        "Measured in full",
        (
            "Every step was taken, from the first weights to the last. Late steps "
            "against early ones show whether the length of a job changes its steps.",
        ),
        (
            Table(
                f"All {e.steps:,} steps of batch {BATCH_SIZE}",
                (
                    "code", "took", "a step", "accuracy", "late step against early",
                    "times as fast as the loop, scaled",
                ),
                tuple(rows),
            ),
        ),
    )  # fmt: skip


def _fused_scaled(e: Evidence) -> str:
    total = e.fused.at(BATCH_SIZE).step_s.times(e.steps)
    return f"Scaled from chunks, {e.fused.name} would take {span(total)}."


def _whole_row(name: str, whole: Whole, loop_s: float) -> tuple[str, ...]:
    accuracy = "" if whole.accuracy is None else f"{whole.accuracy:.3f}"
    return (
        name, lasting(whole.seconds), seconds(whole.seconds / whole.steps), accuracy,
        f"{whole.halves:.2f} x", f"{loop_s / whole.seconds:,.0f}",
    )  # fmt: skip


def not_measured(e: Evidence) -> Section:
    """Say what is missing, and why."""
    said = [f"The loop on the CPU in full: {lasting(e.loop.total_s(e.steps))} of work."]
    if e.gpu is None:
        said.append(f"GPU: not measured: {e.gpu_missing}.")
    elif e.gpu_whole is None:
        said.append("The loop on the GPU in full: ask for it with --full.")
    if e.fused_whole is None:
        said.append("Trainer fused in full: ask for it with --full.")
    said.append(
        "The best code of each device, other features and classes, and the crossover "
        "with its interval: crossover run."
    )
    return Section("missing", "Not measured, and why", tuple(said))

"""The lesson's claim against what was measured: pure, `Evidence` in, words out.

The claim is that the time a job takes decides who is faster. With two codes that cost
`fixed + steps x step`, more steps turn a slower one into a faster one only where its
steps are the shorter ones, and then at fixed costs / gain a step, wherever that lies.
"""

from crossover.analysis.breakeven import BreakEven
from crossover.lesson.evidence import (
    BATCH_SIZE,
    CLAIMED_S,
    FUSED,
    LOOP,
    STEPS,
    Evidence,
)
from crossover.report.words.names import people
from crossover.report.words.numbers import lasting, number, seconds
from crossover.report.words.sentences import answer, joined

OUTCOMES = {
    "not_measured": "Not decided here",
    "code_decides": "Not supported by anything measured here",
    "cpu_ahead": "Not supported",
    "undecided": "Not decided",
    "ahead_before": "True here, but not because of the 4 hours",
    "near": "Supported here",
    "ahead_after": "Not supported",
}
"""How the verdict begins; see `outcome`."""
FOLLOWS = {
    "cpu_ahead": "More steps multiply both, so the CPU stays ahead, over 4 hours as "
    "below.",
    "undecided": "So neither is known to be ahead.",
    "ahead_before": "So jobs of over 4 hours are faster on the GPU, and so are jobs "
    "far below.",
    "near": "That is about the 4 hours of the claim.",
    "ahead_after": "That is not at 4 hours.",
}
"""What follows from the numbers of a GPU."""
NEAR = 2.0
"""A break-even within this factor of the 4 hours is what the claim says."""
AGREE = 0.1
"""Late steps are said to last as long as early ones if they differ by less."""


def outcome(e: Evidence) -> str:
    """Return which of `OUTCOMES` the numbers make it.

    not_measured: no GPU was measured. code_decides: nor was one, but the same CPU does
    in less than 4 hours the job for which the loop takes longer. cpu_ahead, undecided:
    the GPU's steps are not the shorter ones, or it is not clear. ahead_before, near,
    ahead_after: they are, and the GPU makes up for its fixed costs before, at about, or
    after the 4 hours.
    """
    if not e.has_gpu:
        fused = e.fused_s()
        is_code = fused is not None and fused < CLAIMED_S < e.job_s(LOOP)
        return "code_decides" if is_code else "not_measured"
    found = e.break_evens.get(e.gpu)
    if found is None or found.outcome == "inconclusive":
        return "undecided"
    if found.outcome in ("never", "loses_from"):
        return "cpu_ahead"
    if found.outcome == "at_once" or _after_s(found) < CLAIMED_S / NEAR:
        return "ahead_before"
    return "near" if _after_s(found) <= CLAIMED_S * NEAR else "ahead_after"


def verdict(e: Evidence) -> str:
    """Return the verdict as one paragraph."""
    return f"{OUTCOMES[outcome(e)]}. {reasons(e)}"


def reasons(e: Evidence) -> str:
    """Return what the outcome rests on, in sentences."""
    code = _code_not_job(e)
    if not e.has_gpu:
        return (
            f"{code}More steps multiply the time of both sides alike{_late(e)}: all "
            "that they can make up for is a dearer start. Whether a step of batch "
            f"{BATCH_SIZE} is shorter on a GPU was not measured: {e.missing['GPU']}."
        )
    here, there = (e.job_s(name) for name in (LOOP, e.gpu))
    return (
        f"{_step(e)} {turn(e, e.gpu)} {FOLLOWS[outcome(e)]} The whole job: "
        f"{lasting(there)} on the GPU against {lasting(here)}. {code}"
    ).rstrip()


def _step(e: Evidence) -> str:
    """Say how long a step of the loop takes on the GPU against the CPU."""
    here, there = (seconds(e.job_s(name) / STEPS) for name in (LOOP, e.gpu))
    s = next(
        s for s in e.result.speedups if (s.challenger, s.size) == (e.gpu, BATCH_SIZE)
    )
    low, high = number(1 / s.high), number(1 / s.low)
    return (
        f"A step of batch {BATCH_SIZE} takes {there} on the GPU and {here} on the CPU, "
        f"{number(1 / s.speedup)} x as long ({share(s.confidence)} {low} to {high})."
    )


def _late(e: Evidence) -> str:
    """Say how constant a step was, where every one was taken."""
    if FUSED not in e.wholes:
        return ""
    late = e.wholes[FUSED].lateness
    said = f"of {STEPS:,} steps, late ones took {late:.2f} x an early one's time"
    if abs(late - 1) > AGREE:
        return f" (though {said}: the machine was busy, or it does not hold here)"
    return f" ({said})"


def _code_not_job(e: Evidence) -> str:
    """Say how long the job takes with a better code, on the same CPU."""
    loop, fused = e.job_s(LOOP), e.fused_s()
    if fused is None:
        return ""
    over = "over" if loop > CLAIMED_S else "under"
    takes = "takes" if FUSED in e.wholes else "would take"
    said = (
        f"The job that would take {lasting(loop)} with the lesson's loop, {over} 4 "
        f"hours, {takes} {lasting(fused)} on one core with trainer fused: "
        f"{number(loop / fused)} x as fast. "
    )
    if fused < CLAIMED_S < loop:
        said += "So it is the code that takes over 4 hours, not the job. "
    if e.has_gpu:
        ratio = number(e.job_s(e.gpu) / fused)
        said += f"With fused, that core is {ratio} x as fast as the GPU with the loop. "
    return said


def turn(e: Evidence, name: str) -> str:
    """Say where a code overtakes the loop: in the batch size, and in steps."""
    c = e.crossovers[name]
    a, b = people(LOOP, name)
    found, steps = e.break_evens.get(name), "it is not clear who is done first"
    if found is not None and found.outcome != "inconclusive":
        steps = {
            "pays_from": f"{b.text} has made up for its start after {_steps(found)}",
            "at_once": f"{b.text} is ahead from the first step on",
            "loses_from": f"{b.text} is ahead only up to {_steps(found)}",
            "never": f"no number of steps brings {b.text} ahead",
        }[found.outcome]
    said = joined(answer(c, a, b))
    over = f"over {c.line.workload.size(c.axis).axis_words}s"
    return f"By the time of a step, {over}, {said}. At batch {BATCH_SIZE}, {steps}."


def _steps(found: BreakEven) -> str:
    """Write the steps of a break-even, their interval, and the time of the CPU."""
    at, low, high = (
        None if rows is None else number(rows / BATCH_SIZE)
        for rows in (found.trained, found.trained_low, found.trained_high)
    )
    ends = f"{low or 'the first'} to {high or 'no end'}"
    return (
        f"{at} steps ({share(found.confidence)} {ends}), {lasting(_after_s(found))} of "
        "the CPU's work"
    )


def _after_s(found: BreakEven) -> float:
    """Return how long the CPU has worked until a break-even."""
    return found.baseline_fixed_s + (found.repeats or 0) * found.baseline_repeat_s


def share(confidence: float) -> str:
    """Name an interval by the confidence that it reaches: `96.8 % interval`."""
    return f"{int(1000 * confidence + 1e-6) / 10:g} % interval"

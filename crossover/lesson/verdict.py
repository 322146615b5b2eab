"""The lesson's claim against what was measured: pure, `Evidence` in, words out.

The claim is that the time a job takes decides who is faster. With two codes that cost
`fixed + steps x step`, more steps turn a slower one into a faster one only where its
steps are the shorter ones, and then at fixed costs / gain a step, wherever that lies.
"""

import math

from crossover.lesson.evidence import (
    AGREE,
    BATCH_SIZE,
    CLAIMED_S,
    NEAR,
    Evidence,
    Interval,
    break_even_steps,
)
from crossover.report.words.numbers import seconds

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


def outcome(e: Evidence) -> str:
    """Return which of `OUTCOMES` the numbers make it.

    not_measured: there is no GPU row. code_decides: nor is there one, but the same CPU
    does the job in less than the 4 hours that the loop takes longer than. cpu_ahead,
    undecided: the GPU's steps are not the shorter ones, or it is not clear.
    ahead_before, near, ahead_after: they are, and its fixed costs are made up for
    before, at about, or after the 4 hours.
    """
    ratio = e.gpu_ratio
    if e.gpu is None or ratio is None:
        decided = fused_s(e) < CLAIMED_S < e.loop.total_s(e.steps)
        return "code_decides" if decided else "not_measured"
    if ratio.low > 1:
        return "cpu_ahead"
    steps = break_even_steps(e.loop, e.gpu)
    if ratio.high >= 1 or steps is None:
        return "undecided"
    at_s = e.loop.total_s(steps)
    if at_s < CLAIMED_S / NEAR:
        return "ahead_before"
    return "near" if at_s <= CLAIMED_S * NEAR else "ahead_after"


def verdict(e: Evidence) -> str:
    """Return the verdict as one paragraph."""
    which = outcome(e)
    return f"{OUTCOMES[which]}. {reasons(e, which)}"


def reasons(e: Evidence, which: str) -> str:
    """Return what an outcome rests on, in sentences."""
    if e.gpu is not None:
        return f"{_measured(e, which)} {_code_not_job(e)}"
    return (
        f"{_code_not_job(e)} More steps multiply the time of both sides "
        f"alike{_late(e)}: all that they can make up for is a dearer start. Whether a "
        f"step of batch {BATCH_SIZE} is shorter on a GPU was not measured: "
        f"{e.gpu_missing}."
    )


def _late(e: Evidence) -> str:
    """Say how constant a step was, where every one was taken."""
    if e.fused_whole is None:
        return ""
    late = e.fused_whole.halves
    said = (
        f"of {e.fused_whole.steps:,} steps, late ones took {late:.2f} x an early one's"
    )
    if abs(late - 1) > AGREE:
        return f" (though {said} time: the machine was busy, or it does not hold here)"
    return f" ({said} time)"


def _measured(e: Evidence, which: str) -> str:
    assert e.gpu is not None
    assert e.gpu_ratio is not None
    here, there = (c.at(BATCH_SIZE).step_s.middle for c in (e.loop, e.gpu))
    steps = break_even_steps(e.loop, e.gpu)
    compared = (
        f"A step of batch {BATCH_SIZE} takes {times(e.gpu_ratio)} as long on the GPU "
        f"({seconds(there)}) as on the CPU ({seconds(here)})"
    )
    totals = (
        f"{lasting(e.gpu.total_s(e.steps))} on the GPU against "
        f"{lasting(e.loop.total_s(e.steps))}"
    )
    if which == "cpu_ahead":
        return (
            f"{compared}, and so does each of the {e.steps:,} of the job: {totals}. "
            "More steps multiply both, so the CPU stays ahead, over 4 hours as below."
        )
    if which == "undecided" or steps is None:
        return f"{compared}, which may be as long. All steps would take {totals}."
    even = lasting(e.loop.total_s(steps))
    if which == "ahead_before":
        since = f"after {even} of the CPU's work" if steps else "from the first step on"
        return (
            f"{compared}. The GPU has made up for its start {since}, so jobs of over 4 "
            f"hours are faster there, and so are jobs far below. The whole job: "
            f"{totals}."
        )
    claimed = "about the 4 hours of the claim" if which == "near" else "not 4 hours"
    return (
        f"{compared}. The GPU has made up for its start after {even} of the CPU's "
        f"work, {claimed}. The whole job: {totals}."
    )


def _code_not_job(e: Evidence) -> str:
    """Say how long the job takes with a better code, on the same CPU."""
    loop, fused = e.loop.total_s(e.steps), fused_s(e)
    taken = "takes" if e.fused_whole else "would take"
    which = "over" if loop > CLAIMED_S else "under"
    said = (
        f"The job that would take {lasting(loop)} with the lesson's loop, {which} 4 "
        f"hours, {taken} {lasting(fused)} on one core with trainer fused: "
        f"{factor(loop / fused)} x as fast."
    )
    if fused < CLAIMED_S < loop:
        said += " So it is the code that takes over 4 hours, not the job."
    if e.gpu is not None:
        gpu = e.gpu.total_s(e.steps)
        said += (
            f" With fused, that core is {factor(gpu / fused)} x as fast as the GPU "
            "with the loop."
        )
    return said


def fused_s(e: Evidence) -> float:
    """Return the seconds of all steps with fused: measured, or scaled from chunks."""
    if e.fused_whole is not None:
        return e.fused_whole.seconds
    return e.steps * e.fused.at(BATCH_SIZE).step_s.middle


def lasting(value: float) -> str:
    """Write seconds as people do: `13.9 s`, `12.5 min`, `18.9 h`."""
    for unit, name in ((3600.0, "h"), (60.0, "min")):
        if value >= 2 * unit:
            return f"{value / unit:,.3g} {name}"
    return seconds(value)


def span(interval: Interval) -> str:
    """Write an interval of seconds, the ends in the same unit: `18.2 to 19.6 h`."""
    low, high = lasting(interval.low), lasting(interval.high)
    unit = high.rpartition(" ")[2]
    return f"{low.removesuffix(f' {unit}')} to {high}"


def times(ratio: Interval) -> str:
    """Write a factor with its interval."""
    ends = f"{ratio.low:.3g} to {ratio.high:.3g}"
    return f"{ratio.middle:.3g} x ({share(ratio)} {ends})"


def factor(value: float) -> str:
    """Write a factor to three digits, or to the last digit before the point."""
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def share(interval: Interval) -> str:
    """Name an interval by the confidence that it reaches: `97 % interval`."""
    return f"{math.floor(100 * interval.confidence + 1e-9)} % interval"

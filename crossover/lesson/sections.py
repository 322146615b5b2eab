"""The sections under the verdict: pure, `Evidence` in, paragraphs and tables out."""

from crossover.crossing.cost_fit import Ranged
from crossover.lesson.evidence import (
    BATCH_SIZE,
    CLAIMED_S,
    EPOCH_STEPS,
    LOOP,
    STEPS,
    Evidence,
    steps_of,
)
from crossover.lesson.verdict import share, turn
from crossover.report.words.document import Section
from crossover.report.words.numbers import lasting, number, seconds
from crossover.report.words.table import Table

US = 1e-6


def sections(e: Evidence) -> tuple[Section, ...]:
    """Return all sections, in the order in which they are read."""
    return predicted(e), decisive(e), scaled(e), in_full(e), not_measured(e)


def predicted(e: Evidence) -> Section:
    """Say what follows if the claim is true."""
    step_s = e.job_s(LOOP) / STEPS
    steps = CLAIMED_S / step_s
    said = (
        "Who is ahead depends on how long the job takes. So at the same batch size, "
        "features and classes, more epochs turn the GPU from the slower one into the "
        "faster one, where the CPU has worked for 4 hours.",
        f"With the {seconds(step_s)} a step that the loop takes here, those are "
        f"{number(steps / 1e6)} million steps, or {number(steps / EPOCH_STEPS)} epochs "
        f"of {EPOCH_STEPS:,}.",
    )
    return Section("predicted", "What the claim predicts", said)


def decisive(e: Evidence) -> Section:
    """Say what the cost of a step depends on, with the numbers measured."""
    said = (
        "A job takes fixed + steps x (cost per step + cost per row x batch size). "
        "The cost per step is that of its launches and of the code around them. "
        "Epochs and samples only set the number of steps, which multiplies both "
        "sides alike: with more steps the ratio of two codes goes to that of one "
        "step, and stays there. The one thing more steps make up for is a dearer "
        "start. Batch size, features and classes change the step itself.",
        *(turn(e, name) for name in e.times if name != LOOP),
    )
    tables = _by_batch(e), _costs(e), _by_steps(e)
    return Section("decides", "What decides", said, tables)


def _by_batch(e: Evidence) -> Table:
    rows = []
    for size in e.times[LOOP]:
        cells = ["not measured"] * len(e.times)
        for i, times in enumerate(e.times.values()):
            if size in times:
                t = times[size]
                step = Ranged(t.median_s, t.low_s, t.high_s).over(steps_of(t.case))
                a_row = number((step.seconds or 0) / US / size)
                cells[i] = f"{_microseconds(step)} ({a_row})"
        rows.append((f"{size:,}", *cells))
    caption = (
        "Microseconds a step by batch size: median and interval; in brackets, a row"
    )
    return Table(caption, ("batch size", *e.times), tuple(rows))


def _microseconds(cost: Ranged) -> str:
    """Write a cost with its interval, as far as it is known."""
    middle, low, high = (
        None if s is None else number(s / US)
        for s in (cost.seconds, cost.low, cost.high)
    )
    if middle is None:
        return "unknown" if high is None else f"at most {high}"
    return f"{middle}, {low} to {high}"


def _costs(e: Evidence) -> Table:
    """Return the costs; a cost that no code has is left out."""
    costs = [c for name, c in e.costs.items() if name in e.times]
    parts = {
        p: p.replace("_", " ") for c in costs for p, r in c.parts.items() if r.high
    }
    rows = (
        (
            str(c.contender),
            "unknown" if c.setup.seconds is None else seconds(c.setup.seconds),
            *(_microseconds(c.parts[part]) for part in parts),
            "unknown" if c.fit_error is None else f"{100 * c.fit_error:.0f} %",
        )
        for c in costs
    )
    return Table(
        "The parts of the cost in microseconds with their intervals, fitted to all "
        "sizes measured",
        ("code", "start", *parts.values(), "fit off by at most"),
        tuple(rows),
    )


def _by_steps(e: Evidence) -> Table:
    rows = []
    for steps in (1, *(10**power for power in range(3, 8)), STEPS):
        loop_s, *others = (e.total_s(name, steps) for name in e.times)
        ratios = (f"{lasting(o)} ({number(o / loop_s)})" for o in others)
        rows.append((f"{steps:,}", lasting(loop_s), *ratios))
    return Table(
        f"Time by number of steps of batch {BATCH_SIZE}, start included, from the "
        "measured start and step; in brackets, times the loop's",
        ("steps", *e.times),
        tuple(rows),
    )


def scaled(e: Evidence) -> Section:
    """Say what was timed of the lesson's batches, and what it scales to."""
    job = e.times[LOOP][BATCH_SIZE]
    said = [
        f"Of the {STEPS:,} steps a part was timed in {job.rounds} rounds, in which the "
        "codes took turns, each in a process of its own; the loop had "
        f"{e.threads} thread{'s' * (e.threads != 1)}. The figure is the median of the "
        f"rounds with its {share(job.confidence)}: it holds for the machine as it was "
        "in those seconds, and not for what hours of other work on it would change."
    ]
    rows = []
    for name, times in e.times.items():
        job, timed = times[BATCH_SIZE], e.timed(name)
        if e.doubts(name):
            said.append(f"The time of {name} is doubtful: {e.doubts(name)}.")
        rows.append((
            name, f"{timed:,}", f"{100 * timed / STEPS:.2g} %", lasting(job.median_s),
            f"{lasting(job.low_s)} to {lasting(job.high_s)}",
        ))  # fmt: skip
    head = "code", "steps timed", "share", "all would take", "interval"
    caption = f"Part of the {STEPS:,} steps of batch {BATCH_SIZE}"
    table = Table(caption, head, tuple(rows))
    return Section("scaled", "Measured in part, and scaled", tuple(said), (table,))


def in_full(e: Evidence) -> Section:
    """Say what was measured of the whole job."""
    rows = tuple(
        (
            name, lasting(whole.seconds), seconds(whole.seconds / STEPS),
            f"{whole.accuracy:.3f}", f"{whole.lateness:.2f} x",
            number(e.job_s(LOOP) / whole.seconds),
        )
        for name, whole in e.wholes.items()
    )  # fmt: skip
    said = (
        "Every step was taken, from the first weights to the last. Late steps against "
        "early ones show whether the length of a job changes its steps."
        if rows
        else "Not measured: ask for it with --full."
    )
    head = (
        "code", "took", "a step", "accuracy", "late step against early",
        "times as fast as the loop, scaled",
    )  # fmt: skip
    tables = (Table(f"All {STEPS:,} steps of batch {BATCH_SIZE}", head, rows),)
    return Section("full", "Measured in full", (said,), tables * bool(rows))


def not_measured(e: Evidence) -> Section:
    """Say what is missing, and why."""
    said = (
        f"The loop on the CPU in full: {lasting(e.job_s(LOOP))} of work.",
        *(f"{name}: not measured: {why}." for name, why in e.missing.items()),
        *(
            f"{name} in full: ask for it with --full."
            for name in e.times
            if name not in (LOOP, *e.wholes)
        ),
        "The best code of each device, other features and classes, and the crossover "
        "to a narrow interval: crossover run.",
    )
    return Section("missing", "Not measured, and why", said)

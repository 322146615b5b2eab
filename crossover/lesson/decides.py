"""What the time of a job depends on, with the numbers measured: `Evidence` in."""

from crossover.lesson.evidence import (
    BATCH_SIZE,
    Code,
    Evidence,
    ahead_from,
    break_even_steps,
)
from crossover.lesson.verdict import lasting
from crossover.report.words.document import Section
from crossover.report.words.numbers import seconds
from crossover.report.words.table import Table

US = 1e-6


def codes(e: Evidence) -> tuple[Code, ...]:
    """Return what was measured in chunks, the loop first."""
    return (e.loop, e.fused) if e.gpu is None else (e.loop, e.gpu, e.fused)


def decisive(e: Evidence) -> Section:
    """Say what the cost of a step depends on, with the numbers measured."""
    return Section(
        "decides",
        "What decides",
        (
            "A job takes fixed + steps x (cost per step + cost per row x batch size). "
            "The cost per step is that of its launches and of the code around them. "
            "Epochs and samples only set the number of steps, which multiplies both "
            "sides alike: with more steps the ratio of two codes goes to that of one "
            "step, and stays there. The one thing more steps make up for is a dearer "
            "start. Batch size, features and classes change the step itself.",
            *(_turn(e.loop, other) for other in codes(e)[1:]),
        ),
        (_by_batch(e), _fits(e), _by_steps(e)),
    )


def _turn(loop: Code, other: Code) -> str:
    """Say where a code overtakes the loop: in steps, and in the batch size."""
    steps = break_even_steps(loop, other)
    sizes = [cost.batch_size for cost in other.costs]
    size = ahead_from(loop, other)
    at = (
        f"at no batch size of {min(sizes):,} to {max(sizes):,}"
        if size is None
        else f"at every batch size measured, {min(sizes):,} to {max(sizes):,}"
        if size == min(sizes)
        else f"from a batch size of {size:,} on, of those measured"
    )
    by_size = f"By the time of a step, {other.name} is ahead of {loop.name} {at}."
    if steps is None:
        return (
            f"At batch {BATCH_SIZE} no number of steps brings {other.name} ahead. "
            f"{by_size}"
        )
    if steps == 0:
        return (
            f"{by_size} Its start is no dearer, so it is ahead from the first step on."
        )
    return (
        f"{by_size} At batch {BATCH_SIZE} it has made up for its start after "
        f"{steps:,.0f} steps, {lasting(loop.total_s(steps))} of work."
    )


def _by_batch(e: Evidence) -> Table:
    names = codes(e)
    return Table(
        "Microseconds a step by batch size: median and interval; in brackets, a row",
        ("batch size", *(code.name for code in names)),
        tuple(
            (f"{cost.batch_size:,}", *(_step(code, cost.batch_size) for code in names))
            for cost in e.loop.costs
        ),
    )


def _step(code: Code, batch_size: int) -> str:
    found = code.at(batch_size).step_s.times(1 / US)
    return (
        f"{_three(found.middle)}, {_three(found.low)} to {_three(found.high)} "
        f"({_three(found.middle / batch_size)})"
    )


def _fits(e: Evidence) -> Table:
    rows = []
    for code in codes(e):
        floor_s, row_s = code.fit()
        off = max(
            abs((floor_s + row_s * c.batch_size) / c.step_s.middle - 1)
            for c in code.costs
        )
        rows.append(
            (
                code.name, seconds(code.setup_s), _three(floor_s / US),
                _three(row_s / US), f"{100 * off:.0f} %",
            )
        )  # fmt: skip
    return Table(
        "The parts of the cost, fitted to the table above; the start was timed once",
        ("code", "start", "us per step", "us per row", "fit off by at most"),
        tuple(rows),
    )


def _by_steps(e: Evidence) -> Table:
    names = codes(e)
    sizes = [10**power for power in (0, 3, 4, 5, 6, 7) if 10**power < e.steps]
    rows = []
    for steps in (*sizes, e.steps):
        loop_s = e.loop.total_s(steps)
        others = [code.total_s(steps) for code in names[1:]]
        ratios = (f"{lasting(o)} ({_three(o / loop_s)})" for o in others)
        rows.append((f"{steps:,}", lasting(loop_s), *ratios))
    return Table(
        f"Time by number of steps of batch {BATCH_SIZE}, start included, from the "
        "measured start and step; in brackets, times the loop's",
        ("steps", *(code.name for code in names)),
        tuple(rows),
    )


def _three(value: float) -> str:
    """Write a number to three digits."""
    return f"{float(f'{value:.3g}'):,.10g}"

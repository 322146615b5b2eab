"""The lesson's large job: the engine times a part of it; in full, every step is taken.

The job has 300,000 rows, an epoch of which the loop trains for 20 s. The engine trains
`ROWS` of them for more epochs, which are as many steps and rows in all.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from crossover.contender import Contender
from crossover.lesson.evidence import (
    BATCH_SIZE,
    EPOCH_STEPS,
    EPOCHS,
    FUSED,
    LOOP,
    STEPS,
    Evidence,
    Whole,
)
from crossover.lesson.tasks import Task, gpu_missing, waited_s
from crossover.measure.machine import quota_cores, usable_cores
from crossover.measure.process import Workers
from crossover.nouns import Machine
from crossover.pipeline import carry_out_unkept
from crossover.plan.plan import Block
from crossover.spec.spec import Spec, parse_spec
from crossover.system.ways import load_1min

if TYPE_CHECKING:
    from softmax_core.case import Case
    from softmax_core.data import Data

BATCH_SIZES = (BATCH_SIZE, 50, 500, 5_000)
ROWS, MORE_ROWS = 5_000, 20_000
"""Rows of an epoch, and at the largest batch size once more: without them the cost of
a row could not be told from that of an epoch."""
ROUNDS = 6
"""With fewer rounds, the interval of a median falls short of 95 %."""
BUDGET_S, SAMPLE_S = 300.0, 0.02
MOMENTUM = 0.3
LARGE_CASE = {"momentum": MOMENTUM, "dispersion": (6.0, 4.0)}
SMALL_STEPS = 150
"""Steps of an epoch of 1,500 rows in batches of 10, the unit of progress."""
TAKEN = 50.0
"""About how many small epochs the run of the engine takes, for the time left."""
WHOLE = STEPS / SMALL_STEPS


def large_spec(gpu: str = "") -> Spec:
    """Return what the engine is to measure for the claim."""
    others = (FUSED, gpu) if gpu else (FUSED,)
    first = {"axis": "batch_size", "values": BATCH_SIZES, "samples": ROWS}
    more = {"axis": "samples", "values": (MORE_ROWS,), "batch_size": BATCH_SIZES[-1]}
    job = LARGE_CASE | {"epochs": STEPS * BATCH_SIZE // ROWS}
    fields = {
        "name": "lesson", "rounds": ROUNDS, "grid": True, "control": False,
        "budget_s": BUDGET_S, "longest_sample_s": SAMPLE_S,
        "contenders": (LOOP, *others), "pairs": [(LOOP, other) for other in others],
        "sweep": [sweep | job for sweep in (first, more)],
    }  # fmt: skip
    return parse_spec(fields, "the lesson's large job")


def measured_evidence(task: Task, workers: Workers | None = None) -> Evidence:
    """Carry the spec out."""
    is_cpu = task.device.type == "cpu"
    gpu = "" if is_cpu else str(Contender(str(task.device), "lesson"))
    machine = Machine(  # its device is known to be usable: no worker need say so
        "", "", usable_cores(), quota_cores(), None, load_1min(), (), {}, {},
        {}, "",
    )  # fmt: skip

    def seen(block: Block, done_s: float, total_s: float) -> None:
        task.seen(TAKEN / ROUNDS / (len(BATCH_SIZES) + 1))

    run = carry_out_unkept(large_spec(gpu), machine, workers or Workers(), seen)
    return Evidence(run, gpu, gpu_missing() if is_cpu else "")


def in_full(task: Task, e: Evidence) -> Iterator[Evidence]:
    """Take every step with trainer fused, then with the loop on another device.

    Yields the evidence after each of the two, in case that the next is interrupted.
    """
    for name in (FUSED, e.gpu):
        if name in e.times:
            e = replace(
                e, wholes=e.wholes | {name: _whole(task, Contender.parse(name))}
            )
            yield e


def _whole(task: Task, who: Contender) -> Whole:
    """Take every step of the job in the lesson's rounds: 1 epoch, 2, and so on."""
    import torch

    from softmax_core import evaluate, get_trainer

    case, data = _large()
    device = torch.device(who.device)
    session = get_trainer(who.trainer).prepare(case, data, device)
    session.train(1)  # what is built at the first call was timed as the start
    session.reset()
    rounds, left = list[tuple[int, float]](), EPOCHS
    while left:
        epochs = min(len(rounds) + 1, left)
        seconds = waited_s(device, partial(session.train, epochs))
        rounds.append((epochs * case.steps_per_epoch, seconds))
        task.seen(epochs * case.steps_per_epoch / SMALL_STEPS)
        left -= epochs
    return Whole(tuple(rounds), evaluate(*session.weights(), data)[1])


def _large() -> "tuple[Case, Data]":
    """Return the large job as trainers take it, and the lesson's data."""
    from softmax_core.case import Case
    from softmax_core.data import Data
    from softmax_core.experiments import HARD, LEARNING_RATE, lesson_data

    X, y = lesson_data(HARD, per_class=EPOCH_STEPS * BATCH_SIZE // 3)
    case = Case(
        len(X), batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, momentum=MOMENTUM
    )
    return case, Data(X, y.flatten().long())

"""The lesson's large job: what a step of it costs, and all of them.

The loop, on the CPU and on the device asked for, and trainer fused take chunks of steps
in turns, at several batch sizes, so that a slow moment of the machine meets them all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from crossover.lesson.evidence import BATCH_SIZE, Code, Cost, Evidence, Whole
from crossover.lesson.tasks import Task, gpu_missing
from crossover.measure.clock import GarbagePause, measured_s

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from softmax_core.data import Data
    from softmax_core.experiments import LibraryJob
    from softmax_core.training import Session

SMALL_STEPS = 150
"""Steps of an epoch of 1,500 rows in batches of 10, the unit of progress."""
LARGE_ROUNDS: Sequence[int] = range(1, 61)
LARGE_STEPS = 60_000
"""Steps of an epoch of 300,000 rows in batches of 5."""
CHUNKS = 10
"""Of each code at each batch size."""
LOOP_STEPS = {BATCH_SIZE: 1_200, 50: 200, 500: 40, 5_000: 4}
"""Steps of one chunk of the loop, by batch size."""
FUSED_ROWS = 4_500_000
"""Rows of one chunk of fused, in whole epochs."""
WARMUP_STEPS = 1_000
TAKEN = 2 * CHUNKS * LOOP_STEPS[BATCH_SIZE] / SMALL_STEPS
"""About how many small epochs all chunks take, for the time left."""
WHOLE = sum(LARGE_ROUNDS) * LARGE_STEPS / SMALL_STEPS


@dataclass(frozen=True)
class Cell:
    """One code at one batch size: takes a chunk of so many steps when called."""

    code: str
    device: "torch.device"
    batch_size: int
    steps: int
    work: Callable[[], object]


def measured_evidence(task: Task) -> Evidence:
    """Measure the codes side by side, a part of the job."""
    import torch

    from softmax_core.experiments import HARD, seeded_job

    cpu = torch.device("cpu")
    threads = torch.get_num_threads()
    # What the first training in a process loads is nobody's start.
    seeded_job(HARD, cpu).fit(1)
    setups = {"loop": loop_setup_s(cpu), "fused": fused_setup_s()}
    cells = [*loop_cells("loop", cpu), *fused_cells()]
    missing = ""
    if task.device.type == "cpu":
        missing = gpu_missing()
    else:
        setups["gpu"] = loop_setup_s(task.device)
        cells += loop_cells("gpu", task.device)
    costs = measured_costs(cells, lambda: task.seen(TAKEN / CHUNKS))
    names = {
        "loop": "the lesson's loop on the CPU",
        "fused": "trainer fused on one core",
        "gpu": "the lesson's loop on the GPU",
    }
    codes = {key: Code(names[key], setups[key], costs[key]) for key in setups}
    return Evidence(
        sum(LARGE_ROUNDS) * LARGE_STEPS, LARGE_STEPS, threads, codes["loop"],
        codes["fused"], codes.get("gpu"), missing,
    )  # fmt: skip


def measured_costs(
    cells: Sequence[Cell], done: Callable[[], object]
) -> dict[str, tuple[Cost, ...]]:
    """Let all cells take a chunk in turns, forwards and backwards; costs by code."""
    for cell in cells:
        cell.work()
    seconds: list[list[float]] = [[] for _ in cells]
    # A collection looks through all objects of this process: 0.2 s, twice the time of
    # a chunk of large batches, by chance in one chunk or in another.
    pause = GarbagePause()
    try:
        for round_ in range(CHUNKS):
            order = range(len(cells))
            for i in order if round_ % 2 == 0 else reversed(order):
                pause.collect()
                seconds[i].append(waited_s(cells[i].device, cells[i].work))
            done()
    finally:
        pause.end()
    found: dict[str, tuple[Cost, ...]] = {}
    for cell, values in zip(cells, seconds, strict=True):
        cost = Cost(cell.batch_size, cell.steps, tuple(values))
        found[cell.code] = (*found.get(cell.code, ()), cost)
    return found


def loop_cells(code: str, device: "torch.device") -> Iterator[Cell]:
    """Yield the lesson's loop on a device at each batch size."""
    from softmax_core.experiments import LibraryJob, large_job
    from softmax_core.lesson import fit

    first = large_job(device)
    for batch_size, steps in LOOP_STEPS.items():
        job = LibraryJob(
            first.features, first.labels, batch_size, momentum=first.momentum
        )
        batches = _endless(job.batches)

        def take(
            job: LibraryJob = job,
            batches: "Iterator[Sequence[Tensor]]" = batches,
            steps: int = steps,
        ) -> None:
            fit(job.net, job.criterion, job.optimizer, islice(batches, steps), 1)

        if batch_size == BATCH_SIZE:
            take(steps=WARMUP_STEPS)
        yield Cell(code, device, batch_size, steps, take)


def _endless(batches: "Iterable[Sequence[Tensor]]") -> "Iterator[Sequence[Tensor]]":
    """Yield batches epoch after epoch, so that a shuffle is paid for once an epoch."""
    while True:
        yield from batches


def loop_setup_s(device: "torch.device") -> float:
    """Return the seconds to draw and move the data, and to take the first step."""
    from softmax_core.experiments import large_job
    from softmax_core.lesson import fit

    def set_up() -> None:
        job = large_job(device)
        fit(job.net, job.criterion, job.optimizer, islice(iter(job.batches), 1), 1)
        _wait(device)

    # Nothing waits for the device before: its start is a part of what is timed.
    return measured_s(set_up, lambda: None)


def fused_session(batch_size: int = BATCH_SIZE) -> "Session":
    """Return trainer fused on the data of the large job, ready to train."""
    from softmax_core import Case, get_trainer
    from softmax_core.experiments import LEARNING_RATE, large_job

    job = large_job("cpu")
    data = _as_trained(job)
    samples, features = data.X.shape
    case = Case(
        samples, features, int(data.y.max()) + 1, batch_size,
        learning_rate=LEARNING_RATE, momentum=job.momentum,
    )  # fmt: skip
    # threads are left to torch's setting, which the loop must keep; fused takes one
    return get_trainer("fused").prepare(case, data)


def _as_trained(job: "LibraryJob") -> "Data":
    """Return a job's data as trainers take them."""
    from softmax_core.data import Data

    return Data(job.features, job.labels.flatten().long())


def fused_setup_s() -> float:
    """Return the seconds to draw the data, compile or load fused, train an epoch."""
    return measured_s(lambda: fused_session().train(1), lambda: None)


def fused_cells() -> Iterator[Cell]:
    """Yield trainer fused at each batch size."""
    import torch

    rows = LARGE_STEPS * BATCH_SIZE
    epochs = max(1, FUSED_ROWS // rows)
    for batch_size in LOOP_STEPS:
        session = fused_session(batch_size)
        steps = epochs * -(-rows // batch_size)

        def take(session: "Session" = session) -> None:
            session.train(epochs)

        yield Cell("fused", torch.device("cpu"), batch_size, steps, take)


def taken_by_fused(task: Task) -> Whole:
    """Take every step of the job with trainer fused, on one core."""
    from softmax_core import evaluate
    from softmax_core.experiments import large_job

    session = fused_session()
    rounds = _rounds(task, session.train, "cpu")
    _, accuracy = evaluate(*session.weights(), _as_trained(large_job("cpu")))
    return Whole(rounds, accuracy)


def taken_by_loop(task: Task) -> Whole:
    """Take every step of the job with the lesson's loop on the device asked for."""
    from softmax_core.experiments import large_job

    job = large_job(task.device)
    accuracies: list[float] = []
    rounds = _rounds(task, lambda n: accuracies.append(job.fit(n)), task.device)
    return Whole(rounds, accuracies[-1])


def _rounds(
    task: Task, train: Callable[[int], object], device: "torch.device | str"
) -> tuple[tuple[int, float], ...]:
    import torch

    found = []
    for epochs in LARGE_ROUNDS:
        seconds = waited_s(torch.device(device), partial(train, epochs))
        found.append((epochs * LARGE_STEPS, seconds))
        task.seen(epochs * LARGE_STEPS / SMALL_STEPS)
    return tuple(found)


def waited_s(device: "torch.device", work: Callable[[], object]) -> float:
    """Return the seconds of some work, until the device is done."""
    return measured_s(work, lambda: _wait(device))


def _wait(device: "torch.device") -> None:
    from softmax_core.device import synchronize

    synchronize(device)

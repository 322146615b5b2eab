"""Measure what a step of two ranks costs: our flat sum of gradients, and torch's DDP.

Each rank has one thread; the machine needs two cores. The ways take turns; each value
is the median over the turns, in microseconds a step.

    python -m bench.promises.data_parallel
"""

import statistics
import tempfile
import time
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from softmax_core import Case, make_data
from softmax_core.model import SoftmaxRegression
from softmax_core.trainers.ranks.rank import join
from softmax_core.trainers.ranks.share import Place, ShareSession
from softmax_core.training import Setup

RANKS, TURNS, STEPS = 2, 15, 50
SHAPES = ((2, 3), (784, 10), (1000, 100))
ROWS = 64
"""Samples in a batch: few, so that the sum over the ranks takes most of the time."""


def ways(
    features: int, classes: int, place: Place, store: str
) -> dict[str, Callable[[], object]]:
    """Return, by name, the functions that take `STEPS` steps in one way."""
    samples = STEPS * ROWS
    case = Case(samples, features, classes, ROWS, 1, 1e-4, 0.0, (0.5, 2.0))
    data, add = make_data(case), join(place, "cpu", store)
    setup = Setup(torch.device("cpu"), threads=1)
    ours = ShareSession(case, data, setup, place, add)
    alone = ShareSession(case, data, setup, place, lambda flat: None)
    flat = torch.zeros((features + 1) * classes)
    model = DistributedDataParallel(SoftmaxRegression(features, classes))
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    criterion = torch.nn.CrossEntropyLoss()
    rows = [place.rows(start, start + ROWS) for start in range(0, samples, ROWS)]

    def ddp() -> None:
        for share in rows:
            X, y = data.X[share.start : share.stop], data.y[share.start : share.stop]
            loss: Tensor = criterion(model(X), y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return {
        "sum alone": lambda: [add(flat) for _ in rows],
        "step without sum": lambda: alone.train(1),
        "our step": lambda: ours.train(1),
        "DDP's step": ddp,
    }


def measure(rank: int, folder: str) -> None:
    """Take part in all measurements as one rank; rank 0 prints."""
    torch.set_num_threads(1)
    place = Place(rank, RANKS)
    file = f"{folder}/default"
    group = dist.FileStore(file, RANKS)  # type: ignore[attr-defined]
    dist.init_process_group("gloo", store=group, rank=rank, world_size=RANKS)
    for features, classes in SHAPES:
        found = ways(features, classes, place, f"{folder}/{features}")
        taken: dict[str, list[float]] = {name: [] for name in found}
        for turn in range(TURNS + 1):
            for name, work in found.items():
                dist.barrier()
                start = time.perf_counter()
                work()
                if turn:  # the first warms up
                    taken[name].append((time.perf_counter() - start) / STEPS * 1e6)
        if rank == 0:
            said = ", ".join(
                f"{name} {statistics.median(us):.0f} us (least {min(us):.0f})"
                for name, us in taken.items()
            )
            print(f"{features} features, {classes} classes: {said}", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        spawn(measure, (made,), RANKS)  # type: ignore[no-untyped-call]

"""The engine's run of the lesson's large job, by workers whose cost is known."""

import pytest
import torch
from builders import FakeWorker, opened, sampled, timed_workers

from crossover.lesson.evidence import FUSED, LOOP
from crossover.lesson.large import measured_evidence
from crossover.lesson.tasks import Task
from crossover.measure.pipe import Ended
from crossover.workloads.softmax import SOFTMAX, Softmax

US = 1e-6
GPU = "cuda/lesson"
SPREAD = (0.98, 1.02, 0.99, 1.01, 1.0, 1.0)
"""What each round takes, as a multiple of the known cost: the median is 1."""
USUAL = {LOOP: (350, 10, 0.5), FUSED: (0.1, 0.005, 1.0)}
"""By code: microseconds of a step and of a row, seconds of the start."""


class Costed(FakeWorker):
    """Takes a known time for each step and row; what has no cost is unavailable."""

    def __init__(self, contender, costs):
        super().__init__(contender)
        self.costs = costs.get(str(contender))

    def opened(self, request):
        if self.costs is None:
            return Ended(status="unavailable", notes="broken")
        case = SOFTMAX.case(**dict(request.case))
        return opened(setup_s=self.costs[2], threads=2, work=Softmax().work(case))

    def sampled(self, request):
        rows, batch_size = (self.cell.case[n] for n in ("samples", "batch_size"))
        floor, row, _ = self.costs
        epoch_s = US * (-(-rows // batch_size) * floor + rows * row)
        return sampled(epoch_s * SPREAD[request.round])


def workers(monkeypatch, **costs):
    """Return workers of the usual costs and those of `gpu`, `loop` or `fused`."""
    names = {"gpu": GPU, "loop": LOOP, "fused": FUSED}
    known = USUAL | {names[name]: cost for name, cost in costs.items()}
    return timed_workers(monkeypatch, lambda contender: Costed(contender, known))


def evidence(gpu=None, **costs):
    """Return what is found at these costs; without `gpu` no GPU is asked for."""
    device = torch.device("cpu" if gpu is None else "cuda")
    task = Task(device, lambda epochs: None)
    with pytest.MonkeyPatch.context() as patch:
        return measured_evidence(task, workers(patch, gpu=gpu or None, **costs))

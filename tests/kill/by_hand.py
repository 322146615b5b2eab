"""The workers of `virtual_worker` without processes, for runs within a test."""

import json

import virtual
import virtual_worker
from builders import FakeWorker, make_run

from crossover.measure.pipe import Open, Sample, read_reply
from crossover.measure.process import Workers
from crossover.pipeline import carry_out

FIELDS = {
    "name": "virtual", "rounds": 16, "width": 1.1, "control": False,
    "contenders": ["cpu/resident@1", "cpu/resident@2", "cpu/manual@1", "cuda/resident"],
    "pairs": [
        ["cpu/resident@1", "cpu/resident@2"], ["cpu/resident@1", "cpu/manual@1"],
    ],
    "sweep": [{"axis": "batch_size", "values": [100, 1000, 9000], "samples": 9000}],
}  # fmt: skip


class Worker(FakeWorker):
    """Answers as a process would; `before` may do something first."""

    def __init__(self, before=lambda request: None):
        super().__init__()
        self.before = before

    def ask(self, request, timeout_s):
        self.before(request)
        asked = json.loads(request.model_dump_json())
        if isinstance(request, Open):
            self.cell = asked
        reply = virtual_worker.answer(self.cell, asked)
        return read_reply(request, json.dumps(reply).encode())


class Clocked(Workers):
    def __init__(self, clock, before):
        super().__init__(lambda contender: Worker(before))
        self.clock = clock

    def ask(self, contender, request, timeout_s):
        if isinstance(request, Sample):
            self.clock.sampled(request.position)
        return super().ask(contender, request, timeout_s)


def new(**fields):
    """Return a spec and its run, of which nothing is measured yet."""
    run = make_run(FIELDS | fields)
    return run.spec, run


def measure(spec, run, out, before=lambda request: None, **around):
    """Carry out a run in its folder under a virtual clock."""
    clock = virtual.Clock(out)
    surroundings = clock.around(**around)
    return carry_out(spec, run, out, Clocked(clock, before), environment=surroundings)

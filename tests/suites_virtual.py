"""A virtual clock and a device that works behind our back, for both suites' processes.

    python suites_virtual.py RUNNER_JSON BENCHMARK CELL_ID [number=1 ...]
    pytest -p suites_virtual ...

An epoch takes `EPOCH_S` on the device, after `train` has returned; only waiting for
the device moves the clock on. Building a cell takes `SETUP_S`.
"""

import json
import sys
from pathlib import Path

import softmax_core
from crossover.suites import cells
from softmax_core import device as devices
from softmax_core import reference_weights, training

EPOCH_S = 0.7e-3
SETUP_S = 100.0
SUITE = Path(__file__).parent.parent / "bench/asv_suite"


class Device:
    """Time passes when its work is waited for, and 1 ns when the clock is read."""

    def __init__(self):
        self.time_s = self.queued_s = 0.0

    def now(self):
        self.time_s += 1e-9
        return self.time_s

    def wait(self):
        self.time_s += self.queued_s
        self.queued_s = 0.0


class Session:
    """Trains in no time at all; its weights are the reference's own."""

    notes = ""

    def __init__(self, device, case, data):
        self.device, self.case, self.data = device, case, data

    def reset(self):
        pass

    def train(self, epochs):
        self.device.queued_s += epochs * EPOCH_S

    def synchronize(self):
        self.device.wait()

    def weights(self):
        return tuple(t.float() for t in reference_weights(self.case, self.data))


class Trainer(training.Trainer):
    def __init__(self, device):
        self.device = device

    def prepare(self, case, data, *args, **kwargs):
        self.device.time_s += SETUP_S
        return Session(self.device, case, data)


def install():
    """Put the clock and the device behind the cells of this process."""
    device = Device()
    cells.now = device.now
    softmax_core.get_trainer = lambda *_: Trainer(device)
    devices.synchronize = lambda where: device.wait()
    return device


def pytest_configure():
    install()


def main(result, benchmark, cell_id, *attributes):
    """Run a benchmark by whichever asv_runner is found; print what happened."""
    from asv_runner import __version__
    from asv_runner.run import _run

    install()
    setups = []
    prepare = cells.prepare
    cells.prepare = lambda name: setups.append(name) or prepare(name)
    cell = cells.workload().parse_cell(cell_id)
    grid = cells.grid(cells.cells())
    index = grid.cases.index(cell.case.id) * len(grid.contenders)
    index += grid.contenders.index(str(cell.contender))
    sys.path.insert(0, str(SUITE.parent))
    extra = {k: int(v) for k, v in (text.split("=") for text in attributes)}
    name = f"{benchmark}-{index}"
    _run((str(SUITE), name, json.dumps(extra), "None", result))
    facts = {"runner": __version__, "builds": cells.kept.builds, "uses": len(setups)}
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])

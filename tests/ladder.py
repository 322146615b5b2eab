"""A workload with names of its own and a known law, as an installed package brings it.

A rung of `width` planks takes `saw` 20 us and 1 us a plank, `laser` 220 us and a fifth
of that: they cross at a width of 250, whatever the number of rungs.
"""

import time

from crossover.workloads.definition import WrongResult
from crossover.workloads.values import Setting, Size
from crossover.workloads.workload import Implementation, Workload

LADDER = Workload(
    name="ladder",
    sizes=(
        Size("width", 64, words="width of a rung", one="plank", many="planks"),
        Size("rungs", 8, words="number of rungs", one="rung", many="rungs",
             repeats=True),
    ),
    settings=(Setting("wood", "oak", choices=("oak", "ash")),),
    costs=("plank",),
    implementations=(Implementation("saw"), Implementation("laser")),
)  # fmt: skip
FIXED_US = {"saw": 20.0, "laser": 220.0}
PLANK_US = {"saw": 1.0, "laser": 0.2}
CROSSING = 250


def rung_s(width, implementation):
    return 1e-6 * (FIXED_US[implementation] + width * PLANK_US[implementation])


class Ladder:
    """The code of the workload; see `Definition`."""

    declared = LADDER

    def work(self, case):
        return {"plank": case["rungs"] * case["width"]}

    def expected_s(self, case, implementation):
        return case["rungs"] * rung_s(case["width"], implementation)

    def session(self, case, implementation, device, threads, ranks):
        return Session(rung_s(case["width"], implementation))

    def first_use(self, implementation, device, ranks):
        pass

    def unavailable(self, implementation, device, ranks):
        return None if device == "cpu" else f"{implementation} is for the cpu only"

    def launches_per_step(self, case, implementation, ranks):
        return None

    def count(self, implementation, cases):
        raise ValueError(f"trainer = {implementation!r}: gives a device no work")

    def eased(self, sweep, given):
        return {}


class Session:
    """Spins; see the protocol of the same name."""

    notes, processes = "", ()

    def __init__(self, seconds):
        self.seconds, self.built = seconds, 0

    def move(self):
        pass

    def build(self):
        self.reset()

    def reset(self):
        self.built = 0

    def run(self, repeats):
        self.built += repeats
        end = time.perf_counter() + repeats * self.seconds
        while time.perf_counter() < end:
            pass

    def synchronize(self):
        pass

    def verify(self, repeats):
        self.reset()
        self.run(repeats)
        if self.built != repeats:
            raise WrongResult(f"{self.built} rungs built, not {repeats}")
        return None, None

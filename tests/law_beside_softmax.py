"""Softmax regression beside a law, `KNOWN_LAW`, that spins for as long as it says."""

import os
from dataclasses import replace

from crossover.workloads.softmax import SOFTMAX, Softmax
from crossover.workloads.spin import Law, SpinSession
from crossover.workloads.workload import Implementation

LAW = os.environ["KNOWN_LAW"]


def epoch_s(case):
    law, rows = Law.parse(LAW), case["samples"]
    steps = rows / min(case["batch_size"], rows)
    return steps * law.step_ns * 1e-9 + rows * law.row_ps * 1e-12


class Beside(Softmax):
    declared = replace(
        SOFTMAX,
        name="beside",
        implementations=(*SOFTMAX.implementations, Implementation(LAW)),
    )

    def expected_s(self, case, implementation):
        if implementation == LAW:
            return case["epochs"] * epoch_s(case)
        return super().expected_s(case, implementation)

    def session(self, case, implementation, *where):
        if implementation == LAW:
            return SpinSession(epoch_s(case))
        return super().session(case, implementation, *where)

    def first_use(self, implementation, *where):
        if implementation != LAW:
            super().first_use(implementation, *where)

    def unavailable(self, implementation, *where):
        if implementation == LAW:
            return None
        return super().unavailable(implementation, *where)

    def launches_per_step(self, case, implementation, ranks):
        if implementation == LAW:
            return None
        return super().launches_per_step(case, implementation, ranks)

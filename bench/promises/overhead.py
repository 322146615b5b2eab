"""Measure what the harness costs: an empty workload through the whole sampling path.

The median cost of a sample is printed as a share of the shortest sample accepted, 1 ms;
exit code 1: it is above 0.5 %. Then what a user's empty step costs beyond being called;
exit code 1: above 3 us.

    python -m bench.promises.overhead
"""

import statistics
import sys
import time
from pathlib import Path

import torch

from crossover.measure import sampler
from crossover.workloads.registry import bring
from crossover.workloads.spin import SPIN, Law
from crossover.workloads.user_file import UserJob, declare

ROUNDS = 2001
STEP_ROUNDS = 201
MOST_STEP_S = 3e-6
"""Most that a step may cost beyond a call of it, in seconds."""
STEPS = 1000, 1
"""Steps of a job: as usual, and the fewest, where each is a repeat of its own."""


def main() -> int:
    """Measure the overhead, print it, and return the exit code."""
    cell = sampler.Sampler(
        SPIN.case(), str(Law(0, 0)), torch.device("cpu"), None, 0.0, 1.0
    )
    cell.calls = 1
    costs = [cell.sample()[0] for _ in range(ROUNDS)]
    cell.close()
    median_s = statistics.median(costs)
    share = median_s / sampler.FLOOR_S
    print(
        f"empty workload: median {median_s * 1e6:.2f} us of {ROUNDS} samples, "
        f"{share:.2%} of the shortest sample ({sampler.FLOOR_S * 1e3:g} ms); "
        "at most 0.5 %"
    )
    return int(share > 0.005 or worst_step_s() > MOST_STEP_S)


def worst_step_s() -> float:
    """Print what empty steps of a user's file cost; return the most, in seconds."""
    job = declare("empty_step.py", str(Path(__file__).parent))
    bring(job)
    worst_s = 0.0
    for one in job.declared.implementations:
        bare_s = _called_s(job, one.name)
        for steps in STEPS:
            more_s = _step_s(job, one.name, steps) - bare_s
            worst_s = max(worst_s, more_s)
            print(
                f"empty step {one.name}, {steps:,} in a job: {more_s * 1e6:.3f} us "
                f"beyond a call of {bare_s * 1e6:.3f} us; at most 3 us"
            )
    return worst_s


def _called_s(job: UserJob, name: str) -> float:
    """Return the seconds of a bare call of a step, in a loop of its own."""
    step = getattr(job.module, name)("cpu")
    calls, found = 10_000, []
    for _ in range(STEP_ROUNDS):
        start = time.perf_counter()
        for _ in range(calls):
            step()
        found.append((time.perf_counter() - start) / calls)
    return statistics.median(found)


def _step_s(job: UserJob, name: str, steps: int) -> float:
    """Return the seconds of a step in a sample, as they are recorded."""
    case = job.declared.case(steps=steps)
    cell = sampler.Sampler(case, name, torch.device("cpu"), None, 0.0, 1.0)
    taken = [cell.sample()[0] for _ in range(STEP_ROUNDS)]
    cell.close()
    return statistics.median(taken) / (cell.calls * cell.repeats)


if __name__ == "__main__":
    sys.exit(main())

"""Measure what the harness costs: an empty workload through the whole sampling path.

The median cost of a sample is printed as a share of the shortest sample accepted, 1 ms.
Exit code 1: it is above 0.5 %.

    python -m bench.promises.overhead
"""

import statistics
import sys

import torch

from crossover.measure import sampler
from crossover.workloads.spin import SPIN, Law

ROUNDS = 2001


def main() -> int:
    """Measure the overhead, print it, and return the exit code."""
    empty, cpu = str(Law(0, 0)), torch.device("cpu")
    cell = sampler.Sampler(SPIN.case(), empty, cpu, None, 0.0, 1.0)
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
    return int(share > 0.005)


if __name__ == "__main__":
    sys.exit(main())

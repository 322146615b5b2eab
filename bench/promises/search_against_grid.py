"""Compare the search with a full grid, on a thread crossover at 784 features.

The grid has a size in every step of 1.25, as round as the search's own, and measures
the search's highest number of rounds at each. Both measuring times, both intervals and
the ratio of the times are printed. Exit code 1: the search took more than 15 % of the
grid's time, or its interval is wider.

    python -m bench.promises.search_against_grid
"""

import math
import sys

from crossover.analysis.crossover import crossovers
from crossover.measure.machine import snapshot
from crossover.measure.process import Workers
from crossover.nouns import Measurement
from crossover.pipeline import carry_out_unkept
from crossover.plan.next_size import roundest
from crossover.spec.spec import Spec

NAMES = ("cpu/resident@1", "cpu/resident@2")
STEP = 1.25
FIXED = {
    "axis": "batch_size", "samples": 1024, "features": 784, "classes": 10,
    "learning_rate": 0.001, "dispersion": (0.5, 2.0),
}  # fmt: skip


def measured(
    name: str, grid: bool, values: tuple[int, ...]
) -> tuple[float, float, str]:
    """Return the seconds spent inside samples, high / low, and the crossover in words.

    The width high / low is infinite when one end of the interval is open.
    """
    spec = Spec.model_validate(
        {
            "name": name, "rounds": 32, "width": 1.25, "grid": grid, "control": False,
            "contenders": NAMES, "pairs": (NAMES,),
            "sweep": ({**FIXED, "values": values},),
        }
    )  # fmt: skip
    run = carry_out_unkept(spec, MACHINE, Workers())
    found = crossovers(run)[0].answer
    seconds = sum(map(spent_s, run.measurements))
    width = found.high / found.low if found.low and found.high else math.inf
    ends = (
        f"{found.low or 0:.4g} to {found.high or math.inf:.4g}, high / low {width:.3g}"
    )
    return seconds, width, f"{found.outcome}, {ends}; {', '.join(found.flags)}"


def spent_s(m: Measurement) -> float:
    """Return the seconds of a round's samples."""
    return sum(m.samples_s)


def main() -> int:
    """Measure both ways, print the comparison, and return the exit code."""
    sizes = [4.0]
    while sizes[-1] * STEP <= 1024:
        sizes.append(sizes[-1] * STEP)
    fine = tuple(sorted({roundest(size) for size in sizes} | {1024}))
    searched_s, reached, found = measured("search", False, (4, 32, 256, 1024))
    print(f"search: {searched_s:.1f} s, {found}", flush=True)
    grid_s, width, found = measured("grid", True, fine)
    print(f"grid of {len(fine)} sizes: {grid_s:.1f} s, {found}")
    print(
        f"time ratio {searched_s / grid_s:.3f}; at most 0.15, at no wider an interval"
    )
    return int(searched_s > 0.15 * grid_s or reached > width)


if __name__ == "__main__":
    MACHINE = snapshot()
    sys.exit(main())

"""Compare the search with a full grid, on the transforms of `examples/numpy_fft.py`.

The grid has a size in every step of 1.25, as round as the search's own, and measures
the search's highest number of rounds at each. Both measuring times, both intervals and
the ratio of the times are printed. Exit code 1: the search took more than 15 % of the
grid's time, or its interval is wider than was asked of both, a factor of 1.25.

    python -m bench.promises.search_against_grid
"""

import math
import sys
from pathlib import Path

from crossover.analysis.crossover import crossovers
from crossover.command.ask import Ask
from crossover.command.new_run import here
from crossover.measure.process import Workers
from crossover.nouns import Measurement
from crossover.pipeline import carry_out_unkept
from crossover.plan.next_size import roundest
from crossover.workloads.registry import user_file

FILE = Path(__file__).parents[2] / "examples/numpy_fft.py"
NAMES = ("cpu/product@1", "cpu/fft@1")
STEP = WIDTH = 1.25
SMALLEST, LARGEST = 4, 1024


def measured(grid: bool, sizes: tuple[int, ...]) -> tuple[float, float, str]:
    """Return the seconds spent inside samples, high / low, and the crossover in words.

    The width high / low is infinite when one end of the interval is open.
    """
    spec = Ask(
        target=str(FILE),
        contenders=NAMES,
        sizes=(("n", ",".join(map(str, sizes))),),
        budget="1h",
        rounds=32,
        width=WIDTH,
        grid=grid,
    ).spec()
    file, machine = user_file(spec.workload), here(spec).machine
    run = carry_out_unkept(spec, machine, Workers(), user_file=file)
    (pair,) = (
        c for c in crossovers(run) if c.view == "train" and c.challenger == NAMES[1]
    )
    found, seconds = pair.answer, sum(map(spent_s, run.measurements))
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
    sizes = [float(SMALLEST)]
    while sizes[-1] * STEP <= LARGEST:
        sizes.append(sizes[-1] * STEP)
    fine = tuple(sorted({roundest(size) for size in sizes} | {LARGEST}))
    searched_s, reached, found = measured(False, (SMALLEST, 32, 256, LARGEST))
    print(f"search: {searched_s:.1f} s, {found}", flush=True)
    grid_s, width, found = measured(True, fine)
    print(f"grid of {len(fine)} sizes: {grid_s:.1f} s, {found}")
    print(f"time ratio {searched_s / grid_s:.3f}; at most 0.15, both within {WIDTH}")
    return int(searched_s > 0.15 * grid_s or max(reached, width) > WIDTH)


if __name__ == "__main__":
    sys.exit(main())

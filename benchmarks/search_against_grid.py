"""What the search saves: the thread crossover at 784 features, to high / low <= 1.25.

The grid has every size of a geometric row, fine enough to interpolate between, with
the search's most rounds at every size. Prints both measuring times and their ratio,
from one run; exit 1 above a fifth.
"""

import sys

from bench.analysis.crossover import crossovers
from bench.machine import snapshot
from bench.nouns import Measurement
from bench.run import Crew, carry_out_unkept
from bench.spec import Spec

NAMES = ("cpu/resident@1", "cpu/resident@2")
STEP = 1.25
FIXED = {
    "axis": "batch_size", "samples": 2048, "features": 784, "classes": 10,
    "learning_rate": 0.001, "dispersion": (0.5, 2.0),
}  # fmt: skip


def measured(name: str, grid: bool, values: tuple[int, ...]) -> tuple[float, str]:
    """Return the seconds spent inside samples, and the crossover in words."""
    spec = Spec.model_validate(
        {
            "name": name, "rounds": 32, "width": 1.25, "grid": grid, "control": False,
            "contenders": NAMES, "pairs": (NAMES,),
            "sweep": ({**FIXED, "values": values},),
        }
    )  # fmt: skip
    run = carry_out_unkept(spec, MACHINE, Crew())
    found = crossovers(run)[0]
    seconds = sum(map(spent_s, run.measurements))
    ends = f"{found.low or 0:.4g} to {found.high or float('inf'):.4g}"
    return seconds, f"{found.outcome}, {ends}; {', '.join(found.flags)}"


def spent_s(m: Measurement) -> float:
    """Return the seconds of a round's samples."""
    return sum(m.samples_s)


def main() -> int:
    """Measure and print."""
    sizes = [4.0]
    while sizes[-1] * STEP <= 2048:
        sizes.append(sizes[-1] * STEP)
    fine = tuple(sorted({round(size) for size in sizes} | {2048}))
    searched_s, found = measured("search", False, (4, 32, 256, 2048))
    print(f"search: {searched_s:.1f} s, {found}")
    grid_s, found = measured("grid", True, fine)
    print(f"grid of {len(fine)} sizes: {grid_s:.1f} s, {found}")
    print(f"ratio {searched_s / grid_s:.3f}; at most 0.2")
    return int(searched_s > 0.2 * grid_s)


if __name__ == "__main__":
    MACHINE = snapshot()
    sys.exit(main())

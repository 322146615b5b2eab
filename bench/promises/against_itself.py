"""Real A/A sweeps: a contender against itself, in processes of their own.

Each sweep has five batch sizes and eight rounds of real training cells. Any outcome but
`inconclusive` is a false crossover. Prints the count; exit 1 when there is more than
one in a hundred. About ten minutes for the default 100 sweeps.

    python bench/promises/against_itself.py [SWEEPS]
"""

import sys

from rich.progress import track

from crossover.analysis.crossover import crossovers
from crossover.measure.machine import snapshot
from crossover.nouns import Contender
from crossover.pipeline import Workers, carry_out_unkept
from crossover.spec.spec import Spec

CASES = (
    {"samples": 2048, "values": (32, 64, 128, 512, 2048)},
    {"samples": 1500, "values": (30, 100, 300, 750, 1500)},
    {
        "samples": 512, "values": (16, 32, 64, 128, 512), "features": 784,
        "classes": 10, "learning_rate": 0.001, "dispersion": (0.5, 2.0),
    },
)  # fmt: skip


def sweep(number: int, workers: Workers) -> str:
    """Measure one A/A sweep and return its outcome."""
    names = ("cpu/resident@1", "cpu/resident@1#1")
    spec = Spec.model_validate(
        {
            "name": "aa", "seed": number, "rounds": 8, "grid": True, "control": False,
            "contenders": names, "pairs": (names,),
            "sweep": ({"axis": "batch_size", **CASES[number % len(CASES)]},),
        }
    )  # fmt: skip
    found = crossovers(carry_out_unkept(spec, MACHINE, workers))
    return next(c.outcome for c in found if "control" not in c.flags)


class Lasting(Workers):
    """Workers that outlive a sweep; new ones every ten, for new process state."""

    def stop(self) -> None:
        """Keep them."""


def main() -> int:
    """Measure and print."""
    sweeps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    outcomes = []
    workers = Lasting()
    for number in track(range(sweeps), "A/A sweeps"):
        if number % 10 == 0:
            Workers.stop(workers)
        outcomes.append(sweep(number, workers))
    Workers.stop(workers)
    false = [outcome for outcome in outcomes if outcome != "inconclusive"]
    print(f"{len(false)} false crossovers in {sweeps} real A/A sweeps: {false}")
    return int(len(false) > max(1, sweeps // 100))


if __name__ == "__main__":
    MACHINE = snapshot()
    print(Contender.parse("cpu/resident@1"), "against itself on", MACHINE.cpu)
    sys.exit(main())

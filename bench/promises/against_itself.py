"""Measure a contender against itself, and count the false crossovers.

Each sweep has five batch sizes and eight rounds of real training cells, each contender
in a process of its own. Ahead or behind at any size is false. Exit code 1: more than
one sweep in a hundred was false. The default 100 sweeps take about ten minutes.

    python -m bench.promises.against_itself [SWEEPS]
"""

import sys

from rich.progress import track

from crossover.analysis.crossover import crossovers
from crossover.contender import Contender
from crossover.measure.machine import snapshot
from crossover.measure.process import Workers
from crossover.pipeline import carry_out_unkept
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
    """Measure one A/A sweep; return its outcome if it is false, else ""."""
    names = ("cpu/resident@1", "cpu/resident@1#1")
    spec = Spec.model_validate(
        {
            "name": "aa", "seed": number, "rounds": 8, "grid": True, "control": False,
            "contenders": names, "pairs": (names,),
            "sweep": ({"axis": "batch_size", **CASES[number % len(CASES)]},),
        }
    )  # fmt: skip
    found = crossovers(carry_out_unkept(spec, MACHINE, workers))
    answer = next(c.answer for c in found if not c.is_control)
    return answer.outcome if answer.differs else ""


class Lasting(Workers):
    """Workers that outlive a sweep: `main` replaces them every ten sweeps only."""

    def stop(self) -> None:
        """Keep the workers alive, although a run asks for their end."""


def main() -> int:
    """Measure the sweeps, print their false outcomes, and return the exit code."""
    sweeps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    outcomes = []
    workers = Lasting()
    for number in track(range(sweeps), "A/A sweeps"):
        if number % 10 == 0:
            Workers.stop(workers)
        outcomes.append(sweep(number, workers))
    Workers.stop(workers)
    false = [outcome for outcome in outcomes if outcome]
    print(f"{len(false)} false crossovers in {sweeps} real A/A sweeps: {false}")
    return int(len(false) > max(1, sweeps // 100))


if __name__ == "__main__":
    MACHINE = snapshot()
    print(Contender.parse("cpu/resident@1"), "against itself on", MACHINE.cpu)
    sys.exit(main())

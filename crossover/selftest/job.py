"""`crossover selftest`: check on this machine that known crossovers are found.

Pairs of spinning contenders, whose crossing is known exactly, go through the whole
measuring path with worker processes, search and journal. Then follow the simulations of
`crossover.selftest.promises`.
"""

import math
import random
from collections.abc import Callable

from crossover.analysis.crossover import crossovers
from crossover.findings import Crossover
from crossover.measure.machine import snapshot
from crossover.measure.process import Workers
from crossover.pipeline import carry_out_unkept
from crossover.selftest.promises import simulation_table
from crossover.selftest.row import Row
from crossover.spec.spec import Spec
from crossover.workloads.spin import Law, crossing_batch

LARGEST_ERROR = 0.10
"""Largest relative error of a crossing that passes."""


def selftest(
    pairs: int, sweeps: int, seed: int, said: Callable[[Row], object]
) -> list[Row]:
    """Return a row for each spinning pair, one for all, then the simulated ones.

    Args:
        pairs: number of spinning pairs, which take about ten seconds each.
        sweeps: number of simulated sweeps for a row; 0 leaves the simulation out.
        seed: seed of the laws, the orders and the simulation.
        said: called with the row of each pair as soon as it is found.
    """
    machine, rows, held = snapshot(), [], 0
    for number in range(pairs):
        truth, spec = spinning_pair(seed, number)
        run = carry_out_unkept(spec, machine, Workers())
        row, inside = compared(truth, crossovers(run)[0])
        said(row)
        rows.append(row)
        held += inside
    least = pairs - max(1, pairs // 10)
    what, asked = "spinning pairs: truth in the interval", f">= {least} of {pairs}"
    rows.append(Row(what, asked, f"{held} of {pairs}", held >= least))
    return rows + (simulation_table(sweeps, seed) if sweeps else [])


def spinning_pair(seed: int, number: int) -> tuple[float, Spec]:
    """Return the exact crossing, in rows a batch, and a spec that must find it."""
    draw = random.Random(f"{seed} {number}")
    truth = draw.uniform(40, 400)
    row_ps = draw.randrange(300_000, 1_000_000)
    baseline = Law(draw.randrange(2_000, 20_000), row_ps)
    faster_ps = int(row_ps * draw.uniform(0.1, 0.6))
    step_ns = baseline.step_ns + round(truth * (row_ps - faster_ps) / 1000)
    challenger = Law(step_ns, faster_ps)
    names = tuple(f"cpu/{law}@1" for law in (baseline, challenger))
    sweep = {"axis": "batch", "values": (16, 64, 256, 1024), "rows": 4096}
    fields = {
        "name": "selftest", "workload": "spin", "seed": number, "rounds": 32,
        "width": 1.1, "control": False, "budget_s": 20.0, "contenders": names,
        "pairs": (names,), "sweep": (sweep,),
    }  # fmt: skip
    return crossing_batch(baseline, challenger), Spec.model_validate(fields)


def compared(truth: float, found: Crossover) -> tuple[Row, bool]:
    """Compare parity with the truth; return the row, and if the interval held it.

    The error alone decides the row: an interval of 95 % may sometimes miss the truth.
    """
    a = found.answer
    at = a.parity or math.inf
    low, high = a.parity_low or 0.0, a.parity_high or math.inf
    error = abs(at / truth - 1)
    text = a.outcome
    if a.parity is not None:
        text = f"{at:.4g} ({low:.4g} to {high:.4g}), off by {error:.1%}"
    asked = f"{truth:.4g}, off by <= {LARGEST_ERROR:.0%}"
    row = Row("spinning pair", asked, text, error <= LARGEST_ERROR)
    return row, a.outcome == "found" and low <= truth <= high

"""Find by our own engine from which size on a contender is ahead.

The result is one number, which asv tracks over commits; asv cannot find a crossover.
"""

import math

from crossover.analysis.crossover import crossovers
from crossover.contender import Contender
from crossover.measure.machine import snapshot
from crossover.measure.workers import Workers
from crossover.pipeline import carry_out_unkept
from crossover.spec.spec import Spec
from crossover.suites.choice import load_profile, profile_name
from crossover.workloads.registry import user_file

BUDGET_S = 120.0
LONGEST_SAMPLE_S = 0.2
ROUNDS = 8


def crossing_spec(baseline: str, challenger: str) -> Spec:
    """Return a spec of the profile's first sweep with one pair and few rounds."""
    spec = load_profile(profile_name())
    sweep = spec.sweep[0]
    pair = (baseline, challenger)
    return spec.model_copy(
        update={
            "contenders": pair,
            "pairs": (pair,),
            "sweep": (sweep.model_copy(update={"contenders": (), "pairs": ()}),),
            "rounds": ROUNDS,
            "grid": True,
            "control": False,
            "budget_s": BUDGET_S,
            "longest_sample_s": LONGEST_SAMPLE_S,
        }
    )


def crossover_size(baseline: str, challenger: str) -> float:
    """Measure the sweep; return the crossover's size, NaN if there is none."""
    spec = crossing_spec(baseline, challenger)
    devices = {Contender.parse(text).device for text in (baseline, challenger)}
    run = carry_out_unkept(
        spec,
        snapshot(tuple(sorted(devices))),
        Workers(),
        user_file=user_file(spec.workload),
    )
    found = next(c for c in crossovers(run) if c.view == "train")
    return math.nan if found.answer.at is None else found.answer.at

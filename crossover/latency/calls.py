"""How many single calls a round times, for how long, and who times none.

In: a spec and a cell. Out: what a sample is asked for beside its own time. Attempts and
the plan call it.
"""

import math
from dataclasses import dataclass

from crossover.contender import Contender
from crossover.crossing.decide import LOOKS
from crossover.nouns import Case, Machine
from crossover.spec.contenders import missing
from crossover.spec.spec import Spec

CALLS = 1000
"""Fewest single calls of a cell, in all of its rounds, if the budget allows."""
CALLS_A_ROUND = 100
"""Fewest single calls of a round, so that it has a 99th percentile of its own."""
SAMPLES = 2
"""A round takes this many samples of a contender, each followed by single calls."""
BUDGET_SHARE = 0.5
"""Share of a run's budget that the single calls of the first look may take."""
TIMEOUT_SHARE = 0.5
"""Share of a cell's time limit that the single calls after a sample may take."""


@dataclass(frozen=True)
class SingleCalls:
    """The single calls that follow a sample; none are asked for by default."""

    most: int = 0
    most_s: float = 0.0
    """Seconds after which no further one begins."""

    def after(self, case: Case, contender: Contender, epochs_run: int) -> "SingleCalls":
        """Return those that follow a sample of a cell; see `why_none`."""
        is_none = contender.copy or self.why_none(case, contender, epochs_run)
        return SingleCalls() if is_none else self

    def why_none(self, case: Case, contender: Contender, epochs_run: int) -> str:
        """Return why a cell has none although they are asked for; "" else.

        Args:
            case: the job.
            contender: who does it.
            epochs_run: how many repeats of the job a timed training has.
        """
        if not self.most:
            return ""
        if contender.ranks > 1:
            return "single calls of several ranks are not timed"
        if case.workload.is_users or epochs_run == case.repeats:
            return ""
        return (
            f"a single call is a whole training, and only {epochs_run:,} of "
            f"{case.repeats:,} {case.workload.repeats} are timed"
        )


def single_calls(spec: Spec, machine: Machine | None = None) -> SingleCalls:
    """Return the single calls after each sample of a run, none unless it asks for any.

    A cell has `CALLS` of them after its first look, or what its share of the budget
    allows.

    Args:
        spec: what is asked.
        machine: where; contenders that it lacks need no share. None if unknown.
    """
    if not spec.latency:
        return SingleCalls()
    rounds = spec.rounds if spec.grid else min(LOOKS[0], spec.rounds)
    most = math.ceil(max(CALLS / rounds, CALLS_A_ROUND) / SAMPLES)
    most_s = TIMEOUT_SHARE * spec.cell_timeout_s
    if spec.budget_s is not None:
        samples = SAMPLES * rounds * _cells(spec, machine)
        most_s = min(most_s, BUDGET_SHARE * spec.budget_s / samples)
    return SingleCalls(most, most_s)


def _cells(spec: Spec, machine: Machine | None) -> int:
    """Return how many cells a spec asks for that a machine can measure."""
    asked = {
        (case, contender)
        for sweep in spec.sweep
        for case in sweep.cases().values()
        for contender in spec.contenders_of(sweep)
        if machine is None or missing(contender, machine) is None
    }
    return max(1, len(asked))


def expected_s(asked: SingleCalls, case: Case, training_s: float) -> float:
    """Return roughly the seconds of a round's single calls.

    Args:
        asked: after each sample.
        case: the job.
        training_s: roughly the seconds of one training.
    """
    one_s = training_s / case.repeats if case.workload.is_users else training_s
    return SAMPLES * min(asked.most * one_s, asked.most_s)

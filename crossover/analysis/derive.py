"""Everything a report shows, computed from a run once."""

from dataclasses import dataclass

from crossover.analysis.breakeven import BreakEven, break_evens
from crossover.analysis.cost_model import Costs, cost_models, model_times
from crossover.analysis.crossover import crossovers
from crossover.analysis.estimate import estimates
from crossover.analysis.sweeps import SweepResult, sweep_results
from crossover.crossing.cost_fit import Ranged
from crossover.findings import Crossover, Estimate
from crossover.nouns import VIEWS, Run


@dataclass(frozen=True)
class Derived:
    """What follows from a run's measurements; the order is that of the CSV files."""

    estimates: list[Estimate]
    crossovers: list[Crossover]
    break_evens: list[BreakEven]
    sweeps: dict[str, list[SweepResult]]
    """By view; the speedups are in them."""
    costs: list[Costs]
    modelled: list[Ranged]
    """Of each estimate, the time that the costs make."""


def derive(run: Run) -> Derived:
    """Compute estimates, crossovers, break-evens, speedups and costs."""
    known = estimates(run, run.spec.confidence)
    found = crossovers(run)
    sweeps = {view: sweep_results(run, found, view, known) for view in VIEWS}
    costs = cost_models(run)
    modelled = model_times(run, costs, known)
    return Derived(known, found, break_evens(run), sweeps, costs, modelled)

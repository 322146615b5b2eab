"""All workloads by name: two of ours, and those of installed packages.

A package offers a workload by an entry point of the group `crossover.workloads`, whose
object makes a `Definition`. Its code is loaded for a job of that workload, but never
because a recorded run names it.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from crossover.workloads.definition import Definition
from crossover.workloads.sound import check_declared
from crossover.workloads.workload import Workload

GROUP = "crossover.workloads"
WORKLOADS = {
    "softmax": "crossover.workloads.softmax:Softmax",
    "spin": "crossover.workloads.spin:Spin",
}
"""Modules and classes of our own workloads, whose names no package can take."""


def declared(name: str) -> Workload:
    """Return a workload's declaration.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    return definition(name).declared


@cache
def definition(name: str) -> Definition:
    """Return the code of a workload.

    Raises:
        ValueError: for an unknown name, listing the known ones, or for a package's
            workload that does not load or has another name.
    """
    if name in WORKLOADS:
        module, _, attribute = WORKLOADS[name].partition(":")
        made: Definition = getattr(import_module(module), attribute)()
        return made
    brought = _brought()
    if name not in brought:
        raise ValueError(f"must be one of {', '.join((*WORKLOADS, *brought))}")
    return _loaded(brought[name])


def _brought() -> dict[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> Definition:
    try:
        made: Definition = point.load()()
        declared = made.declared.name
        check_declared(made.declared)
    except Exception as error:  # a package may raise anything
        why = f"{type(error).__name__}: {error}"
        raise ValueError(f"{point.value} does not load ({why})") from error
    if declared != point.name:
        raise ValueError(f"{point.value} must be called {point.name}, not {declared}")
    return made

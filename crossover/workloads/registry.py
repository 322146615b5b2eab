"""The workloads by name: two of ours, and those that installed packages bring.

A package brings one by an entry point of the group `crossover.workloads`, whose object
makes a `Definition`. Its code is loaded when a job of it is asked for, never because a
recorded run names it.
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
"""Where the code of ours is; no package can take their names."""


def declared(name: str) -> Workload:
    """Return a workload's declaration.

    Raises:
        ValueError: for an unknown name, with those that are known.
    """
    return definition(name).declared


@cache
def definition(name: str) -> Definition:
    """Return the code of a workload.

    Raises:
        ValueError: for an unknown name, with those that are known; for a package's that
            does not load, or goes by another name.
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
    except Exception as error:  # a package's own, whatever it is
        why = f"{type(error).__name__}: {error}"
        raise ValueError(f"{point.value} does not load ({why})") from error
    if declared != point.name:
        raise ValueError(f"{point.value} must be called {point.name}, not {declared}")
    return made

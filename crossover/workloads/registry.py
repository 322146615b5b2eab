"""All workloads by name: two of ours, those of installed packages, a user's file.

A package offers a workload by an entry point of the group `crossover.workloads`, whose
object makes a `Definition`. Its code is loaded for a job of that workload, but never
because a recorded run names it. A user's file is known here once it is brought in.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from crossover.nouns import UserFile
from crossover.workloads.definition import Definition
from crossover.workloads.sound import check_declared
from crossover.workloads.user_file import UserJob
from crossover.workloads.workload import Workload

GROUP = "crossover.workloads"
WORKLOADS = {
    "softmax": "crossover.workloads.softmax:Softmax",
    "spin": "crossover.workloads.spin:Spin",
}
"""Modules and classes of our own workloads, whose names no package can take."""
_files: dict[str, UserJob] = {}


def bring(job: UserJob) -> None:
    """Make a user's file known by its workload's name, in this process."""
    known = _files.get(job.declared.name)
    if known is None or known.file != job.file:
        _files[job.declared.name] = job


def user_file(name: str) -> UserFile | None:
    """Return where a workload's file is; None if it is no user's."""
    return _files[name].file if name in _files else None


def declared(name: str) -> Workload:
    """Return a workload's declaration.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    return definition(name).declared


def definition(name: str) -> Definition:
    """Return the code of a workload.

    Raises:
        ValueError: for an unknown name, listing the known ones, or for a package's
            workload that does not load or has another name.
    """
    return _files[name] if name in _files else _installed(name)


@cache
def _installed(name: str) -> Definition:
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

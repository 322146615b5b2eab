"""Have a worker load a user's file, and make its workload known here.

The main process never loads one: it may print, hang, or end its process.
"""

import ast
import hashlib
import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from crossover.files.untrusted import InputError
from crossover.measure.pipe import Declare, Declared, Ended
from crossover.measure.process import WorkerProcess
from crossover.nouns import Case, UserFile
from crossover.workloads.registry import bring, user_file
from crossover.workloads.user_file import UserJob
from crossover.workloads.workload import Workload

TIMEOUT_S = 120.0
"""Longest that a file may take to load, in seconds, or to be tried."""


def bring_file(target: str, folder: str) -> Workload:
    """Return the workload of a user's file, which the registry knows from then on.

    Args:
        target: a path that ends in .py, or `module:function`.
        folder: what a path is relative to, and where modules are searched, too.

    Raises:
        InputError: in one line, with the file and the line number.
    """
    says_torch = _imports_torch(target, folder)
    found = _declared(Declare(target=target, folder=folder), says_torch)
    bring(UserJob(found.workload, found.file))
    return found.workload


def bring_back(workload: Workload, file: UserFile | None) -> None:
    """Make the user's file of a recorded run known, if it is what it was.

    Raises:
        InputError: when it is gone, or was edited, or there never was one.
    """
    if file is None:
        if workload.is_users:
            raise InputError(
                f"{workload.name}: was measured by crossover.find in a process that is "
                "over: must be measured anew, or be in a file for `crossover run`"
            )
        return
    path = Path(file.path)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{file.path}: {error.strerror}: the run needs it") from error
    if found != file.sha256:
        raise InputError(
            f"{file.path}: was edited since the run began: must be as it was, or a new "
            "run"
        )
    bring(UserJob(workload, file))


def check_steps(case: Case, target: str, folder: str) -> None:
    """Refuse a file whose functions return no steps, called once for a case.

    What of torch they load only then is known afterwards, too.

    Raises:
        InputError: in one line, with the file and the line number.
    """
    known = user_file(case.workload.name)
    request = Declare(target=target, folder=folder, case=dict(case.values))
    try:
        found = _declared(request, known is None or known.loads_torch)
    except _NoAnswerError:
        return  # each cell then says why
    bring(UserJob(found.workload, found.file))


class _NoAnswerError(InputError):
    """The file let its process hang or die."""


def _imports_torch(target: str, folder: str) -> bool:
    """Tell whether a file's own text imports torch; nothing of it runs.

    Torch is loaded faster before a worker is forked. Where this cannot tell, the worker
    sees what the file loads.
    """
    path = Path(folder, target) if target.endswith(".py") else _found(target, folder)
    names: set[str] = set()
    with suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    return any(name.partition(".")[0] == "torch" for name in names)


def _found(target: str, folder: str) -> Path:
    """Return the file of `module:function`; an empty path where none is found."""
    name, places = "", [*sys.path, folder]
    found = None
    for part in target.partition(":")[0].split("."):
        name = f"{name}.{part}".lstrip(".")
        found = PathFinder.find_spec(name, places)
        if found is None:
            return Path()
        places = [*(found.submodule_search_locations or ())]
    return Path(found.origin or "") if found is not None else Path()


def _declared(request: Declare, loads_torch: bool) -> Declared:
    worker = WorkerProcess(None, loads_torch=loads_torch)
    try:
        reply = worker.ask(request, TIMEOUT_S)
    finally:
        worker.stop()
    if not isinstance(reply, Ended):
        return reply
    if reply.refused is not None:
        raise InputError(reply.refused)
    raise _NoAnswerError(f"{request.target}: does not load: {reply.notes}")

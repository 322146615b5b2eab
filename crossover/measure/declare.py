"""Have a worker load a user's file, and make its workload known here.

The main process never loads one: it may print, hang, or end its process.
"""

import hashlib
from pathlib import Path

from crossover.files.untrusted import InputError
from crossover.measure.pipe import Declare, Ended
from crossover.measure.process import WorkerProcess
from crossover.nouns import Case, UserFile
from crossover.workloads.registry import bring
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
    job = _declared(Declare(target=target, folder=folder))
    bring(job)
    return job.declared


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

    Raises:
        InputError: in one line, with the file and the line number.
    """
    try:
        _declared(Declare(target=target, folder=folder, case=dict(case.values)))
    except _NoAnswerError:
        return  # each cell then says why


class _NoAnswerError(InputError):
    """The file let its process hang or die."""


def _declared(request: Declare) -> UserJob:
    worker = WorkerProcess(None)
    try:
        reply = worker.ask(request, TIMEOUT_S)
    finally:
        worker.stop()
    if not isinstance(reply, Ended):
        return UserJob(reply.workload, reply.file)
    if reply.refused is not None:
        raise InputError(reply.refused)
    raise _NoAnswerError(f"{request.target}: does not load: {reply.notes}")

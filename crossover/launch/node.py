"""What a job does on its node: measure its sweeps in its own run directory, or go on.

    python -m crossover.launch.node FOLDER JOB [--force]

The machine is described and the plan resolved here, not where it was launched.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crossover.command.going_on import beginning, going_on
from crossover.command.new_run import new_run
from crossover.files.atomic import write_atomically
from crossover.files.edge import one_line_always
from crossover.files.untrusted import InputError
from crossover.interrupts import EXIT_CODE, Interrupted, heeded
from crossover.measure.declare import bring_back
from crossover.measure.environment import ENVIRONMENT
from crossover.measure.pipe import Ended, R, Request
from crossover.measure.process import AnyWorker, WorkerProcess, Workers
from crossover.pipeline import carry_out
from crossover.record import launched, run_folder
from crossover.record.journal import JOURNAL

ShowJobs = Callable[[int, int, int], None]
"""Called with how many jobs have ended, are running and are waiting."""
GRACE_S = 1.0
"""How long a dead worker waits for the signal that may have ended it with its job."""


FORCE = "--force"


def command(folder: Path, job: str, force: bool = False) -> list[str]:
    """Return the command of a job; it goes on where an earlier one of it ended."""
    here = [sys.executable, "-P", "-m", "crossover.launch.node"]
    return [*here, str(folder.absolute()), job, *([FORCE] if force else [])]


class Patient:
    """A worker whose death is reported only if this process is not ended, too.

    A scheduler that ends a job signals all its processes; a worker that it ended has
    not crashed, and its cell must be measured again.
    """

    def __init__(self, worker: AnyWorker) -> None:
        self._worker = worker

    def ask(self, request: Request[R], timeout_s: float) -> R | Ended:
        """Return the reply; that of a dead worker after a moment."""
        reply = self._worker.ask(request, timeout_s)
        if isinstance(reply, Ended) and reply.status == "crashed":
            time.sleep(GRACE_S)  # a signal's `Interrupted` comes in here
        return reply

    def stop(self) -> None:
        """End it."""
        self._worker.stop()


def measure(folder: Path, name: str, force: bool = False) -> None:
    """Carry out a job, or what is left of it, and mark it as ended.

    Raises:
        InputError: when there is no such job, this node cannot do what it asks, or it
            is not what the job began on.
    """
    whole = launched.load(folder)
    jobs = {job.name: job for job in launched.jobs_of(whole.spec)}
    if name not in jobs:
        raise InputError(f"job = {name!r}: must be one of {', '.join([*jobs][:8])}")
    if launched.has_ended(folder, jobs[name]):
        return
    out = folder / launched.JOBS / name
    is_new = not (out / run_folder.HEADER).exists()
    with run_folder.entered(out, new=is_new):
        if is_new:
            bring_back(whole.spec.declared, whole.user_file)
            run, _ = new_run(jobs[name].spec, ENVIRONMENT)
            run = dataclasses.replace(run, run_id=f"{whole.run_id}-{name}")
            run_folder.create(out, run)
            held = beginning(out, run)
        else:
            run = dataclasses.replace(run_folder.reopen(out), lost="")
            held = going_on(out, run, ENVIRONMENT, force)
        with held as run:
            workers = Workers(lambda c: Patient(WorkerProcess(c.threads)))
            carry_out(run.spec, run, out, workers)
        write_atomically(out / launched.ENDED, "", synced=True)


def _requeue(folder: Path, name: str, before: int) -> int:
    """Have the scheduler queue this job again, if it recorded a round."""
    if _recorded(folder, name) <= before:
        print("crossover: limit_minutes: too short for a single round", file=sys.stderr)
        return 2
    job = os.environ.get("SLURM_JOB_ID", "")
    print(f"time is up; job {job} is queued again", flush=True)
    return subprocess.run(["scontrol", "requeue", job], check=False).returncode


def _recorded(folder: Path, name: str) -> int:
    with suppress(OSError):
        return (folder / launched.JOBS / name / JOURNAL).stat().st_size
    return 0


def main() -> None:
    """Carry out the job that the command line names, and end."""
    with one_line_always():
        named = [word for word in sys.argv[1:] if word != FORCE]
        if len(named) != 2:
            raise InputError("launch.node: takes two arguments: FOLDER JOB")
        sys.exit(_carried_out(Path(named[0]), named[1], FORCE in sys.argv))


def _carried_out(folder: Path, name: str, force: bool) -> int:
    """Carry out a job and return the exit code."""
    before = _recorded(folder, name)
    warned: list[int] = []
    if hasattr(signal, "SIGUSR1"):  # Slurm sends it
        signal.signal(signal.SIGUSR1, lambda number, _: _warn(warned, number))
    try:
        with heeded():
            measure(folder, name, force)
    except Interrupted:
        if warned:
            return _requeue(folder, name, before)
        print("stopped", file=sys.stderr)
        return EXIT_CODE
    return 0


def _warn(warned: list[int], number: int) -> None:
    """Stop as on any signal, and remember that the time limit sent it."""
    warned.append(number)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()

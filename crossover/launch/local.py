"""The jobs of a launched run on this machine, one after another: no scheduler."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from crossover.launch.node import command
from crossover.record import launched
from crossover.record.launched import Job

GRACE_S = 1.0
Progress = Callable[[int, int, int], None]
"""Called with how many jobs have ended, are running and are waiting."""


def run_jobs(folder: Path, jobs: Sequence[Job], progress: Progress) -> None:
    """Carry out the jobs; what they print goes to their logs.

    `Interrupted` ends the job at work and passes through.
    """
    for number, job in enumerate(jobs):
        progress(number, 1, len(jobs) - number - 1)
        with open(folder / launched.LOGS / f"{job.name}.txt", "ab") as log:
            process = subprocess.Popen(
                command(folder, job.name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                process.wait()
            finally:
                _end(process)
    progress(len(jobs), 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a job; one that got the signal too, from a terminal, is at it already."""
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()

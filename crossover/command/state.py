"""In what state recorded runs are: still measured, one twice, partly left out."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path

from crossover.files.untrusted import InputError
from crossover.nouns import Run
from crossover.record import copies, launched, run_folder
from crossover.record.lock import MEASURING, holder
from crossover.spec.sweep import Lines

Say = Callable[[str], None]


def say_state(folders: Sequence[Path], say: Say) -> None:
    """Say which folders of runs are still measured into, and which are one run."""
    known: list[tuple[Path, str]] = []
    for folder in folders:
        for measured in _measured(folder):
            if who := holder(measured):
                say(f"run = {str(measured)!r}: {who} {MEASURING}")
        try:
            known.append((folder, copies.identity(run_folder.load_header(folder))))
        except InputError:  # it is said where it is read
            continue
    for (one, mine), (other, its) in combinations(known, 2):
        if mine == its:
            say(f"runs = {str(one)!r}, {str(other)!r}: these two folders are one run")


def _measured(folder: Path) -> Iterable[Path]:
    """Return the folders that measurements go to; a launched run has one a job."""
    jobs = folder / launched.JOBS
    if not (launched.is_launched(folder) and jobs.is_dir()):
        return [folder]
    return sorted(jobs.iterdir())


def say_unswept(run: Run, name: str, say: Say) -> None:
    """Say how many rows of a run are of no sweep, so that no answer has any of them."""
    lines = Lines(m.case for m in run.measurements)
    swept = {case for s in run.spec.sweep for case in lines.along(s).values()}
    rows = sum(m.case not in swept for m in run.measurements)
    if rows:
        were = "row of no sweep was" if rows == 1 else "rows of no sweep were"
        say(f"run = {name!r}: {rows:,} {were} left out of the answers")

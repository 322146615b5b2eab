"""The job behind `crossover run --launch`: spec -> jobs -> one report."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from crossover.command.ask import Ask
from crossover.command.new_run import commit, new_id, typed
from crossover.command.reports import INCOMPLETE, ReportAsk, do_report
from crossover.files.untrusted import InputError, near
from crossover.interrupts import EXIT_CODE, Interrupted
from crossover.launch import slurm
from crossover.launch.node import ShowJobs, command
from crossover.measure.environment import ENVIRONMENT
from crossover.plan.plan import notices
from crossover.record import launched
from crossover.record.launched import Job, Launched, jobs_of
from crossover.workloads.registry import user_file

GRACE_S = 1.0
"""How long a job may take to end by itself: a terminal sent it the signal, too."""


def run_here(
    folder: Path, jobs: Sequence[Job], show: ShowJobs, force: bool = False
) -> None:
    """Carry out the jobs; what they print goes to their logs.

    `Interrupted` ends the job at work and passes through.
    """
    for number, job in enumerate(jobs):
        show(number, 1, len(jobs) - number - 1)
        with open(folder / launched.LOGS / f"{job.name}.txt", "ab") as log:
            process = subprocess.Popen(
                command(folder, job.name, force),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                process.wait()
            finally:
                _end(process)
    show(len(jobs), 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a job; one that a terminal sent the signal, too, is ending already."""
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


LAUNCHERS = {"slurm": slurm.run_jobs, "local": run_here}


def do_launch(
    ask: Ask,
    out: Path | None,
    resume: Path | None,
    launcher: str | None,
    recover: bool = False,
    force: bool = False,
) -> int:
    """Launch a run, or go on with one, wait for its jobs, report; the exit code.

    Raises:
        InputError: for an unknown launcher, or one that cannot be used here.
    """
    if recover:
        folder = "the folder of a job, DIR/jobs/JOB" if resume else "--resume DIR"
        raise InputError(f"recover: must go with {folder}")
    if resume is not None:
        if launcher or out is not None or ask != Ask():
            raise InputError("resume: takes the folder of a launched run and no option")
        return go_on(resume, force)
    if force:
        raise InputError("force: must go with --resume DIR")
    launcher = launcher or ""
    _check(launcher)
    spec = ask.spec()
    run_id = new_id(spec, ENVIRONMENT)
    out = out or Path("results") / run_id
    file = user_file(spec.workload)
    whole = Launched(
        launch=launcher,
        run_id=run_id,
        command=typed(),
        commit=commit(),
        workload=spec.declared if file else None,
        user_file=file,
        spec=spec,
    )
    launched.create(out, whole)
    for line in ask.notices(spec) + notices(spec):
        ENVIRONMENT.say(line)
    return go_on(out)


def _check(launcher: str) -> None:
    known = (*LAUNCHERS,)
    if launcher not in known:
        must = f"must be {' or '.join(known)}{near(launcher, known)}"
        raise InputError(f"launch = {launcher!r}: {must}")
    if launcher == "slurm":
        slurm.check()


def go_on(out: Path, force: bool = False) -> int:
    """Carry out the jobs that have not ended, report, and return the exit code.

    Args:
        out: the folder of the launched run.
        force: jobs go on also under other circumstances than they began under.
    """
    whole = launched.load(out)
    jobs = jobs_of(whole.spec)
    _check(whole.launch)
    left = [job for job in jobs if not launched.has_ended(out, job)]
    columns = TextColumn("{task.description}"), BarColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, auto_refresh=False) as bar:
        task = bar.add_task("", total=len(jobs))

        def show(ended: int, running: int, waiting: int) -> None:
            ended += len(jobs) - len(left)
            said = f"{ended} of {len(jobs)} jobs ended, {running} running"
            said += f", {waiting} waiting"
            bar.update(task, description=said, completed=ended, refresh=True)

        try:
            LAUNCHERS[whole.launch](out, left, show, force)
        except Interrupted:
            bar.stop()
            does = "The job at work was ended"
            if whole.launch == "slurm":
                does = f"The jobs go on; scancel ends them ({out / slurm.SCRIPTS})"
            print(f"{does}; go on with: crossover run --resume {out}")
            return EXIT_CODE
    return _report(out, jobs)


def _report(out: Path, jobs: Sequence[Job]) -> int:
    missing = [job for job in jobs if not launched.has_ended(out, job)]
    for job in missing:
        said = last_words(out / launched.LOGS / f"{job.name}.txt")
        ENVIRONMENT.say(f"job {job.name} did not end: {said}")
    if missing:
        print(f"Go on with: crossover run --resume {out}")
    code = do_report(ReportAsk((out,)))
    return INCOMPLETE if missing else code


def last_words(log: Path) -> str:
    """Return the last line of a log, or say that there is none."""
    try:
        lines = log.read_bytes()[-2000:].decode(errors="replace").split("\n")
    except OSError:
        return "it was not started"
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")

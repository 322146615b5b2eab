"""One job behind each command: spec -> run -> report, with progress and interrupts."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from crossover.command.ask import Ask
from crossover.command.going_on import beginning, going_on
from crossover.command.new_run import check_pairs, new_run
from crossover.command.reports import INCOMPLETE, say_incomplete
from crossover.files.untrusted import InputError
from crossover.findings import Crossover
from crossover.interrupts import EXIT_CODE, Interrupted, check
from crossover.measure.environment import ENVIRONMENT, Environment, say_lost
from crossover.measure.machine import snapshot, usable_cores
from crossover.measure.process import Workers
from crossover.nouns import Run
from crossover.pipeline import carry_out, used_s
from crossover.plan.plan import Block, next_blocks, notices
from crossover.record import run_folder
from crossover.spec.resolve import resolve
from crossover.spec.spec import Spec


class ProgressBar:
    """A bar on stderr that shows how much of the planned seconds is done."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        # Drawn only when told: a thread that redraws takes time from what is timed.
        self._bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, block: Block, done_s: float, total_s: float) -> None:
        """Show the block at work, and how much of the plan is done."""
        check()
        self._bar.update(
            self._task,
            completed=done_s,
            total=total_s,
            description=block.case.id,
            refresh=True,
        )


def do_run(
    ask: Ask,
    out: Path | None,
    resume: Path | None,
    recover: bool = False,
    force: bool = False,
    workers: Workers | None = None,
    environment: Environment = ENVIRONMENT,
) -> int:
    """Run or resume, write the report, and return the exit code.

    An interrupt before there is anything to go on with passes through.
    """
    for name, given in (("recover", recover), ("force", force)):
        if given and resume is None:
            raise InputError(f"{name}: must go with --resume DIR")
    workers = workers or Workers()
    others = environment.others()
    if resume is None:
        if out is not None:
            run_folder.check_new(out)  # before seconds are spent on the machine
        run, spec = new_run(ask.spec(usable_cores()), environment)
        check_pairs(spec, run.machine)
        folder = out or Path("results") / run.run_id
    elif ask.without_more() != Ask() or out is not None:
        raise InputError(
            "resume: takes a folder and no option but --budget, --rounds, --width, "
            "--margin, --recover and --force"
        )
    else:
        folder = resume
    with run_folder.entered(folder, new=resume is None):
        if resume is None:
            run_folder.create(folder, run)
            busy = others.notice(usable_cores())  # since torch began to load
            for line in filter(None, [*ask.notices(spec), *notices(spec), busy]):
                environment.say(line)
            with beginning(folder, run):
                return _carry_on(spec, run, folder, workers, environment)
        left = _read_back(folder, recover, environment)
        spec = ask.more(left.spec, used_s(left.measurements))
        run = replace(left, spec=spec)
        with going_on(folder, run, environment, force) as run_here:
            if spec != left.spec:
                run_folder.rewrite_header(folder, run_here)
            if busy := others.notice(usable_cores()):
                environment.say(busy)
            return _carry_on(spec, run_here, folder, workers, environment)


def _read_back(folder: Path, recover: bool, environment: Environment) -> Run:
    """Return a run to go on with; what it lost is measured again."""
    for line in run_folder.recover(folder) if recover else ():
        environment.say(line)
    run = run_folder.reopen(folder)
    say_lost(folder, run, environment.say)
    return replace(run, lost="")


def _carry_on(
    spec: Spec, run: Run, out: Path, workers: Workers, environment: Environment
) -> int:
    is_whole = False
    try:
        with ProgressBar() as progress:
            run = carry_out(spec, run, out, workers, progress, environment)
        is_whole = True
        found = _write(run, out)
    except Interrupted:
        if not is_whole:
            environment.say(
                "stopped; writing the partial report (Ctrl-C again: without it)"
            )
            _write(run_folder.load(out), out, partial=True)
        print(f"Interrupted; go on with: crossover run --resume {out}")
        return EXIT_CODE
    from crossover.analysis.crossover import incomplete, unreached

    if not incomplete(run, found):
        return 0
    if spec.budget_s and unreached(found):
        print(f"Give it more time: crossover run --resume {out} --budget 10m")
    return INCOMPLETE


def _write(run: Run, out: Path, partial: bool = False) -> list[Crossover]:
    """Write the report, print its answers and return them."""
    from crossover.report.latency import said_around
    from crossover.report.terminal import show
    from crossover.report.write import write_report

    found = write_report(run, out, partial=partial)
    say_incomplete(run, found)
    show(found, around=said_around(run))
    if run.machine.energy_unmeasured:
        print(f"  energy: {run.machine.energy_unmeasured}")
    print(f"Report: {out / 'report.html'}")
    return found


def do_plan(ask: Ask) -> None:
    """Print what a run would do."""
    cores = usable_cores()
    spec = resolve(ask.spec(cores), (), cores)
    for line in ask.notices(spec) + notices(spec):
        print(f"crossover: {line}", file=sys.stderr)
    blocks = next_blocks(spec, [])
    for block in blocks:
        names = ", ".join(map(str, block.contenders))
        print(f"{block.case.id:40} {len(block.rounds)} rounds: {names}")
    minutes = sum(block.expected_s for block in blocks) / 60
    print(f"{len(blocks)} cases, about {minutes:.1f} minutes on a core like ours.")
    if not spec.grid:
        print(
            f"Then up to {spec.rounds} rounds where crossovers may lie, until "
            f"high / low <= {spec.width:g}"
            + (f" or {spec.budget_s:g} s are over." if spec.budget_s else ".")
        )


def do_selftest(pairs: int, sweeps: int, seed: int) -> int:
    """Print what was asked and found; return 1 when something was missed."""
    from crossover.selftest.job import selftest

    notice = Console(stderr=True)
    notice.print("measuring spinning pairs, then simulating")
    rows = selftest(pairs, sweeps, seed, lambda row: notice.print(row.found))
    table = Table("", "what", "asked", "found")
    for row in rows:
        table.add_row("ok" if row.ok else "MISS", row.what, row.asked, row.found)
    Console().print(table)
    return 0 if all(row.ok for row in rows) else 1


def do_devices() -> None:
    """Print what can be measured here, and why the rest cannot."""
    machine = snapshot()
    gib = (machine.memory_bytes or 0) / 2**30
    print(f"cpu      {machine.cpu}, {machine.cores} cores, {gib:.1f} GiB")
    for found in machine.accelerators:
        memory = found["memory_bytes"]
        gib_text = f", {memory / 2**30:.1f} GiB" if isinstance(memory, int) else ""
        print(f"{found['name']!s:8} {found['description']}{gib_text}")
    for name, reason in machine.unavailable.items():
        print(f"{name:8} not available: {reason}")
    width = max(map(len, machine.trainers))
    for name, reason in machine.trainers.items():
        print(f"{name:{width}} {f'not available: {reason}' if reason else 'trains'}")

"""One job behind each command: spec -> run -> report, with progress and interrupts."""

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.command.asked import Ask, resolve
from bench.command.progress import ProgressBar
from bench.crew import Crew
from bench.interrupts import EXIT_CODE, Interrupted
from bench.machine import snapshot, usable_cores
from bench.nouns import SCHEMA, Run, case_id
from bench.plan import next_blocks, notices
from bench.record import store
from bench.record.launched import is_launched
from bench.run import carry_out
from bench.spec import Spec, SpecError
from bench.surroundings import HERE, Surroundings, say_lost

WENT_WRONG = ("oom", "timeout", "crashed", "failed")


def do_run(
    ask: Ask,
    out: Path | None,
    resume: Path | None,
    recover: bool = False,
    launch: str | None = None,
    crew: Crew | None = None,
    around: Surroundings = HERE,
) -> int:
    """Run or resume, write the report, and return the exit code.

    An interrupt before there is anything to go on with passes through.
    """
    if recover and resume is None:
        raise SpecError("recover: must go with --resume DIR")
    if launch or (resume and is_launched(resume)):
        from bench.launch.job import do_launch

        if recover:
            raise SpecError("recover: must go with the folder of a job, DIR/jobs/JOB")
        return do_launch(ask, out, resume, launch)
    if resume is None:
        if out is not None:
            store.check_new(out)  # before seconds are spent on the machine
        run, spec = new_run(ask.spec(usable_cores()), around)
        folder = out or Path("results") / run.run_id
    elif ask != Ask() or out is not None:
        raise SpecError("resume: takes a folder and no option but --recover")
    else:
        folder = resume
    with store.entered(folder, new=resume is None):
        if resume is None:
            store.create(folder, run)
            said = notices(spec)
        else:
            said = store.recover(folder) if recover else []
            run = store.reopen(folder)
            spec = Spec.model_validate(run.spec)
            say_lost(folder, run, around.say)
            run = replace(run, lost="")  # it is measured again
        for line in said:
            around.say(line)
        return _carry_on(spec, run, folder, crew or Crew(), around)


def _carry_on(spec: Spec, run: Run, out: Path, crew: Crew, around: Surroundings) -> int:
    is_whole = False
    try:
        with ProgressBar() as progress:
            run = carry_out(spec, run, out, crew, progress, around)
        is_whole = True
        _write(run, out)
    except Interrupted:
        if not is_whole:
            around.say("stopped; writing the partial report (Ctrl-C again: without it)")
            _write(store.load(out), out, partial=True)
        print(f"Interrupted; go on with: crossover run --resume {out}")
        return EXIT_CODE
    return 3 if any(m.status in WENT_WRONG for m in run.measurements) else 0


def _write(run: Run, out: Path, partial: bool = False) -> None:
    from bench.report.terminal import show
    from bench.report.write import write_report

    show(write_report(run, out, partial=partial))
    if run.machine.energy_unmeasured:
        print(f"  energy: {run.machine.energy_unmeasured}")
    Console().print(f"Report: {out / 'report.html'}", highlight=False, soft_wrap=True)


def new_run(spec: Spec, around: Surroundings) -> tuple[Run, Spec]:
    """Describe this machine and make a run of a spec, resolved for it.

    Raises:
        SpecError: for a device that torch does not know, or too many threads.
    """
    cores = usable_cores()
    planned = resolve(spec, (), cores)  # bad threads are refused before torch loads
    asked = {c.device for s in planned.sweep for c in planned.contenders_of(s)}
    try:
        machine = snapshot(tuple(sorted(asked)))
    except ValueError as error:
        raise SpecError(str(error)) from error
    names = tuple(str(a["name"]) for a in machine.accelerators)
    spec = resolve(spec, names, cores)
    fields = spec.model_dump(mode="json")
    name = new_id(spec, around)
    return Run(name, SCHEMA, fields, commit(), typed(), machine, ()), spec


def new_id(spec: Spec, around: Surroundings) -> str:
    """Return the id of a run that starts now."""
    return f"{spec.name}-{around.utc():%Y%m%d-%H%M%S}"


def typed() -> str:
    """Return the command line as it was typed."""
    return shlex.join(["crossover", *sys.argv[1:]])


def commit() -> str | None:
    """Return the commit of this program, None outside a checkout."""
    done = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


def do_plan(ask: Ask) -> None:
    """Print what a run would do."""
    cores = usable_cores()
    spec = resolve(ask.spec(cores), (), cores)
    for line in notices(spec):
        print(f"crossover: {line}", file=sys.stderr)
    blocks = next_blocks(spec, [])
    for block in blocks:
        names = ", ".join(map(str, block.contenders))
        print(f"{case_id(block.case):40} {len(block.rounds)} rounds: {names}")
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
    from bench.command.selftest import selftest

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

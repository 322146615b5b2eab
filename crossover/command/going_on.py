"""A run that begins, alone, or goes on: under the same circumstances, or marked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from crossover.command import new_run
from crossover.files.untrusted import InputError
from crossover.measure.declare import bring_back
from crossover.measure.environment import Environment
from crossover.nouns import Circumstances, Run
from crossover.record import copies, run_folder
from crossover.record.circumstances import changes, machine_id

FORCED = (
    "--force goes on: new rounds then carry another machine's id, and are never paired "
    "with those before"
)


@contextmanager
def beginning(folder: Path, run: Run) -> Iterator[Run]:
    """Hold a new run against copies of it, and yield it.

    Raises:
        InputError: when a copy of it is being measured.
    """
    with copies.alone(folder, run):
        copies.note(folder, run)
        yield run


@contextmanager
def going_on(
    folder: Path, run: Run, environment: Environment, force: bool = False
) -> Iterator[Run]:
    """Hold a run that was read back, and yield it as it goes on here.

    Args:
        folder: its folder, which is held already.
        run: as it was read.
        environment: tells the user what is not compared, and what was forced.
        force: go on under other circumstances, with a machine's id of their own.

    Raises:
        InputError: naming what differs, or the folder of a copy that went on.
    """
    with copies.alone(folder, run):
        bring_back(run.spec.declared, run.user_file)
        if run.machine.passed_on is None:
            environment.say(
                f"run = {str(folder)!r}: is of an older version, which recorded less: "
                "the environment is not compared"
            )
        now = new_run.here(run.spec)
        copy = copies.went_on_elsewhere(folder, run)
        run = _same(folder, run, now, copy, force, environment)
        copies.note(folder, run)
        yield run


def _same(
    folder: Path, run: Run, now: Circumstances, copy: Path | None, force: bool,
    environment: Environment,
) -> Run:  # fmt: skip
    """Return the run with the machine's id that its next rounds carry."""
    known = {"": run.circumstances, **run.others}
    last = run.measurements[-1].machine_id if run.measurements else ""
    differ = changes(known.get(last, run.circumstances), now)
    if copy is not None:
        differ = [f"is a copy of {str(copy)!r}, which has other rounds since", *differ]
    if not differ:
        return replace(run, machine_id=last)
    alike = [name for name, there in known.items() if not changes(there, now)]
    if alike and copy is None:
        return replace(run, machine_id=alike[0])
    why = f"run = {str(folder)!r}: {'; '.join(differ)}"
    if not force:
        raise InputError(f"{why}; must be as before (was → is). {FORCED}")
    name = machine_id(now, str(folder.resolve()) if copy else "")
    environment.say(f"{why}: new rounds carry the machine's id {name}")
    run = replace(run, others={**run.others, name: now}, machine_id=name)
    run_folder.rewrite_header(folder, run)
    return run

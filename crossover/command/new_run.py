"""A run that begins: its id, the command and commit, this machine, the plan for it."""

import dataclasses
import shlex
import subprocess
import sys
import zlib
from pathlib import Path

from crossover.files.untrusted import InputError, printable
from crossover.measure.environment import Environment
from crossover.measure.machine import snapshot, usable_cores
from crossover.measure.process import WorkerProcess
from crossover.nouns import SCHEMA, Circumstances, Machine, Run
from crossover.proof.settings import notices
from crossover.spec.contenders import missing
from crossover.spec.resolve import resolve
from crossover.spec.spec import Spec
from crossover.workloads.registry import user_file


def new_run(spec: Spec, environment: Environment) -> tuple[Run, Spec]:
    """Describe this machine and make a run of a spec, resolved for it.

    Raises:
        InputError: for a device that torch does not know, or too many threads.
    """
    cores = usable_cores()
    planned = resolve(spec, (), cores)  # bad threads are refused before torch loads
    found = here(planned)
    machine = found.machine
    for line in notices(machine.passed_on or {}, machine.left_out):
        environment.say(line)
    names = tuple(str(a["name"]) for a in machine.accelerators)
    spec = resolve(spec, names, cores)
    name = new_id(spec, environment)
    file = user_file(spec.workload)
    return Run(name, SCHEMA, spec, found.commit, typed(), machine, (), file), spec


def here(spec: Spec) -> Circumstances:
    """Return the circumstances under which a spec is measured here and now.

    Of a file without torch, on the CPU alone, torch is not asked.

    Raises:
        InputError: for a device that torch does not know.
    """
    asked = sorted({c.device for s in spec.sweep for c in spec.contenders_of(s)})
    file = user_file(spec.workload)
    if file is None or file.loads_torch or asked != ["cpu"]:
        machine = snapshot(tuple(asked))
    else:
        machine = snapshot(
            tuple(asked), lambda _: WorkerProcess(None, loads_torch=False)
        )
    if spec.declared.is_users:  # what softmax's trainers lack says nothing of it
        machine = dataclasses.replace(machine, trainers={})
    return Circumstances(machine, commit())


def check_pairs(spec: Spec, machine: Machine) -> None:
    """Refuse a spec if no pair of it has both its contenders on this machine.

    Not the jobs of a launched run: their nodes are compared with each other, too.

    Raises:
        InputError: with the reasons.
    """
    reasons: dict[str, None] = {}
    for sweep in spec.sweep:
        for pair in spec.pairs_of(sweep):
            lacks = [said for c in pair if (said := missing(c, machine)) is not None]
            if pair[0] == pair[1]:
                lacks = [f"{pair[0]} against itself, as this machine has one core"]
            if not lacks:
                return
            reasons |= dict.fromkeys(lacks)
    raise InputError(f"pairs: none can be compared here: {'; '.join(reasons)}")


def new_id(spec: Spec, environment: Environment) -> str:
    """Return the id of a run that starts now."""
    return f"{spec.name}-{environment.utc():%Y%m%d-%H%M%S}"


def typed() -> str:
    """Return the command line as it was typed."""
    return printable(shlex.join(["crossover", *sys.argv[1:]]))


def commit() -> str | None:
    """Return the commit of this program, None outside a checkout or without git.

    That of an edited checkout ends in `-dirty` and a checksum of what was edited. A
    checkout around an installed program, such as the user's own, is not the program's.
    """
    if _git("ls-files", Path(__file__).name) is None:
        return None
    found = _git("describe", "--always", "--dirty")
    if found is None or not found.endswith("-dirty"):
        return found
    return f"{found}-{zlib.crc32((_git('diff', 'HEAD') or '').encode()):08x}"


def _git(*arguments: str) -> str | None:
    """Return what git says of this checkout, None where it says nothing."""
    here = str(Path(__file__).parent)
    try:
        done = subprocess.run(
            ["git", "-C", here, *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip() or None

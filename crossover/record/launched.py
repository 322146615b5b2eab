"""The folder of a launched run: `launch.json`, a run directory per job, merged ones.

    launch.json       what was asked; who its jobs are follows from the spec
    jobs/JOB/         a run directory each, written on the job's node
    logs/JOB.txt      what the job printed
    merged/NODE/      all jobs of one machine as one run directory, with its report

`crossover.launch` writes jobs, `merge` the rest from them, as often as it is asked.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import StrictStr

from crossover.files.atomic import write_atomically
from crossover.files.refusals import refusing
from crossover.files.untrusted import (
    InputError,
    Unreadable,
    clean,
    parse_json,
    read_text,
)
from crossover.nouns import Case, Run, UserFile
from crossover.record import codec, run_folder
from crossover.record.chain import last_check, sealed
from crossover.record.circumstances import changes
from crossover.record.journal import JOURNAL
from crossover.record.run_folder import HEADER
from crossover.spec.bounds import Strict
from crossover.spec.launch_table import Launch, NodeType
from crossover.spec.spec import Spec
from crossover.workloads.workload import Workload

LAUNCH, JOBS, LOGS, MERGED, ENDED = "launch.json", "jobs", "logs", "merged", "ended"
Say = Callable[[str], None]
MOST_LAUNCH = codec.MOST_HEADER
DEFAULT = "node"
"""The node type's name in a spec that names none: any node that the scheduler gives."""


class Launched(Strict):
    """What was launched, as launch.json holds it."""

    launch: StrictStr
    """Which launcher carries out the jobs: slurm or local."""
    run_id: StrictStr
    command: StrictStr
    commit: StrictStr | None
    workload: Workload | None = None
    """What a user's file declared; None for other workloads."""
    user_file: UserFile | None = None
    spec: Spec


@dataclass(frozen=True)
class Job:
    """Some sweeps to be measured on one node of one type, all alone there."""

    name: str
    node: str
    node_type: NodeType
    spec: Spec


def jobs_of(spec: Spec) -> list[Job]:
    """Return the jobs of a spec, node type by node type; a sweep is in one of each."""
    launch = spec.launch or Launch()
    step = launch.sweeps_per_job
    groups = (spec.sweep[i : i + step] for i in range(0, len(spec.sweep), step))
    parts = [spec.model_copy(update={"sweep": g, "launch": None}) for g in groups]
    nodes = launch.nodes or {DEFAULT: NodeType()}
    return [
        Job(f"{node}-{number}", node, kind, part)
        for node, kind in nodes.items()
        for number, part in enumerate(parts, start=1)
    ]


def is_launched(out: Path) -> bool:
    """Tell whether a folder is that of a launched run."""
    return (out / LAUNCH).is_file()


def has_ended(out: Path, job: Job) -> bool:
    """Tell whether a job of a launched run has done all that was asked of it."""
    return (out / JOBS / job.name / ENDED).exists()


def create(out: Path, launched: Launched) -> None:
    """Make the folder of a launched run.

    Raises:
        InputError: when `out` holds something already or cannot be written.
    """
    with refusing("out", out):
        if out.exists() and any(out.iterdir()):
            raise Unreadable("holds files; must be new or empty")
        for folder in (out / JOBS, out / LOGS):
            folder.mkdir(parents=True, exist_ok=True)
        unsaid = {"workload", "user_file"} if launched.user_file is None else set()
        text = launched.model_dump_json(indent=2, exclude=unsaid) + "\n"
        write_atomically(out / LAUNCH, text)


def load(out: Path) -> Launched:
    """Read launch.json.

    Raises:
        InputError: when it is missing or garbled.
    """
    with refusing("run", out, LAUNCH):
        fields = clean(parse_json(read_text(out / LAUNCH, MOST_LAUNCH, link=False)))
        known = codec.read_workload(fields)
        context = {"workload": known} if known else None
        return Launched.model_validate_json(json.dumps(fields), context=context)


def merge(out: Path, say: Say = lambda line: None) -> list[Path]:
    """Write a run directory of each machine's jobs; return them in the spec's order.

    Jobs of one node type that met different machines, or other circumstances, are kept
    apart: the second machine's folder is called NODE+2. Journals are copied line by
    line, checked.

    Args:
        out: the folder of the launched run.
        say: is told which job was kept apart, and what differs.

    Raises:
        InputError: when a job's folder is garbled or a copy of another's, or `out`
            cannot be written.
    """
    launched = load(out)
    machines: list[tuple[Job, dict[Path, Run]]] = []
    taken: dict[str, Path] = {}
    for job in jobs_of(launched.spec):
        folder = out / JOBS / job.name
        if (folder / HEADER).exists():
            run = run_folder.load_header(folder)
            if (other := taken.setdefault(run.run_id, folder)) is not folder:
                why = f"is a copy of {str(other)!r}; must be a run of its own"
                raise InputError(f"run = {str(folder)!r}: {why}")
            _join(machines, job, folder, run, say)
    merged: list[Path] = []
    nodes: Counter[str] = Counter()
    for first, runs in machines:
        nodes[first.node] += 1
        number = f"+{n}" if (n := nodes[first.node]) > 1 else ""
        target = out / MERGED / f"{first.node}{number}"
        with refusing("out", target):
            if target.is_symlink() or target.parent.is_symlink():  # of a stranger
                raise Unreadable("is a link; must be a folder")
            _merge(launched, runs, target)
        merged.append(target)
    return merged


def _join(
    machines: list[tuple[Job, dict[Path, Run]]], job: Job, folder: Path, run: Run,
    say: Say,
) -> None:  # fmt: skip
    """Put a job's run beside those that were measured under the same circumstances."""
    apart = ""
    for first, met in machines:
        if first.node != job.node:
            continue
        known = next(iter(met.values())).circumstances
        differ = changes(known, run.circumstances, hosts=False)
        if not differ:
            met[folder] = run
            return
        apart = f"kept apart from {first.name}: {'; '.join(differ)}"
    if apart:
        say(f"job {job.name}: {apart}")
    machines.append((job, {folder: run}))


def _merge(launched: Launched, runs: Mapping[Path, Run], target: Path) -> None:
    header = codec.header(one_run(launched, target.name, list(runs.values())))
    target.mkdir(parents=True, exist_ok=True)
    part = target / f"{JOURNAL}.part"
    part.unlink(missing_ok=True)
    with open(part, "x", encoding="utf-8", newline="\n") as journal:
        journal.writelines(_lines(runs))
    part.replace(target / JOURNAL)
    write_atomically(target / HEADER, header)


def one_run(launched: Launched, name: str, runs: Sequence[Run]) -> Run:
    """Return the header of several runs of one machine as one.

    Raises:
        InputError: when they are of different machines or circumstances, whose rounds
            never pair.
    """
    machine = runs[0].machine
    for run in runs:
        if differ := changes(runs[0].circumstances, run.circumstances, hosts=False):
            raise InputError(f"runs of {name}: {differ[0]}; must be from one machine")
    sweeps = tuple(sweep for run in runs for sweep in run.spec.sweep)
    hosts = dict.fromkeys(run.machine.hostname for run in runs)
    return dataclasses.replace(
        runs[0],
        run_id=f"{launched.run_id}-{name}",
        spec=runs[0].spec.model_copy(update={"sweep": sweeps}),
        command=launched.command,
        commit=launched.commit,
        machine=dataclasses.replace(machine, hostname=", ".join(hosts)),
        others={name: there for run in runs for name, there in run.others.items()},
    )


def _lines(runs: Mapping[Path, Run]) -> Iterator[str]:
    """Yield the lines of all journals; each round gets a number that no other job has.

    Rounds of a case are compared by their number. Two jobs that measured the same
    case, perhaps on two nodes of one type, are not compared round by round. The first
    job's checksums are right as they are; those of the others follow from its last.
    """
    taken: dict[Case, int] = {}
    last = ""
    for folder, run in runs.items():
        mine: dict[Case, int] = {}
        lines = _job_lines(folder, run, taken, mine if len(runs) > 1 else None)
        if last:
            lines = sealed(lines, last_check(last.removesuffix("\n").encode()))
        for last in lines:
            yield last
        taken |= mine


def _job_lines(
    folder: Path, run: Run, taken: Mapping[Case, int], mine: dict[Case, int] | None
) -> Iterator[str]:
    """Yield a job's lines, and note the number of rounds of each case in `mine`."""
    for line, m in run_folder.load_lines(folder, run):
        shift = taken.get(m.case, 0) if taken else 0
        if mine is not None:
            mine[m.case] = max(mine.get(m.case, 0), shift + m.round + 1)
        moved = shift and codec.line(dataclasses.replace(m, round=m.round + shift))
        yield moved or line + "\n"

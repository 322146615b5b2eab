"""The jobs of a launched run on the nodes of a cluster that Slurm hands out.

The batch file is submitit's, the command in it ours. submitit would run a pickled
function under srun and send its warning of the time limit to every process of the job:
the workers would die of it, and be recorded as crashed. Here the batch script becomes
the command itself, the warning reaches it alone, and the command goes on by itself
whenever Slurm starts the job again. Who is queued or running is asked of squeue, by
the jobs' names, so no accounting database is needed.
"""

import hashlib
import shlex
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossover.files.untrusted import InputError
from crossover.launch.node import ShowJobs, command
from crossover.record import launched
from crossover.record.launched import Job
from crossover.spec.launch_table import NodeType

SCRIPTS = "slurm"
WARNING_S = 60
"""A job is warned this long before its time limit: a round must end within it."""
FIRST_POLL_S, MOST_POLL_S = 1.0, 15.0
GONE = 2
"""Missing from squeue this often in a row, without having ended: the job is lost."""


def check() -> None:
    """Refuse where there is no Slurm.

    Raises:
        InputError: naming what is missing.
    """
    if find_spec("submitit") is None:
        needs = "submitit; pip install 'softmax-crossover[slurm]'"
    elif missing := [n for n in ("sbatch", "squeue") if shutil.which(n) is None]:
        needs = f"Slurm's {' and '.join(missing)} on this machine"
    else:
        return
    raise InputError(f"launch = 'slurm': needs {needs}")


def batch_text(name: str, kind: NodeType, argv: Sequence[str], log: Path) -> str:
    """Return the batch file of one job.

    Args:
        name: of the job, as the queue shows it.
        kind: the node that it gets for itself.
        argv: its command.
        log: what it prints is appended to it.
    """
    from submitit.slurm.slurm import _make_sbatch_string

    asked: dict[str, Any] = {"partition": kind.partition, "constraint": kind.constraint}
    flags = {
        "output": str(log),
        "signal": f"B:USR1@{WARNING_S}",
        "requeue": True,
        "mem": 0,  # all of the node's
        **{flag: value for flag, value in kind.extra.items() if value is not False},
    }
    return _make_sbatch_string(
        command=f"exec {shlex.join(argv)}",
        folder=log.parent,
        job_name=name,
        time=kind.limit_minutes,
        gpus_per_node=kind.gpus or None,
        exclusive=True,
        stderr_to_stdout=True,
        use_srun=False,
        additional_parameters=flags,
        **asked,
    )


def queue_name(folder: Path, job: Job) -> str:
    """Return a job's name in the queue, which no other folder's jobs have."""
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    return f"crossover-{digest}-{job.name}"


def run_jobs(
    folder: Path, jobs: Sequence[Job], show: ShowJobs, force: bool = False
) -> None:
    """Submit the jobs that are not queued yet, and wait until none is.

    `Interrupted` passes through and leaves the jobs to Slurm.

    Raises:
        InputError: when Slurm refuses a job.
    """
    folder = folder.resolve()
    names = {queue_name(folder, job): job for job in jobs}
    known = _queue()
    if known is None:
        raise InputError("launch = 'slurm': squeue does not answer")
    for name, job in names.items():
        if name not in known:
            _submit(folder, name, job, force)
    absent: Counter[str] = Counter()
    started = time.monotonic()
    while True:
        open_ = [n for n, job in names.items() if not launched.has_ended(folder, job)]
        states = _queue()
        if states is not None:
            absent = Counter({n: absent[n] + 1 for n in open_ if n not in states})
            listed = [states[n] for n in open_ if n in states]
            waiting = listed.count("PENDING")
            show(len(names) - len(open_), len(listed) - waiting, waiting)
        if all(absent[name] >= GONE for name in open_):
            return
        elapsed_s = time.monotonic() - started
        time.sleep(min(MOST_POLL_S, FIRST_POLL_S + elapsed_s / 60))


def _submit(folder: Path, name: str, job: Job, force: bool) -> None:
    log = folder / launched.LOGS / f"{job.name}.txt"
    script = folder / SCRIPTS / f"{job.name}.sh"
    script.parent.mkdir(exist_ok=True)
    does = command(folder, job.name, force)
    script.write_text(batch_text(name, job.node_type, does, log), "utf-8")
    done = _ran("sbatch", "--parsable", str(script))
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise InputError(f"launch.nodes.{job.node}: sbatch refuses it: {why}")


def _ran(*command: str) -> subprocess.CompletedProcess[str]:
    nothing = subprocess.DEVNULL
    return subprocess.run(
        command, stdin=nothing, capture_output=True, encoding="utf-8",
        errors="replace", check=False,
    )  # fmt: skip


def _queue() -> dict[str, str] | None:
    """Return the states of this user's jobs by name, None where Slurm is silent."""
    done = _ran("squeue", "--me", "--noheader", "--format=%j %T")
    if done.returncode:
        return None
    rows = (line.rsplit(maxsplit=1) for line in done.stdout.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}

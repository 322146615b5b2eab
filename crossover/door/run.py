"""The runs of `crossover run`, from Python; and runs that are recorded already.

A run has a worker process for each contender, as on the command line.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossover.command.ask import Ask
from crossover.command.new_run import check_pairs, new_run
from crossover.door.asked import (
    duration_text,
    limit_text,
    names,
    share_text,
    sizes_text,
)
from crossover.door.carried import carried_out
from crossover.door.result import Result
from crossover.files.untrusted import InputError, shown
from crossover.measure.declare import bring_file
from crossover.measure.environment import ENVIRONMENT, say_lost
from crossover.measure.machine import usable_cores
from crossover.measure.nursery import nurseries
from crossover.measure.process import Workers
from crossover.plan.plan import notices
from crossover.record import run_folder
from crossover.sources.find_runs import run_named
from crossover.spec.spec import Spec, parse_spec
from crossover.workloads.workload import is_users

Job = str | os.PathLike[str] | Mapping[str, Any]


@nurseries()
def run(
    job: Job | None = None,
    sizes: Mapping[str, Any] | None = None,
    contenders: str | Iterable[str] | None = None,
    budget: str | float | None = None,
    *,
    preset: str = "quick",
    rounds: int | None = None,
    width: float | None = None,
    margin: str | float | None = None,
    both_ends: bool = False,
    grid: bool = False,
    latency: bool = False,
    good_enough: str | float | None = None,
    progress: bool = True,
) -> Result:
    """Measure as `crossover run` does: each contender in a process of its own.

    Args:
        job: what the command takes: a spec's path, a file of Python, `module:function`
            or a workload's name; or a spec's fields. None: softmax regression.
        sizes: sizes and settings by name: `{"hidden": "64..4096", "batch": 32}`.
        contenders: such as `["cpu@1", "cuda"]`; the others are compared with the first.
        budget: how long to measure: `"90s"`, `"5m"` or seconds.
        preset: which sizes of softmax regression, if no job is named.
        rounds: the most rounds of a size.
        width: search until high / low of a crossover is at most this.
        margin: share by which a contender must be faster to be ahead.
        both_ends: search, too, up to which size the challenger is slower.
        grid: measure the sizes given, all alike, and add none.
        latency: time single calls, too, at least 1,000 of a cell if the budget allows.
        good_enough: say up to which size each contender takes at most this time:
            `"20ms"`, or seconds.
        progress: show how far it is.

    Raises:
        TypeError: for an argument of another kind.
        InputError: a `ValueError` that names an argument, its value and what is
            allowed.
        KeyboardInterrupt: after Ctrl-C before the first round; later, the result holds
            what is measured.
    """
    if sizes is not None and not isinstance(sizes, Mapping):
        raise TypeError(f"sizes = {shown(sizes)}: must be values by name, as a dict")
    ask = Ask(
        target=None if job is None or isinstance(job, Mapping) else os.fspath(job),
        preset=preset,
        contenders=()
        if contenders is None
        else names("contenders", contenders, "['cpu@1', 'cuda']"),
        sizes=tuple((n, sizes_text(n, value)) for n, value in (sizes or {}).items()),
        budget=duration_text(budget),
        rounds=rounds,
        width=width,
        margin=share_text(margin),
        both_ends=both_ends,
        grid=grid,
        latency=latency,
        good_enough=limit_text(good_enough),
    )
    spec = ask.spec(usable_cores())
    if isinstance(job, Mapping):
        if ask != Ask():
            raise InputError("job: is a spec, which must hold all that is asked for")
        spec = _given(job)
    begun, spec = new_run(spec, ENVIRONMENT)
    check_pairs(spec, begun.machine)
    for line in ask.notices(spec) + notices(spec):
        ENVIRONMENT.say(line)
    command = (
        f"crossover.run({job!r})" if not isinstance(job, Mapping) else "crossover.run"
    )
    return carried_out(replace(begun, command=command), Workers(), progress)


def _given(fields: Mapping[str, Any]) -> Spec:
    """Return the spec of fields, whose workload may be a user's file here."""
    own, name = dict(fields), fields.get("workload")
    if isinstance(name, str) and is_users(name):
        own["workload"] = bring_file(name, str(Path.cwd())).name
    return parse_spec(own, "job")


def read(folder: str | os.PathLike[str]) -> Result:
    """Return what a recorded run found.

    Args:
        folder: a run's folder, or what `crossover compare` takes: a JSON file of
            pytest-benchmark, or a commit in asv's results, DIR@COMMIT.

    Raises:
        InputError: when it is none of these.
    """
    path = Path(os.fspath(folder))
    found = run_named(str(path))
    say_lost(path, found)
    is_run = (path / run_folder.HEADER).exists()
    return Result(found, path if is_run else None)

"""Find from which size on a contender is ahead, measured in this process.

In: functions that prepare a step, as in a user's file. Out: a `Result`. The rules are
those of every run (docs/python.md); what differs is that one process measures all
contenders, which every answer says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossover.command.ask import USUAL, opponent, parse_duration, parse_margin
from crossover.command.new_run import check_pairs, commit, new_id
from crossover.command.sweeps import sweeps, usual_sweep
from crossover.door.asked import (
    Sizes,
    duration_text,
    limit_text,
    names,
    share_text,
    sizes_text,
)
from crossover.door.carried import carried_out
from crossover.door.functions import MakeStep, bring_functions
from crossover.door.here import Here, undisturbed, workers_here
from crossover.door.result import Result
from crossover.files.untrusted import InputError, check_known, printable, shown
from crossover.latency.enough import parse_limit
from crossover.measure.environment import ENVIRONMENT
from crossover.measure.machine import snapshot, usable_cores
from crossover.nouns import SCHEMA, Run
from crossover.spec.contenders import ACCELERATOR, ALL_THREADS
from crossover.spec.resolve import resolve
from crossover.spec.spec import Spec, parse_spec
from crossover.workloads.user_file import DEFAULT_CHECK
from crossover.workloads.workload import Workload

DEVICES = "['cpu@1', 'cpu@2', 'cuda']"
"""An example of what `devices` may be."""


def find(
    make_step: MakeStep | Sequence[MakeStep],
    axis: str | None = None,
    sizes: Sizes | None = None,
    devices: str | Iterable[str] | None = None,
    budget: str | float | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    data: Callable[..., Any] | None = None,
    synchronize: Callable[[str], object] | None = None,
    check: float | None = DEFAULT_CHECK,
    rounds: int | None = None,
    width: float | None = None,
    margin: str | float | None = None,
    both_ends: bool = False,
    grid: bool = False,
    latency: bool = False,
    good_enough: str | float | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Result:
    """Find from which size on a contender is ahead, measured in this process.

    Args:
        make_step: `make_step(device, hidden=256, batch=32)` returns the step to repeat;
            several functions with the same arguments are compared with each other.
        axis: the argument along which sizes vary; None: the first one that is a size.
        sizes: its values, such as `[64, 256, 1024]`, or `"64..4096"`. The search
            chooses more between them, and never any outside.
        devices: contenders, the first of which all others are compared with: `cpu@2`
            has two threads, `cuda/train` names a function. None: all threads and each
            accelerator; one thread, too, if there is one function.
        budget: how long to measure: `"90s"`, `"5m"` or seconds. None: two minutes.
        at: values of the other arguments, by name.
        data: makes what an argument `data` takes, as in a user's file.
        synchronize: waits for a device that is not torch's.
        check: how far contenders' results may lie apart, as a share of the largest;
            None: they are not compared.
        rounds: the most rounds of a size.
        width: search until high / low of a crossover is at most this.
        margin: share by which a contender must be faster to be ahead; None: 5 %.
        both_ends: search, too, up to which size the challenger is slower.
        grid: measure the sizes given, all alike, and add none.
        latency: time single calls, too, at least 1,000 of a cell if the budget allows.
        good_enough: say up to which size each contender takes at most this time:
            `"20ms"`, or seconds.
        seed: orders the contenders of each round.
        progress: show how far it is.

    Raises:
        TypeError: for an argument of another kind.
        InputError: a `ValueError` that names an argument, its value and what is
            allowed.
        KeyboardInterrupt: after Ctrl-C before the first round; later, the result holds
            what is measured.
    """
    workload = bring_functions(make_step, data, synchronize, check)
    fields: dict[str, Any] = {
        **USUAL,
        "name": "find",
        "workload": workload.name,
        "sweep": [_sweep(workload, axis, sizes, at or {})],
        "both_ends": both_ends,
        "grid": grid,
        "latency": latency,
        "seed": seed,
        **_contenders(workload, devices),
    }
    if (seconds := duration_text(budget)) is not None:
        fields["budget_s"] = parse_duration(seconds)
    more = {
        "rounds": rounds,
        "width": width,
        "margin": parse_margin(share_text(margin)),
        "good_enough_s": parse_limit(limit_text(good_enough)),
    }
    fields |= {name: value for name, value in more.items() if value is not None}
    with undisturbed():
        run = _begun(parse_spec(fields, "find"))
        return carried_out(run, workers_here(), progress)


def _sweep(
    workload: Workload, axis: str | None, sizes: Sizes | None, at: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the sweep that is asked for; the search stays within its sizes.

    Sizes beyond them could take all memory of this process, which nothing survives.
    """
    if not isinstance(at, Mapping):
        raise TypeError(f"at = {shown(at)}: must be values by name, as {{'batch': 32}}")
    if axis is None:
        axis = str(usual_sweep(workload, at)["axis"])
    check_known("axis", axis, workload.axes)
    for name in at:
        check_known("at", name, workload.names)
    if axis in at:
        raise InputError(f"at = {shown(dict(at))}: must not hold the axis, {axis}")
    texts = {name: sizes_text(f"at[{name!r}]", value) for name, value in at.items()}
    base = usual_sweep(workload, {n for n in workload.axes if n != axis})
    if sizes is not None:
        texts[axis] = sizes_text("sizes", sizes)
    made = sweeps(workload, [base], texts, True)
    if len(made) > 1 or made[0]["axis"] != axis:
        raise InputError(f"at = {shown(dict(at))}: must hold one value of each name")
    return {**made[0], "closed": True}


def _contenders(
    workload: Workload, devices: str | Iterable[str] | None
) -> dict[str, Any]:
    """Return the contenders and pairs: the first one is compared with all others."""
    functions = [one.name for one in workload.implementations]
    first = functions[0]
    if devices is None:
        here = [f"cpu{ALL_THREADS}", ACCELERATOR]
    else:
        here = [*names("devices", devices, DEVICES)]
    found = [who for text in here for who in _of(text, functions)]
    pairs = [(found[0], other) for other in found[1:]]
    if devices is None and len(functions) == 1:
        pairs.append((f"cpu/{first}@1", found[0]))
    pairs = pairs or [(opponent(workload), found[0])]
    contenders = dict.fromkeys(who for pair in pairs for who in pair)
    return {"contenders": [*contenders], "pairs": pairs}


def _of(text: str, functions: Sequence[str]) -> list[str]:
    """Return a contender's texts: it names a function, or means each of them."""
    if "/" in text:
        return [text]
    device, at, threads = text.partition("@")
    return [f"{device}/{function}{at}{threads}" for function in functions]


def _begun(spec: Spec) -> Run:
    """Return a run of this process that begins: this machine, and a plan for it.

    Raises:
        InputError: for a device that torch does not know, too many threads, or if no
            pair can be compared here.
    """
    cores = usable_cores()
    planned = resolve(spec, (), cores)
    asked = {c.device for s in planned.sweep for c in planned.contenders_of(s)}
    machine = snapshot(tuple(sorted(asked)), Here)
    # Nothing is kept from a process that runs already.
    set_here = {**(machine.passed_on or {}), **machine.left_out}
    machine = replace(machine, trainers={}, passed_on=set_here, left_out={})
    devices = tuple(str(a["name"]) for a in machine.accelerators)
    spec = resolve(spec, devices, cores)
    check_pairs(spec, machine)
    run_id, command = new_id(spec, ENVIRONMENT), _called(spec)
    return Run(run_id, SCHEMA, spec, commit(), command, machine, ())


def _called(spec: Spec) -> str:
    """Return roughly the call that a run is of, for its record."""
    sweep = spec.sweep[0]
    function = spec.workload.partition(":")[2]
    listed = ", ".join(map(str, sweep.values))
    return printable(
        f"crossover.find({function}, axis={sweep.axis!r}, sizes=[{listed}], "
        f"devices={list(spec.contenders)})"
    )

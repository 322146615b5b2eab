"""A recorded run as what picking needs, and as what a file tells of it.

In: a run. Out: the data of a `Choice`. `pick`, `export` and results in Python call it.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from crossover.analysis.crossover import control_fired, crossovers, incomplete
from crossover.analysis.flags import DOUBTS, doubts, is_withheld
from crossover.analysis.rounds import Recorded
from crossover.choose.data import Seen, Timed, Where, choice_data
from crossover.choose.zones import zones_of
from crossover.files.untrusted import InputError, check_known
from crossover.findings import Crossover
from crossover.nouns import VIEWS, Case, Machine, Run
from crossover.workloads.values import text
from crossover.workloads.workload import Workload

TIME = "time_s"
PARTIAL = "interrupted: only a part was measured"
WITHHELD = "withheld: other programs took so much that no verdict stands"


def data_of_run(
    run: Run,
    view: str = VIEWS[0],
    found: Sequence[Crossover] | None = None,
    recorded: Recorded | None = None,
    partial: bool = False,
) -> dict[str, Any]:
    """Return the data of a `Choice` among the contenders of a run.

    Args:
        run: what was measured.
        view: what a time includes, one of `VIEWS`.
        found: the run's crossovers; computed if not given.
        recorded: its rounds by cell; gathered if not given.
        partial: whether it was interrupted.

    Raises:
        InputError: for another view, or if nothing was measured in it.
    """
    check_known("view", view, VIEWS)
    recorded = Recorded(run.measurements) if recorded is None else recorded
    found = crossovers(run, recorded) if found is None else found
    seen = seen_in(run, recorded, view, found)
    if not seen.timed:
        raise InputError(f"run = {run.run_id!r}: nothing was measured, view {view}")
    started = sorted(m.started_utc for m in run.measurements if m.started_utc)
    return choice_data(
        seen,
        run=run.run_id,
        date=started[0][:10] if started else "",
        view=view,
        margin=run.spec.margin,
        confidence=run.spec.confidence,
        machine=machine_facts(run.machine),
        again=run.command,
        doubts=[*([PARTIAL] if partial else []), *run_doubts(run, found)],
        zones=zones_of(found, view),
    )


def seen_in(
    run: Run, recorded: Recorded, view: str, found: Sequence[Crossover]
) -> Seen:
    """Return all that a run measured in a view; copies of a contender are left out."""
    workload = run.spec.declared
    flags = recorded.flags(run.machine)
    timed: dict[tuple[object, ...], Timed] = {}
    for cell, rows in recorded.ok.items():
        rounds = recorded.rounds(cell, view)
        if cell.contender.copy or not rounds:
            continue
        under = {m.round: m.machine_id for m in rows}
        seconds: dict[Hashable, float] = {(under[r], r): s for r, s in rounds.items()}
        sizes, settings = sizes_of(cell.case), settings_of(cell.case)
        said = [*doubts(flags[cell]).values()]
        said += [WITHHELD] * is_withheld(flags[cell])
        key = sizes, settings, cell.contender
        one = Timed(sizes, settings, str(cell.contender), seconds, tuple(said))
        if key not in timed or len(seconds) > len(timed[key].seconds):
            timed[key] = one
    return Seen(
        workload.axes,
        settings_names(workload),
        tuple(timed.values()),
        run.spec.confidence,
        run.spec.resolution,
        dict(_verdicts(found, view)),
    )


def settings_names(workload: Workload) -> tuple[str, ...]:
    """Name the settings that a time depends on: those of a user's file are all."""
    return tuple(
        setting.name
        for setting in workload.settings
        if workload.is_users or setting.name in workload.shape
    )


def sizes_of(case: Case) -> tuple[float, ...]:
    """Return the sizes of a case, in the workload's order."""
    return tuple(case[name] for name in case.workload.axes)


def settings_of(case: Case) -> tuple[Any, ...]:
    """Return the settings of a case that its time depends on, as JSON has them."""
    values = (case[name] for name in settings_names(case.workload))
    return tuple(text(v) if isinstance(v, tuple) else v for v in values)


def _verdicts(found: Sequence[Crossover], view: str) -> Iterator[tuple[Where, str]]:
    """Yield what is shown of each pair at each size."""
    for c in found:
        if c.view != view or c.metric != TIME or c.is_control:
            continue
        for zone in c.answer.zones:
            if zone.has_verdict:
                case = c.line.at(**{c.axis: int(zone.size)})
                where = settings_of(case), sizes_of(case)
                yield (*where, c.baseline, c.challenger), zone.name


def run_doubts(run: Run, found: Sequence[Crossover]) -> list[str]:
    """Return in words what makes all of a run doubtful."""
    said = [DOUBTS["control_fired"]] if control_fired(found) else []
    simulated = any(a.get("is_simulated") is True for a in run.machine.accelerators)
    said += ["simulated: a test of the program"] * simulated
    return [*said, *(f"incomplete: {one}" for one in incomplete(run, found))]


def machine_facts(machine: Machine) -> Mapping[str, Any]:
    """Return what an exported file compares with the machine that loads it."""
    drivers = [a.get("driver") for a in machine.accelerators]
    return {
        "fingerprint": machine.fingerprint,
        "cpu": machine.cpu or None,
        "cores": machine.cores,
        "accelerators": [str(a.get("description")) for a in machine.accelerators],
        "driver": next((str(driver) for driver in drivers if driver), None),
        "torch": machine.versions.get("torch"),
    }

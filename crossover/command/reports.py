"""The job behind `report`: on what is recorded already, by whomever."""

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.command.ask import parse_margin, parse_prices
from crossover.command.state import say_state, say_unswept
from crossover.files.untrusted import InputError
from crossover.findings import Crossover
from crossover.latency.enough import parse_limit
from crossover.measure.environment import ENVIRONMENT, say_lost
from crossover.nouns import Run
from crossover.record import launched, run_folder
from crossover.record.launched import is_launched

if TYPE_CHECKING:
    from crossover.analysis.machines import Found

INCOMPLETE = 3
"""The exit code of a run whose answers can be used, but are not all that was asked."""
MOST_PAGES = 20
"""With at most this many machines, each gets tables, plots and a page of its own."""


@dataclass(frozen=True)
class ReportAsk:
    """What `report` was asked for."""

    runs: tuple[Path, ...] = ()
    from_asv: tuple[str, ...] = ()
    from_pytest_benchmark: tuple[Path, ...] = ()
    out: Path | None = None
    prices: tuple[str, ...] = ()
    latex: bool = False
    parquet: bool = False
    show: bool = False
    recover: bool = False
    margin: str | None = None
    axis: str | None = None
    """A parameter of somebody's own benchmarks; None: our cells are meant."""
    contender: str | None = None
    bench: str | None = None
    baseline: str | None = None
    good_enough: str | None = None


@dataclass(frozen=True)
class _ToReport:
    """A run to report on, and the folder that its report goes to."""

    source: Run | Path
    """The run, or its folder, which is read when its turn comes."""
    out: Path
    is_stored: bool
    is_partial: bool = False


def do_report(ask: ReportAsk) -> int:
    """Write the derived files of recorded runs, whoever recorded them; or show them.

    Runs of several machines, or of a launched one, are put side by side too. Returns
    the exit code.

    Raises:
        InputError: when a run cannot be read, or a file not be written.
    """
    from crossover.analysis.crossover import crossovers, with_next_steps
    from crossover.analysis.flags import advice
    from crossover.analysis.machines import found_on
    from crossover.command.foreign import is_foreign, report_held
    from crossover.report.latency import said_around
    from crossover.report.terminal import show
    from crossover.sources.as_run import NoCellsError

    if is_foreign(ask):
        return report_held(ask)
    asked = {
        "prices": parse_prices(ask.prices),
        "margin": parse_margin(ask.margin),
        "good_enough_s": parse_limit(ask.good_enough),
    }
    is_whole = True
    for folder in ask.runs if ask.recover else ():
        for line in run_folder.recover(folder):
            is_whole = False
            ENVIRONMENT.say(line)
    say_state(ask.runs, ENVIRONMENT.say)
    left_out: list[str] = []
    try:
        given = _given(ask, left_out)
    except NoCellsError:
        return report_held(ask)
    for line in left_out:
        is_whole = False
        ENVIRONMENT.say(f"left out: {line}")
    has_pages = not ask.show and (
        len(given) <= MOST_PAGES or not any(map(is_launched, ask.runs))
    )
    found: list[Found] = []
    for one in given:
        run = one.source
        if isinstance(run, Path):
            run = run_folder.load(run)
        say_lost(one.out, run)
        say_unswept(run, str(one.out), ENVIRONMENT.say)
        run = _asked_again(run, asked)
        if ask.show or len(given) > 1:
            print(f"{run.run_id}:")
        answers = (
            _write(one, run, ask)
            if has_pages
            else with_next_steps(run, crossovers(run), one.out)
        )
        is_whole &= not say_incomplete(run, answers)
        show(answers, around=said_around(run))
        for flag in dict.fromkeys(flag for m in run.measurements for flag in m.flags):
            print(f"{flag}: {advice(flag)}")
        if has_pages:
            print(f"Report: {one.out / 'report.html'}")
        found.append(found_on(_name(one, found), run, answers))
    machines = {one.machine.fingerprint for one in found}
    if len(machines) > 1 or any(map(is_launched, ask.runs)):
        _side_by_side(found, ask)
    return 0 if is_whole else INCOMPLETE


def say_incomplete(run: Run, found: Sequence[Crossover]) -> list[str]:
    """Print in a line what a run lacks of what it was asked for; return its items."""
    from crossover.analysis.crossover import incomplete

    lacks = incomplete(run, found)
    if lacks:
        print(f"Incomplete: {'; '.join(lacks)}.")
    return lacks


def _write(one: _ToReport, run: Run, ask: ReportAsk) -> list[Crossover]:
    from crossover.report import write

    if not one.is_stored:
        run_folder.put(one.out, run)
    files = {"latex": ask.latex, "parquet": ask.parquet}
    return write.write_report(run, one.out, partial=one.is_partial, **files)


def _given(ask: ReportAsk, left_out: list[str]) -> list[_ToReport]:
    """List the runs asked for; those of a launched one are merged from its jobs.

    Args:
        ask: what was asked for.
        left_out: gets in words what of other tools' folders cannot be read.
    """
    from crossover.sources.find_runs import runs_given

    found, whole = [], [folder for folder in ask.runs if is_launched(folder)]
    for folder in whole:
        jobs = launched.jobs_of(launched.load(folder).spec)
        is_partial = not all(launched.has_ended(folder, job) for job in jobs)
        for merged in launched.merge(folder, ENVIRONMENT.say):
            out = ask.out / merged.name if ask.out else merged
            found.append(_ToReport(merged, out, ask.out is None, is_partial))
    plain = [folder for folder in ask.runs if folder not in whole]
    others = ask.from_asv, ask.from_pytest_benchmark
    if whole and not (plain or any(others)):
        if not found:
            raise InputError(f"run = {str(whole[0])!r}: no job has measured yet")
        return found
    for run, out in runs_given(plain, *others, ask.out, left_out):
        found.append(_ToReport(run, out, out in ask.runs))
    return found


def _asked_again(run: Run, fields: dict[str, Any]) -> Run:
    """Return a recorded run with the fields of its spec that are given anew."""
    given = {n: value for n, value in fields.items() if value not in (None, {})}
    spec = run.spec.model_copy(update=given)
    return dataclasses.replace(run, spec=spec) if given else run


def _name(one: _ToReport, others: "Sequence[Found]") -> str:
    """Name a machine by its run's folder, no two alike."""
    taken, name = {f.node for f in others}, one.out.resolve().name
    numbered = (f"{name} ({n})" for n in itertools.count(2))
    return next(n for n in itertools.chain([name], numbered) if n not in taken)


def _side_by_side(found: "Sequence[Found]", ask: ReportAsk) -> None:
    """Print which machine each case should go to, and write the machines' tables."""
    from crossover.analysis.machines import placements
    from crossover.report.machines import terminal_lines, write_machines

    out = None if ask.show else ask.out or next(filter(is_launched, ask.runs), None)
    placed = placements(found)
    if lines := terminal_lines(placed):
        print("Where to go (between machines nothing is paired):")
    for line in lines:
        print(f"  {line}")
    if out is not None:
        write_machines(found, placed, out)
        print(f"Machines: {out / 'machines.html'}")
    elif lines and not ask.show:
        print("Add --out FOLDER for the machines' tables as files.")

"""One job behind each command: spec -> run -> report, with progress and interrupts."""

import dataclasses
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench import store
from bench.asked import Ask, resolve
from bench.machine import snapshot, usable_cores
from bench.nouns import SCHEMA, InputError, Measurement, Run, case_id
from bench.option_texts import parse_prices
from bench.plan import Block, next_blocks, notices
from bench.run import Crew, carry_out
from bench.spec import Spec, SpecError


def do_run(ask: Ask, out: Path | None, resume: bool) -> int:
    """Run or resume, write the report, and return the exit code."""
    if resume:
        run, spec, out = _old_run(ask, out)
    else:
        run, spec = _new_run(ask.spec(usable_cores()))
        out = out or Path("results") / run.run_id
        store.create(out, run)
        for line in notices(spec):
            print(f"crossover: {line}", file=sys.stderr)
    interrupted = False
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ProgressBar() as progress:
            run = carry_out(spec, run, out, Crew(), progress)
    except KeyboardInterrupt:
        interrupted = True
        run = store.load(out)
    from bench.report.terminal import show
    from bench.report.write import write_report

    show(write_report(run, out, partial=interrupted))
    if run.machine.energy_unmeasured:
        print(f"  energy: {run.machine.energy_unmeasured}")
    Console().print(f"Report: {out / 'report.html'}", highlight=False, soft_wrap=True)
    if interrupted:
        print(f"Interrupted; go on with: crossover run --resume --out {out}")
        return 130
    return 3 if any(_went_wrong(m) for m in run.measurements) else 0


def _went_wrong(m: Measurement) -> bool:
    return m.status not in ("ok", "unavailable")


def _old_run(ask: Ask, out: Path | None) -> tuple[Run, Spec, Path]:
    if out is None:
        raise SpecError("out: missing; --resume must be given the --out to go on with")
    if ask != Ask():
        raise SpecError("resume: takes --out and nothing else; its spec is recorded")
    run = store.load(out)
    store.truncate_torn_line(out)
    return run, Spec.model_validate(run.spec), out


def _new_run(spec: Spec) -> tuple[Run, Spec]:
    cores = usable_cores()
    planned = resolve(spec, (), cores)  # bad threads are refused before torch loads
    asked = {c.device for s in planned.sweep for c in planned.contenders_of(s)}
    try:
        machine = snapshot(tuple(sorted(asked)))
    except ValueError as error:
        raise SpecError(str(error)) from error
    names = tuple(str(a["name"]) for a in machine.accelerators)
    spec = resolve(spec, names, cores)
    now = datetime.now(UTC)
    run = Run(
        f"{spec.name}-{now:%Y%m%d-%H%M%S}",
        SCHEMA,
        spec.model_dump(mode="json"),
        _commit(),
        shlex.join(["crossover", *sys.argv[1:]]),
        machine,
        (),
    )
    return run, spec


def _commit() -> str | None:
    done = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


class ProgressBar:
    """A bar with the time left, weighed by the seconds that the plan expects."""

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
        self._bar.update(
            self._task,
            completed=done_s,
            total=total_s,
            description=case_id(block.case),
            refresh=True,
        )


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
    from bench.selftest import selftest

    notice = Console(stderr=True)
    notice.print("measuring spinning pairs, then simulating")
    rows = selftest(pairs, sweeps, seed, lambda row: notice.print(row.found))
    table = Table("", "what", "asked", "found")
    for row in rows:
        table.add_row("ok" if row.ok else "MISS", row.what, row.asked, row.found)
    Console().print(table)
    return 0 if all(row.ok for row in rows) else 1


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


def do_report(ask: ReportAsk) -> None:
    """Write the derived files of recorded runs, whoever recorded them; or show them."""
    from bench.analysis.crossover import crossovers
    from bench.analysis.flags import advice
    from bench.report.terminal import show
    from bench.report.write import write_report
    from bench.sources.given import runs_given

    prices = parse_prices(ask.prices)
    given = runs_given(ask.runs, ask.from_asv, ask.from_pytest_benchmark, ask.out)
    for recorded, out in given:
        run = recorded
        if prices:
            run = dataclasses.replace(run, spec={**run.spec, "prices": prices})
        if ask.show or len(given) > 1:
            print(f"{run.run_id}:")
        if ask.show:
            show(crossovers(run))
        else:
            if out not in ask.runs:
                store.put(out, run)
            show(write_report(run, out, latex=ask.latex, parquet=ask.parquet))
        for flag in dict.fromkeys(flag for m in run.measurements for flag in m.flags):
            print(f"{flag}: {advice(flag)}")
        if not ask.show:
            print(f"Report: {out / 'report.html'}")


def do_compare(before: str, after: str) -> int:
    """Print what changed between two runs; return 1 when it did so significantly."""
    from bench.analysis.compare import compare, lines
    from bench.sources.given import run_named

    runs = run_named(before), run_named(after)
    comparison = compare(*runs)
    if not (comparison.times or comparison.crossings):
        raise InputError(
            f"runs = {before!r}, {after!r}: must have a cell with 5 rounds in each; "
            "keep the samples: asv run --record-samples, pytest --benchmark-json"
        )
    for warning in comparison.warnings:
        print(f"crossover: {warning}", file=sys.stderr)
    if all(run.spec.get("name") == "asv" for run in runs):
        print(
            "crossover: what the machine drifted between two commits counts as their "
            "change, unless they were measured with asv run --interleave-rounds",
            file=sys.stderr,
        )
    for said in lines(comparison):
        print(said)
    return int(comparison.changed)


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

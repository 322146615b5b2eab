"""The jobs behind `report` and `compare`: on what is recorded already, by whomever."""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import store
from bench.nouns import InputError
from bench.option_texts import parse_prices
from bench.surroundings import HERE, say_lost


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


def do_report(ask: ReportAsk) -> None:
    """Write the derived files of recorded runs, whoever recorded them; or show them."""
    from bench.analysis.crossover import crossovers
    from bench.analysis.flags import advice
    from bench.report.terminal import show
    from bench.report.write import write_report
    from bench.sources.given import runs_given

    prices = parse_prices(ask.prices)
    for folder in ask.runs if ask.recover else ():
        for line in store.recover(folder):
            HERE.say(line)
    given = runs_given(ask.runs, ask.from_asv, ask.from_pytest_benchmark, ask.out)
    for recorded, out in given:
        run = recorded
        if prices:
            run = dataclasses.replace(run, spec={**run.spec, "prices": prices})
        say_lost(out, run)
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
    for text, run in zip((before, after), runs, strict=True):
        say_lost(text, run)
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

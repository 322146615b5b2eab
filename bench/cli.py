"""The command line: parse, call the library, print."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

Texts = Annotated[
    list[str] | None,
    typer.Option("--contender", help="DEVICE[/TRAINER][@THREADS]; repeat it."),
]
Preset = Annotated[str, typer.Option(help="smoke, quick, lesson or full.")]
SpecFile = Annotated[
    Path | None, typer.Argument(help="A spec in TOML; without it, the preset.")
]


@app.command()
def run(
    spec_file: SpecFile = None,
    preset: Preset = "quick",
    contender: Texts = None,
    samples: Annotated[str | None, typer.Option(help="Comma-separated sizes.")] = None,
    batch_size: Annotated[
        str | None, typer.Option(help="Comma-separated sizes.")
    ] = None,
    epochs: Annotated[str | None, typer.Option(help="Comma-separated sizes.")] = None,
    features: Annotated[int | None, typer.Option()] = None,
    classes: Annotated[int | None, typer.Option()] = None,
    budget: Annotated[str | None, typer.Option(help="Such as 90s, 5m or 2h.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A new folder for the results.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out.")] = False,
) -> None:
    """Measure, find the crossovers and write the report.

    Example: crossover run --preset smoke --out results/first
    """
    from bench.job import Ask, do_run

    asked = Ask(
        spec_file,
        preset,
        contender,
        samples,
        batch_size,
        epochs,
        features,
        classes,
        budget,
    )
    raise typer.Exit(do_run(asked, out, resume))


@app.command()
def plan(spec_file: SpecFile = None, preset: Preset = "quick") -> None:
    """Say what `run` would do and about how long it would take, without running.

    Example: crossover plan --preset full
    """
    from bench.job import Ask, do_plan

    do_plan(Ask(spec_file, preset))


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories.")],
) -> None:
    """Write the tables, plots and page of recorded runs again.

    Example: crossover report results/first
    """
    from bench.job import do_report

    do_report(runs)


@app.command()
def devices() -> None:
    """List what can be measured here, and why the rest cannot.

    Example: crossover devices
    """
    from bench.machine import snapshot

    machine = snapshot()
    print(
        f"cpu      {machine.cpu}, {machine.cores} cores, {machine.memory_bytes / 2**30:.1f} GiB"
    )
    for found in machine.accelerators:
        print(
            f"{found['name']!s:8} {found['description']}, {int(str(found['memory_bytes'] or 0)) / 2**30:.1f} GiB"
        )
    for name, reason in machine.unavailable.items():
        print(f"{name:8} not available: {reason}")


def main() -> None:
    """Run the command line; bad input is one line on stderr and exit code 2."""
    from bench.spec import SpecError
    from bench.store import StoreError

    try:
        app()
    except (SpecError, StoreError) as error:
        print(f"crossover: {error}", file=sys.stderr)
        sys.exit(2)

"""The command line: parse, call the library, print."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.nouns import InputError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

SpecFile = Annotated[
    Path | None, typer.Argument(help="A spec in TOML; without it, the preset.")
]
Preset = Annotated[str, typer.Option(help="smoke, quick, lesson or full.")]
Texts = Annotated[
    list[str] | None,
    typer.Option(
        "--contender",
        help="DEVICE[/TRAINER][@THREADS]; repeat it: the first is the baseline.",
    ),
]
Sizes = Annotated[
    str | None,
    typer.Option(help="Sizes such as 10,100: several are swept, one is fixed."),
]
Count = Annotated[int | None, typer.Option()]
Budget = Annotated[str | None, typer.Option(help="Such as 90s, 5m or 2h.")]
Grid = Annotated[
    bool, typer.Option("--grid", help="Only the sizes given, all rounds alike.")
]


@app.command()
def run(
    spec_file: SpecFile = None,
    preset: Preset = "quick",
    contender: Texts = None,
    samples: Sizes = None,
    batch_size: Sizes = None,
    epochs: Sizes = None,
    features: Count = None,
    classes: Count = None,
    budget: Budget = None,
    grid: Grid = False,
    out: Annotated[
        Path | None, typer.Option(help="A new folder for the results.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out.")
    ] = False,
) -> None:
    """Measure, find the crossovers and write the report.

    Example: crossover run --contender cpu/resident@1 --contender cpu/resident@2
    --features 784 --samples 4096 --batch-size 8,64,512,4096
    """
    from bench.asked import Ask
    from bench.job import do_run

    asked = Ask(
        spec_file, preset, tuple(contender or ()), samples, batch_size, epochs,
        features, classes, budget, grid,
    )  # fmt: skip
    raise typer.Exit(do_run(asked, out, resume))


@app.command()
def plan(
    spec_file: SpecFile = None,
    preset: Preset = "quick",
    contender: Texts = None,
    samples: Sizes = None,
    batch_size: Sizes = None,
    epochs: Sizes = None,
    features: Count = None,
    classes: Count = None,
    budget: Budget = None,
    grid: Grid = False,
) -> None:
    """Say what `run` would do and about how long it would take, without running.

    Example: crossover plan --preset full
    """
    from bench.asked import Ask
    from bench.job import do_plan

    asked = Ask(
        spec_file, preset, tuple(contender or ()), samples, batch_size, epochs,
        features, classes, budget, grid,
    )  # fmt: skip
    do_plan(asked)


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
def analyse(
    file: Annotated[Path, typer.Argument(help="A CSV table, one time a row.")],
    axis: Annotated[str, typer.Option(help="Column of the sizes.")],
    time: Annotated[str, typer.Option(help="Column of the times, in any unit.")],
    contender: Annotated[str, typer.Option(help="Column that names who ran.")],
    baseline: Annotated[str, typer.Option(help="The contender to beat.")],
    challenger: Annotated[str, typer.Option(help="The contender that may beat it.")],
    round_: Annotated[
        str | None, typer.Option("--round", help="Column that pairs measurements.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Columns, comma-separated; one answer a group.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for analyse.csv/.md.")
    ] = None,
) -> None:
    """Find the crossovers in anybody's table of times.

    Example: crossover analyse times.csv --axis n --time seconds --contender device
    --round repeat --by model --baseline cpu --challenger gpu
    """
    from bench.sources.table import Asked, analyse_file

    groups = tuple(by.split(",")) if by else ()
    asked = Asked(axis, time, contender, baseline, challenger, round_, groups)
    for said in analyse_file(file, asked, out):
        print(said)


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="The run before.")],
    run_b: Annotated[Path, typer.Argument(help="The run after.")],
) -> None:
    """Say whether crossovers or times changed; exit 1 when they did.

    Example: crossover compare results/before results/after
    """
    from bench.analysis.compare import compare as compare_runs
    from bench.analysis.compare import lines
    from bench.store import load

    comparison = compare_runs(load(run_a), load(run_b))
    for warning in comparison.warnings:
        print(f"crossover: {warning}", file=sys.stderr)
    for said in lines(comparison):
        print(said)
    raise typer.Exit(int(comparison.changed))


@app.command()
def selftest(
    pairs: Annotated[int, typer.Option(min=1, help="Spinning pairs.")] = 10,
    sweeps: Annotated[
        int, typer.Option(min=0, help="Simulated sweeps a row; 0: none.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Find crossovers that are known exactly; exit 1 when one is missed.

    Example: crossover selftest --pairs 10 --sweeps 1000
    """
    from bench.job import do_selftest

    raise typer.Exit(do_selftest(pairs, sweeps, seed))


@app.command()
def devices() -> None:
    """List what can be measured here, and why the rest cannot.

    Example: crossover devices
    """
    from bench.machine import snapshot

    machine = snapshot()
    gib = machine.memory_bytes / 2**30
    print(f"cpu      {machine.cpu}, {machine.cores} cores, {gib:.1f} GiB")
    for found in machine.accelerators:
        memory = found["memory_bytes"]
        gib_text = f", {memory / 2**30:.1f} GiB" if isinstance(memory, int) else ""
        print(f"{found['name']!s:8} {found['description']}{gib_text}")
    for name, reason in machine.unavailable.items():
        print(f"{name:8} not available: {reason}")


@app.command()
def lesson(
    experiment: Annotated[
        str | None, typer.Option(help="Only this one, such as hard; else all.")
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device.")] = "cpu",
    full: Annotated[
        bool, typer.Option("--full", help="Take all steps of timing-large: hours.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder for the results.")] = Path(
        "results/lesson"
    ),
) -> None:
    """Run the lesson's experiments next to its published numbers.

    Example: crossover lesson --experiment hard --device cpu
    """
    from bench.lesson.job import do_lesson

    raise typer.Exit(do_lesson(experiment, device, full, out))


@app.command()
def doctor(
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the 10-second A/A.")
    ] = False,
) -> None:
    """Check whether this machine is fit to measure on; exit code 1 when it is not.

    Example: crossover doctor
    """
    from bench.doctor.examine import diagnose

    raise typer.Exit(diagnose(quick))


def main() -> None:
    """Run the command line; bad input is one line on stderr and exit code 2."""
    try:
        app()
    except InputError as error:
        print(f"crossover: {error}", file=sys.stderr)
        sys.exit(2)

"""The command line: parse, call the library, print."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.command import options as opt
from bench.interrupts import EXIT_CODE, Interrupted, heeded
from bench.nouns import InputError
from bench.untrusted import one_line

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.command()
def run(
    spec_file: opt.SpecFile = None,
    preset: opt.Preset = "quick",
    contender: opt.Texts = None,
    samples: opt.Sizes = None,
    batch_size: opt.Sizes = None,
    epochs: opt.Sizes = None,
    features: opt.Count = None,
    classes: opt.Count = None,
    budget: opt.Budget = None,
    grid: opt.Grid = False,
    price: opt.Prices = None,
    out: opt.Out = None,
    resume: opt.Resume = None,
    recover: opt.Recover = False,
    launch: opt.Launcher = None,
) -> None:
    """Measure, find the crossovers and write the report.

    Example: crossover run --contender cpu/resident@1 --contender cpu/resident@2
    --features 784 --samples 4096 --batch-size 8,64,512,4096

    Example: crossover run --resume results/first
    """
    from bench.command.asked import Ask
    from bench.command.job import do_run
    from bench.launch.job import do_launch
    from bench.record.launched import is_launched

    asked = Ask(
        spec_file, preset, tuple(contender or ()), samples, batch_size, epochs,
        features, classes, budget, grid, tuple(price or ()),
    )  # fmt: skip
    if launch or (resume and is_launched(resume)):
        raise typer.Exit(do_launch(asked, out, resume, launch, recover))
    raise typer.Exit(do_run(asked, out, resume, recover))


@app.command()
def plan(
    spec_file: opt.SpecFile = None,
    preset: opt.Preset = "quick",
    contender: opt.Texts = None,
    samples: opt.Sizes = None,
    batch_size: opt.Sizes = None,
    epochs: opt.Sizes = None,
    features: opt.Count = None,
    classes: opt.Count = None,
    budget: opt.Budget = None,
    grid: opt.Grid = False,
) -> None:
    """Say what `run` would do and about how long it would take, without running.

    Example: crossover plan --preset full
    """
    from bench.command.asked import Ask
    from bench.command.job import do_plan

    asked = Ask(
        spec_file, preset, tuple(contender or ()), samples, batch_size, epochs,
        features, classes, budget, grid,
    )  # fmt: skip
    do_plan(asked)


@app.command()
def report(
    runs: opt.Runs = None,
    from_asv: opt.FromAsv = None,
    from_pytest_benchmark: opt.FromPytestBenchmark = None,
    out: opt.ReportOut = None,
    price: opt.Prices = None,
    latex: opt.Latex = False,
    parquet: opt.Parquet = False,
    show: opt.Show = False,
    recover: opt.Recover = False,
) -> None:
    """Write the tables, plots and page of recorded runs, ours or other tools'.

    Example: crossover report results/first

    Example: crossover report --from-asv .asv/results --out results/asv
    """
    from bench.command.reports import ReportAsk, do_report

    asked = ReportAsk(
        tuple(runs or ()), tuple(from_asv or ()), tuple(from_pytest_benchmark or ()),
        out, tuple(price or ()), latex, parquet, show, recover,
    )  # fmt: skip
    do_report(asked)


@app.command()
def predict(
    run: opt.Measured,
    device: opt.Sheets = None,
    trainer: opt.Predicted = "resident",
    out: opt.PredictOut = None,
) -> None:
    """Predict, not measure, from which size on a device would be ahead.

    Example: crossover predict results/first --device h100-sxm
    """
    from bench.predict.job import do_predict
    from bench.predict.sheet import SHEETS, load_sheet

    do_predict(run, [load_sheet(d) for d in device or SHEETS], trainer, out or run)


@app.command()
def analyse(
    file: Annotated[Path, typer.Argument(help="A CSV table, one time a row.")],
    axis: Annotated[str, typer.Option(help="Column of the sizes.")],
    time: Annotated[str, typer.Option(help="Column of the times, in any unit.")],
    contender: Annotated[str, typer.Option(help="Column that names who ran.")],
    baseline: Annotated[str, typer.Option(help="The contender to beat.")],
    challenger: Annotated[str, typer.Option(help="The contender that may beat it.")],
    round_: opt.Round = None,
    by: opt.By = None,
    out: opt.AnalyseOut = None,
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
    run_a: Annotated[str, typer.Argument(help="The run before.")],
    run_b: Annotated[str, typer.Argument(help="The run after.")],
) -> None:
    """Say whether crossovers or times changed; exit 1 when they did.

    A run is a run folder, a file of pytest --benchmark-json, or a commit in asv's
    results: DIR@COMMIT, where COMMIT is how the name of its file begins.

    Example: crossover compare results/before results/after

    Example: crossover compare .asv/results@1a2b3c4d .asv/results@5e6f7a8b
    """
    from bench.command.reports import do_compare

    raise typer.Exit(do_compare(run_a, run_b))


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
    from bench.command.job import do_selftest

    raise typer.Exit(do_selftest(pairs, sweeps, seed))


@app.command()
def devices() -> None:
    """List what can be measured here, and why the rest cannot.

    Example: crossover devices
    """
    from bench.command.job import do_devices

    do_devices()


@app.command()
def lesson(
    experiment: Annotated[
        str | None, typer.Option(help="Only this one, such as hard; else all.")
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device.")] = "cpu",
    full: Annotated[
        bool, typer.Option("--full", help="All steps of timing-large; hours on a GPU.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder for the results.")] = Path(
        "results/lesson"
    ),
) -> None:
    """Run the lesson's experiments next to its published numbers.

    Example: crossover lesson --experiment hard --device cpu

    Example: crossover lesson --experiment timing-large --full --out results/claim
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
        with heeded():
            app()
    except InputError as error:
        print(f"crossover: {one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except Interrupted:
        print("crossover: interrupted", file=sys.stderr)
        sys.exit(EXIT_CODE)

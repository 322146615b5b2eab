"""The command line: parse, call the library, print."""

import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from crossover.command.ahead import load_torch
from crossover.command.options import Command, described
from crossover.files.edge import one_line_always
from crossover.files.untrusted import InputError
from crossover.interrupts import EXIT_CODE, Interrupted, heeded
from crossover.measure.nursery import nurseries

# No markup: texts such as [/TRAINER] would be read as some.
app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def command(*examples: str) -> Callable[[Command], Command]:
    """Register a command; its help ends with examples, to be copied as they stand."""
    lines = "\n".join(["\b", "Examples:", *(f"  {line}" for line in examples)])
    return lambda function: app.command(epilog=lines)(described(function))


def _say_version(is_asked: bool) -> None:
    if is_asked:
        print(f"crossover {metadata.version('softmax-crossover')}")
        raise typer.Exit


SHOWN = {"callback": _say_version, "is_eager": True, "help": "Show it and exit."}


@app.callback()
def program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", **SHOWN)] = False,
) -> None:
    """From which size on does the GPU beat the CPU for my training job?

    Start with `crossover run`: it measures what is here and writes a report.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@command(
    "crossover run",
    "crossover run --contender cpu/resident@1 --contender cuda \\",
    "  --features 784 --samples 4096 --batch-size 8,64,512,4096",
    "crossover run mlp.py hidden=64..4096 batch=32 --latency --good-enough 20ms",
    "crossover run --resume results/first --budget 20m",
)
def run(
    words: list[str] | None = None,
    preset: str = "quick",
    contender: list[str] | None = None,
    samples: str | None = None,
    batch_size: str | None = None,
    epochs: str | None = None,
    features: str | None = None,
    classes: str | None = None,
    budget: str | None = None,
    rounds: int | None = None,
    width: float | None = None,
    margin: str | None = None,
    both_ends: bool = False,
    grid: bool = False,
    latency: bool = False,
    good_enough: str | None = None,
    price: list[str] | None = None,
    out: Path | None = None,
    resume: Path | None = None,
    recover: bool = False,
    force: bool = False,
    launch: str | None = None,
) -> None:
    """Measure, find the crossovers and write the report."""
    load_torch(words, bool(resume or launch))
    from crossover.command.ask import Ask
    from crossover.command.job import do_run
    from crossover.launch.job import do_launch
    from crossover.record.launched import is_launched

    asked = Ask.of(locals())
    if launch or (resume and is_launched(resume)):
        raise typer.Exit(do_launch(asked, out, resume, launch, recover, force))
    raise typer.Exit(do_run(asked, out, resume, recover, force))


@command("crossover init my_job.py")
def init(
    file: Path = Path("my_job.py"),
) -> None:
    """Write a file to start from, for a job of your own."""
    from crossover.command.init import write_start

    plan_it, run_it = write_start(file)
    print(f"Wrote {file}. See what it would measure, then measure it:")
    print(f"  {plan_it}")
    print(f"  {run_it}")


@command("crossover plan --preset full")
def plan(
    words: list[str] | None = None,
    preset: str = "quick",
    contender: list[str] | None = None,
    samples: str | None = None,
    batch_size: str | None = None,
    epochs: str | None = None,
    features: str | None = None,
    classes: str | None = None,
    budget: str | None = None,
    rounds: int | None = None,
    width: float | None = None,
    margin: str | None = None,
    both_ends: bool = False,
    grid: bool = False,
    latency: bool = False,
) -> None:
    """Say what `run` would do and how long it would take."""
    from crossover.command.ask import Ask
    from crossover.command.job import do_plan

    do_plan(Ask.of(locals()))


@command(
    "crossover report results/first",
    "crossover report results/first --good-enough 20ms",
    "crossover report --from-asv .asv/results --out results/asv",
    "crossover report --from-asv .asv/results --axis n --contender device",
)
def report(
    runs: list[Path] | None = None,
    from_asv: list[str] | None = None,
    from_pytest_benchmark: list[Path] | None = None,
    out: Path | None = None,
    price: list[str] | None = None,
    margin: str | None = None,
    good_enough: str | None = None,
    latex: bool = False,
    parquet: bool = False,
    show: bool = False,
    recover: bool = False,
    axis: str | None = None,
    contender: str | None = None,
    bench: str | None = None,
    baseline: str | None = None,
) -> None:
    """Write the tables, plots and page of recorded runs.

    They may be ours, or what asv and pytest-benchmark recorded of the same cells. Of
    any other benchmarks of theirs, name the axis and the contender; without, they are
    listed.
    """
    from crossover.command.reports import ReportAsk, do_report

    asked = ReportAsk(
        tuple(runs or ()), tuple(from_asv or ()), tuple(from_pytest_benchmark or ()),
        out, tuple(price or ()), latex, parquet, show, recover, margin,
        axis, contender, bench, baseline, good_enough,
    )  # fmt: skip
    raise typer.Exit(do_report(asked))


@command("crossover predict results/first --device h100-sxm")
def predict(
    run: Path,
    device: list[str] | None = None,
    trainer: str | None = None,
    out: Path | None = None,
) -> None:
    """Predict, not measure, where a device would be ahead.

    For who has no GPU: the CPU was measured, the device is its data sheet.
    """
    from crossover.predict.job import do_predict
    from crossover.predict.sheet import SHEETS, load_sheet

    do_predict(run, [load_sheet(d) for d in device or SHEETS], trainer, out or run)


@command(
    "crossover analyse times.csv",
    "crossover analyse times.csv --axis n --wide cpu,gpu",
    "crossover analyse times.csv --axis n --time seconds --contender device \\",
    "  --round repeat --by model --baseline cpu --challenger gpu",
)
def analyse(
    file: Path,
    axis: str | None = None,
    time: str | None = None,
    contender: str | None = None,
    wide: str | None = None,
    baseline: str | None = None,
    challenger: list[str] | None = None,
    round_: str | None = None,
    by: str | None = None,
    pool: str | None = None,
    higher_is_better: bool | None = None,
    decimal: str | None = None,
    margin: str | None = None,
    out: Path | None = None,
) -> None:
    """Find the crossovers in anybody's table of times.

    What you do not say is found out, and the last line says what each column was
    taken for. Rows that differ in a column you do not name are refused, not mixed.
    Results of google-benchmark, hyperfine, nvbench and others are recognised; where
    several questions can be asked of them, these are listed.
    """
    from crossover.command.tables import do_analyse

    raise typer.Exit(do_analyse(locals()))


@command(
    "crossover compare results/before results/after --fail-slower 5%",
    "crossover compare .asv/results@1a2b3c4d .asv/results@5e6f7a8b --json",
    "crossover compare results/v1 results/v2 results/v3 --plot history.svg",
)
def compare(
    runs: list[str],
    fail_slower: str | None = None,
    fail_moved: str | None = None,
    only: str | None = None,
    margin: str | None = None,
    json: bool = False,
    markdown: Path | None = None,
    plot: Path | None = None,
) -> None:
    """Say whether crossovers or times changed.

    The exit code is 1 when a limit of --fail-slower or --fail-moved is broken.
    """
    from crossover.command.compare import do_compare, limits_of

    limits = limits_of(margin, fail_slower, fail_moved, only)
    raise typer.Exit(do_compare(runs, limits, json, markdown, plot))


@command(
    "crossover pick results/mlp hidden=512 batch=32",
    "crossover pick results/mlp hidden=9000 batch=32 --extrapolate",
)
def pick(
    run: str,
    sizes: list[str] | None = None,
    view: str = "train",
    extrapolate: bool = False,
) -> None:
    """Say which contender to use for a case, and how sure that is.

    Outside of what was measured nothing is picked (exit code 2).
    """
    from crossover.command.choose import do_pick

    do_pick(run, sizes or (), view, extrapolate)


@command(
    "crossover export results/mlp --to python --out thresholds.py",
    "crossover export results/mlp --to json --out thresholds.json",
)
def export(
    run: str,
    to: str = "json",
    view: str = "train",
    out: Path | None = None,
) -> None:
    """Write thresholds, and what `pick` needs, as a file to ship."""
    from crossover.command.choose import do_export

    do_export(run, to, view, out)


@command("crossover selftest --pairs 10 --sweeps 1000")
def selftest(
    pairs: int = 10,
    sweeps: int = 200,
    seed: int = 0,
) -> None:
    """Check that the program finds crossovers known exactly.

    The exit code is 1 when one is missed.
    """
    from crossover.command.job import do_selftest

    raise typer.Exit(do_selftest(pairs, sweeps, seed))


@command("crossover devices")
def devices() -> None:
    """List what can be measured here, and why the rest cannot."""
    from crossover.command.job import do_devices

    do_devices()


@command(
    "crossover lesson --experiment hard --device cpu",
    "crossover lesson --experiment timing-large --full --out results/claim",
)
def lesson(
    experiment: str | None = None,
    device: str = "cpu",
    full: bool = False,
    out: Path = Path("results/lesson"),
) -> None:
    """Run the lesson's experiments next to its published numbers."""
    from crossover.lesson.job import do_lesson

    raise typer.Exit(do_lesson(experiment, device, full, out))


@command("crossover doctor")
def doctor(
    quick: bool = False,
) -> None:
    """Check whether this machine is fit to measure on.

    The exit code is 1 when it is not.
    """
    from crossover.doctor.examine import diagnose

    raise typer.Exit(diagnose(quick))


def main() -> None:
    """Run the command line; what is wrong is one line on stderr and exit code 2."""
    with one_line_always():
        try:
            with heeded(), nurseries():
                sys.exit(app(prog_name="crossover", standalone_mode=False))
        except typer.TyperException as error:
            raise InputError(error.format_message()) from error
        except Interrupted:
            print("crossover: interrupted", file=sys.stderr)
            sys.exit(EXIT_CODE)

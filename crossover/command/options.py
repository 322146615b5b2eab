"""What the options and arguments of `cli` are called and say; loads nothing heavy."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

Command = TypeVar("Command", bound=Callable[..., None])
RUN_FORMS = (
    "a run folder, a file of pytest --benchmark-json, or DIR@COMMIT in asv's results"
)


def _option(metavar: str, said: str, *names: str, least: int | None = None) -> Any:
    """Return an option that takes a value."""
    return typer.Option(*names, metavar=metavar, help=said, min=least)


def _argument(metavar: str, said: str) -> Any:
    return typer.Argument(metavar=metavar, help=said)


def _flag(name: str, said: str) -> Any:
    return typer.Option(name, help=said)


OPTIONS = {
    "words": _argument(
        "JOB|NAME=VALUES",
        "JOB is a spec (.toml), your own file (.py) or module:function; without it, "
        "the preset. Sizes are fixed (32), listed (8,64) or an axis (64..4096).",
    ),
    "preset": _option(
        "NAME", "A spec that ships with the program: smoke, quick, lesson or full."
    ),
    "contender": _option(
        "NAME",
        "DEVICE[/TRAINER][@[RANKSx]THREADS], such as cpu/resident@1 or cuda. "
        "Repeat it: the first is the baseline of the others.",
    ),
    "analyse.contender": _option(
        "COL", "Column that names who ran; several as COL,COL."
    ),
    "report.contender": _option(
        "NAME,...",
        "Of other benchmarks: the parameters that name who ran. `benchmark`, "
        "`machine`, `commit` are some, too.",
    ),
    "report.axis": _option(
        "NAME", "Of other benchmarks: the parameter that is the size."
    ),
    "report.baseline": _option(
        "VALUE", "Of other benchmarks: the contender that is to be beaten."
    ),
    "bench": _option("REGEX", "Of other benchmarks: only those whose name holds this."),
    "samples": _option(
        "LIST", "Numbers of samples: 1500 is a fixed value, 10,100,1000 are swept."
    ),
    "batch_size": _option(
        "LIST", "Batch sizes, one fixed or several to sweep: 8,64,512."
    ),
    "epochs": _option("LIST", "Numbers of epochs, one fixed or several to sweep."),
    "features": _option("LIST", "Numbers of features, one fixed or several to sweep."),
    "classes": _option("LIST", "Numbers of classes, each at least 2: 10, or 2,10,100."),
    "budget": _option(
        "TIME",
        "Stop measuring after this time: 90s, 5m or 2h. With --resume, go on for "
        "so long.",
    ),
    "rounds": _option("N", "Most rounds of a size; all of them with --grid."),
    "width": _option(
        "X", "Search until the high / low of a crossover is at most this."
    ),
    "margin": _option(
        "SHARE",
        "A contender is ahead when it is faster by more than this, such as 5%.",
    ),
    "both_ends": _flag(
        "--both-ends", "Search, too, up to which size the challenger is slower."
    ),
    "latency": _flag(
        "--latency",
        "Time single calls too, at least 1,000 of a cell if the budget allows: p50, "
        "p95, p99.",
    ),
    "good_enough": _option(
        "TIME",
        "Say up to which size each contender takes at most this time, such as 20ms: by "
        "its p99 with --latency, else by its median.",
    ),
    "grid": _flag("--grid", "Only the sizes given, all rounds alike."),
    "price": _option(
        "DEVICE=PER_HOUR",
        "What an hour costs, such as cuda=2.49: crossovers in money beside those "
        "in time. Repeat it for each device.",
    ),
    "out": _option("DIR", "A new folder for the results, else results/NAME-DATE."),
    "report.out": _option(
        "DIR", "Where to write; of several runs, a folder in it for each."
    ),
    "pick.run": _argument("RUN", f"What was measured: {RUN_FORMS}."),
    "export.run": _argument("RUN", f"What was measured: {RUN_FORMS}."),
    "sizes": _argument(
        "NAME=SIZE",
        "Sizes and settings of the case; those measured at one value need not be "
        "given.",
    ),
    "view": _option(
        "VIEW",
        "What a time includes: train, with_transfer (moving the data too) or "
        "from_scratch (set-up too).",
    ),
    "extrapolate": _flag(
        "--extrapolate", "Go beyond what was measured; the answer says so first."
    ),
    "to": _option("FORM", "json, or python: one file that needs nothing else."),
    "export.out": _option("FILE", "Write it there instead of printing it."),
    "predict.out": _option(
        "DIR", "Write predicted.csv and .md there, else to the run."
    ),
    "analyse.out": _option("DIR", "Write tables, a page and pictures there."),
    "lesson.out": _option("DIR", "The folder for the results."),
    "resume": _option("DIR", "Go on with the run in this folder, for longer if asked."),
    "recover": _flag(
        "--recover", "Skip unreadable journal lines; the original is kept next to it."
    ),
    "force": _flag(
        "--force",
        "With --resume, go on although the machine, its versions or the environment "
        "changed: new rounds are never paired with those before.",
    ),
    "launch": _option(
        "HOW",
        "slurm or local: as jobs, each on a node of its own; see docs/cluster.md.",
    ),
    "runs": _argument(
        "RUN", "Folders of runs; those of several machines are put side by side."
    ),
    "from_asv": _option(
        "DIR",
        "The results folder of asv, or DIR@COMMIT, or one of its files. "
        "May be repeated.",
    ),
    "from_pytest_benchmark": _option(
        "FILE",
        "What pytest --benchmark-json wrote, or a folder of it such as "
        ".benchmarks. May be repeated.",
    ),
    "latex": _flag("--latex", "Write LaTeX tables too."),
    "parquet": _flag("--parquet", "Write Parquet tables too."),
    "show": _flag("--show", "Print the answers and write nothing."),
    "run": _argument("RUN", "A run that was measured on this CPU."),
    "device": _option(
        "SHEET",
        "A data sheet by its name, such as h100-sxm, or a .toml file; else all "
        "that ship with the program. May be repeated.",
    ),
    "lesson.device": _option("NAME", "A torch device, such as cpu or cuda."),
    "trainer": _option(
        "NAME",
        "The trainer, or your file's function, that the device would run; else the "
        "first one.",
    ),
    "file": _argument(
        "FILE",
        "A table: text, JSON, Parquet or Excel; - is standard input. Or results of "
        "another tool.",
    ),
    "axis": _option("COL", "Column of the sizes."),
    "time": _option("COL", "Column of the times, in any unit."),
    "wide": _option(
        "COL,...", "Columns of times, one for each contender, instead of --contender."
    ),
    "baseline": _option(
        "NAME", "The contender that is to be beaten; else a CPU, or the first."
    ),
    "challenger": _option(
        "NAME", "A contender that may beat it, else all others. May be repeated."
    ),
    "decimal": _option(
        "MARK", "The decimal mark, . or , where the table does not tell."
    ),
    "round_": _option(
        "COL",
        "Column of the round: contenders of one round were measured in turns.",
        "--round",
    ),
    "by": _option("COL,...", "Columns that make groups, each with its own answer."),
    "pool": _option(
        "COL,...", "Columns that may differ between repetitions of one measurement."
    ),
    "higher_is_better": _flag(
        "--higher-is-better/--lower-is-better",
        "Whether the times are rates, such as GFLOP/s; else their name tells.",
    ),
    "init.file": _argument("FILE.py", "The file to write."),
    "compare.runs": _argument(
        "BEFORE AFTER...", f"The run before, and one or more after it: {RUN_FORMS}."
    ),
    "compare.margin": _option(
        "SHARE", "What changed by less is no change; else that of the first run."
    ),
    "fail_slower": _option(
        "SHARE",
        "Fail when a contender got slower by more than this against the others, such "
        "as 5%.",
    ),
    "fail_moved": _option(
        "FACTOR", "Fail when a crossover moved by more than this either way: 1.25."
    ),
    "only": _option("REGEX", "Only what has this in its words: contenders, sizes."),
    "json": _flag("--json", "Print JSON; its schema is docs/schemas/compare.json."),
    "markdown": _option("FILE", "Write a summary for a pull request there."),
    "plot": _option("FILE", "Draw each contender and crossover by run: .svg or .png."),
    "pairs": _option("N", "Pairs of programs that spin; ten seconds each.", least=1),
    "sweeps": _option("N", "Simulated sweeps a row; 0 for none.", least=0),
    "seed": _option("N", "Draws the pairs and the simulation.", least=0),
    "experiment": _option("NAME", "One experiment, such as hard; else all."),
    "full": _flag("--full", "All steps of timing-large; hours on a GPU."),
    "quick": _flag("--quick", "Leave out measuring one cell against itself (10 s)."),
}
"""By the name of a command's parameter; `report.out` is that of one command alone."""


def described(function: Command) -> Command:
    """Add to a command's parameters what `OPTIONS` says of them."""
    for name, kind in inspect.get_annotations(function, eval_str=True).items():
        own = OPTIONS.get(f"{function.__name__}.{name}", OPTIONS.get(name))
        if own is not None:
            function.__annotations__[name] = Annotated[kind, own]
    return function

"""The options of `cli`, with their help; loads nothing heavy."""

from pathlib import Path
from typing import Annotated, Any

import typer


def _option(metavar: str, said: str, *names: str, least: int | None = None) -> Any:
    """Return an option that takes a value."""
    return typer.Option(*names, metavar=metavar, help=said, min=least)


def _argument(metavar: str, said: str) -> Any:
    return typer.Argument(metavar=metavar, help=said)


def _flag(name: str, said: str) -> Any:
    return typer.Option(name, help=said)


SpecFile = Annotated[
    Path | None, _argument("SPEC.toml", "What to measure; without it, the preset.")
]
Preset = Annotated[
    str,
    _option(
        "NAME", "A spec that ships with the program: smoke, quick, lesson or full."
    ),
]
Texts = Annotated[
    list[str] | None,
    _option(
        "NAME",
        "DEVICE[/TRAINER][@[RANKSx]THREADS], such as cpu/resident@1 or cuda. "
        "Repeat it: the first is the baseline of the others.",
        "--contender",
    ),
]
Samples = Annotated[
    str | None,
    _option(
        "LIST", "Numbers of samples: 1500 is a fixed value, 10,100,1000 are swept."
    ),
]
BatchSizes = Annotated[
    str | None, _option("LIST", "Batch sizes, one fixed or several to sweep: 8,64,512.")
]
Epochs = Annotated[
    str | None, _option("LIST", "Numbers of epochs, one fixed or several to sweep.")
]
Features = Annotated[
    str | None, _option("LIST", "Numbers of features, one fixed or several to sweep.")
]
Classes = Annotated[
    str | None, _option("LIST", "Numbers of classes, each at least 2: 10, or 2,10,100.")
]
Budget = Annotated[
    str | None,
    _option(
        "TIME",
        "Stop measuring after this time: 90s, 5m or 2h. With --resume, go on for "
        "so long.",
    ),
]
Rounds = Annotated[
    int | None, _option("N", "Most rounds of a size; all of them with --grid.")
]
Width = Annotated[
    float | None,
    _option("X", "Search until the high / low of a crossover is at most this."),
]
Margin = Annotated[
    str | None,
    _option(
        "SHARE",
        "A contender is ahead when it is faster by more than this, such as 5%.",
    ),
]
Grid = Annotated[bool, _flag("--grid", "Only the sizes given, all rounds alike.")]
Launcher = Annotated[
    str | None,
    _option(
        "HOW",
        "slurm or local: as jobs, each on a node of its own; see docs/cluster.md.",
        "--launch",
    ),
]
Prices = Annotated[
    list[str] | None,
    _option(
        "DEVICE=PER_HOUR",
        "What an hour costs, such as cuda=2.49: crossovers in money beside those "
        "in time. Repeat it for each device.",
        "--price",
    ),
]
Out = Annotated[
    Path | None, _option("DIR", "A new folder for the results, else results/NAME-DATE.")
]
Resume = Annotated[
    Path | None,
    _option("DIR", "Go on with the run in this folder, for longer if asked."),
]
Recover = Annotated[
    bool,
    _flag(
        "--recover", "Skip unreadable journal lines; the original is kept next to it."
    ),
]
Runs = Annotated[
    list[Path] | None,
    _argument(
        "RUN", "Folders of runs; those of several machines are put side by side."
    ),
]
FromAsv = Annotated[
    list[str] | None,
    _option(
        "DIR",
        "The results folder of asv, or DIR@COMMIT, or one of its files. "
        "May be repeated.",
    ),
]
FromPytestBenchmark = Annotated[
    list[Path] | None,
    _option("FILE", "What pytest --benchmark-json wrote. May be repeated."),
]
ReportOut = Annotated[
    Path | None,
    _option("DIR", "Where to write; of several runs, a folder in it for each."),
]
Latex = Annotated[bool, _flag("--latex", "Write LaTeX tables too.")]
Parquet = Annotated[bool, _flag("--parquet", "Write Parquet tables too.")]
Show = Annotated[bool, _flag("--show", "Print the answers and write nothing.")]
Table = Annotated[Path, _argument("FILE.csv", "A CSV table with one time a row.")]
Axis = Annotated[str, _option("COL", "Column of the sizes.")]
Time = Annotated[str, _option("COL", "Column of the times, in any unit.")]
Who = Annotated[str, _option("COL", "Column that names who ran.")]
Baseline = Annotated[str, _option("NAME", "The contender that is to be beaten.")]
Challenger = Annotated[str, _option("NAME", "The contender that may beat it.")]
Round = Annotated[
    str | None,
    _option(
        "COL",
        "Column of the round: contenders of one round were measured in turns.",
        "--round",
    ),
]
By = Annotated[
    str | None,
    _option("COL,...", "Columns that make groups, each with its own answer."),
]
Pool = Annotated[
    str | None,
    _option(
        "COL,...", "Columns that may differ between repetitions of one measurement."
    ),
]
HigherIsBetter = Annotated[
    bool | None,
    _flag(
        "--higher-is-better/--lower-is-better",
        "Whether the times are rates, such as GFLOP/s; else their name tells.",
    ),
]
AnalyseOut = Annotated[
    Path | None, _option("DIR", "Write analyse.csv and analyse.md there.")
]
RUN_FORMS = (
    "a run folder, a file of pytest --benchmark-json, or DIR@COMMIT in asv's results"
)
Before = Annotated[str, _argument("BEFORE", f"The run before: {RUN_FORMS}.")]
After = Annotated[str, _argument("AFTER", "The run after, in the same forms.")]
Pairs = Annotated[
    int, _option("N", "Pairs of programs that spin; ten seconds each.", least=1)
]
Sweeps = Annotated[int, _option("N", "Simulated sweeps a row; 0 for none.", least=0)]
Seed = Annotated[int, _option("N", "Draws the pairs and the simulation.", least=0)]
Experiment = Annotated[
    str | None, _option("NAME", "One experiment, such as hard; else all.")
]
Device = Annotated[str, _option("NAME", "A torch device, such as cpu or cuda.")]
Full = Annotated[bool, _flag("--full", "All steps of timing-large; hours on a GPU.")]
LessonOut = Annotated[Path, _option("DIR", "The folder for the results.")]
Measured = Annotated[Path, _argument("RUN", "A run that was measured on this CPU.")]
Sheets = Annotated[
    list[str] | None,
    _option(
        "SHEET",
        "A data sheet by its name, such as h100-sxm, or a .toml file; else all "
        "that ship with the program. May be repeated.",
        "--device",
    ),
]
Predicted = Annotated[str, _option("NAME", "The trainer that the device would run.")]
PredictOut = Annotated[
    Path | None, _option("DIR", "Write predicted.csv and .md there, else to the run.")
]
Quick = Annotated[
    bool, _flag("--quick", "Leave out measuring one cell against itself (10 s).")
]

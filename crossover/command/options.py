"""The options of `cli`, with their help; loads nothing heavy."""

from pathlib import Path
from typing import Annotated

import typer

SpecFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="SPEC.toml", help="What to measure; without it, the preset."
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="A spec that ships with the program: smoke, quick, lesson or full.",
    ),
]
Texts = Annotated[
    list[str] | None,
    typer.Option(
        "--contender",
        metavar="NAME",
        help="DEVICE[/TRAINER][@[RANKSx]THREADS], such as cpu/resident@1 or cuda. "
        "Repeat it: the first is the baseline of the others.",
    ),
]
Samples = Annotated[
    str | None,
    typer.Option(
        metavar="LIST",
        help="Numbers of samples: 1500 is a fixed value, 10,100,1000 are swept.",
    ),
]
BatchSizes = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Batch sizes, one fixed or several to sweep: 8,64,512."
    ),
]
Epochs = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Numbers of epochs, one fixed or several to sweep."
    ),
]
Features = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Numbers of features, one fixed or several to sweep."
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Numbers of classes, each at least 2: 10, or 2,10,100."
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Stop measuring after this time: 90s, 5m or 2h. With --resume, go on for "
        "so long.",
    ),
]
Rounds = Annotated[
    int | None,
    typer.Option(metavar="N", help="Most rounds of a size; all of them with --grid."),
]
Width = Annotated[
    float | None,
    typer.Option(
        metavar="X", help="Search until the high / low of a crossover is at most this."
    ),
]
Grid = Annotated[
    bool, typer.Option("--grid", help="Only the sizes given, all rounds alike.")
]

Launcher = Annotated[
    str | None,
    typer.Option(
        "--launch",
        metavar="HOW",
        help="slurm or local: as jobs, each on a node of its own; see docs/cluster.md.",
    ),
]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="DEVICE=PER_HOUR",
        help="What an hour costs, such as cuda=2.49: crossovers in money beside those "
        "in time. Repeat it for each device.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="A new folder for the results, else results/NAME-DATE."
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Go on with the run in this folder, for longer if asked."
    ),
]
Recover = Annotated[
    bool,
    typer.Option(
        "--recover",
        help="Skip unreadable journal lines; the original is kept next to it.",
    ),
]
Runs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RUN",
        help="Folders of runs; those of several machines are put side by side.",
    ),
]
FromAsv = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DIR",
        help="The results folder of asv, or DIR@COMMIT, or one of its files. "
        "May be repeated.",
    ),
]
FromPytestBenchmark = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="What pytest --benchmark-json wrote. May be repeated."
    ),
]
ReportOut = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where to write; of several runs, a folder in it for each."
    ),
]
Latex = Annotated[bool, typer.Option("--latex", help="Write LaTeX tables too.")]
Parquet = Annotated[bool, typer.Option("--parquet", help="Write Parquet tables too.")]
Show = Annotated[
    bool, typer.Option("--show", help="Print the answers and write nothing.")
]

Table = Annotated[
    Path, typer.Argument(metavar="FILE.csv", help="A CSV table with one time a row.")
]
Axis = Annotated[str, typer.Option(metavar="COL", help="Column of the sizes.")]
Time = Annotated[
    str, typer.Option(metavar="COL", help="Column of the times, in any unit.")
]
Who = Annotated[str, typer.Option(metavar="COL", help="Column that names who ran.")]
Baseline = Annotated[
    str, typer.Option(metavar="NAME", help="The contender that is to be beaten.")
]
Challenger = Annotated[
    str, typer.Option(metavar="NAME", help="The contender that may beat it.")
]
Round = Annotated[
    str | None,
    typer.Option(
        "--round",
        metavar="COL",
        help="Column of the round: contenders of one round were measured in turns.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="COL,...", help="Columns that make groups, each with its own answer."
    ),
]
Pool = Annotated[
    str | None,
    typer.Option(
        metavar="COL,...",
        help="Columns that may differ between repetitions of one measurement.",
    ),
]
HigherIsBetter = Annotated[
    bool | None,
    typer.Option(
        "--higher-is-better/--lower-is-better",
        help="Whether the times are rates, such as GFLOP/s; else their name tells.",
    ),
]
AnalyseOut = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write analyse.csv and analyse.md there."),
]

RUN_FORMS = (
    "a run folder, a file of pytest --benchmark-json, or DIR@COMMIT in asv's results"
)
Before = Annotated[
    str, typer.Argument(metavar="BEFORE", help=f"The run before: {RUN_FORMS}.")
]
After = Annotated[
    str, typer.Argument(metavar="AFTER", help="The run after, in the same forms.")
]

Pairs = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, help="Pairs of programs that spin; ten seconds each."
    ),
]
Sweeps = Annotated[
    int, typer.Option(metavar="N", min=0, help="Simulated sweeps a row; 0 for none.")
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, help="Draws the pairs and the simulation.")
]

Experiment = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="One experiment, such as hard; else all."),
]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="A torch device, such as cpu or cuda.")
]
Full = Annotated[
    bool,
    typer.Option("--full", help="All steps of timing-large; hours on a GPU."),
]
LessonOut = Annotated[
    Path, typer.Option(metavar="DIR", help="The folder for the results.")
]

Measured = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run that was measured on this CPU.")
]
Sheets = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        metavar="SHEET",
        help="A data sheet by its name, such as h100-sxm, or a .toml file; else all "
        "that ship with the program. May be repeated.",
    ),
]
Predicted = Annotated[
    str, typer.Option(metavar="NAME", help="The trainer that the device would run.")
]
PredictOut = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Write predicted.csv and .md there, else to the run."
    ),
]
Quick = Annotated[
    bool,
    typer.Option("--quick", help="Leave out measuring one cell against itself (10 s)."),
]


def given(**sizes: str | None) -> tuple[tuple[str, str], ...]:
    """Return the sizes that were given, in the order of the workload's."""
    return tuple((name, text) for name, text in sizes.items() if text is not None)

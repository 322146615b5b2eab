"""The options of `cli`, with their help; loads nothing heavy."""

from pathlib import Path
from typing import Annotated

import typer

SpecFile = Annotated[
    Path | None, typer.Argument(help="A spec in TOML; without it, the preset.")
]
Preset = Annotated[str, typer.Option(help="smoke, quick, lesson or full.")]
Texts = Annotated[
    list[str] | None,
    typer.Option(
        "--contender",
        help="DEVICE[/TRAINER][@[RANKSx]THREADS]; repeat it: first the baseline.",
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

Launcher = Annotated[
    str | None,
    typer.Option(
        "--launch",
        help="slurm or local: as jobs, each on a node of its own; see docs/cluster.md.",
    ),
]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        "--price", help="DEVICE=PER_HOUR such as cuda=2.49; repeat it for the cost."
    ),
]
Out = Annotated[Path | None, typer.Option(help="A new folder for the results.")]
Resume = Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")]
Recover = Annotated[
    bool,
    typer.Option(
        "--recover",
        help="Leave out what of the journal is garbled; it is kept as it is beside.",
    ),
]
Runs = Annotated[list[Path] | None, typer.Argument(help="Run folders.")]
FromAsv = Annotated[
    list[str] | None,
    typer.Option(help="asv's results folder, or DIR@COMMIT, or a file of it; repeat."),
]
FromPytestBenchmark = Annotated[
    list[Path] | None, typer.Option(help="A file of pytest --benchmark-json; repeat.")
]
ReportOut = Annotated[
    Path | None, typer.Option(help="Where to write; a folder each for several runs.")
]
Latex = Annotated[bool, typer.Option("--latex", help="Write LaTeX tables too.")]
Parquet = Annotated[bool, typer.Option("--parquet", help="Write Parquet tables too.")]
Show = Annotated[
    bool, typer.Option("--show", help="Print the answers and write nothing.")
]

Round = Annotated[
    str | None, typer.Option("--round", help="Column that pairs measurements.")
]
By = Annotated[
    str | None, typer.Option(help="Columns, comma-separated; one answer a group.")
]
AnalyseOut = Annotated[Path | None, typer.Option(help="Folder for analyse.csv/.md.")]

Measured = Annotated[Path, typer.Argument(help="A run measured on this CPU.")]
Sheets = Annotated[
    list[str] | None,
    typer.Option(
        "--device", help="A data sheet: a name or a .toml file; else all that ship."
    ),
]
Predicted = Annotated[str, typer.Option(help="What the device would run.")]
PredictOut = Annotated[
    Path | None, typer.Option(help="Folder for predicted.csv/.md; else the run's.")
]

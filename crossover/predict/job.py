"""`crossover predict`: predict, print, and write predicted.csv and predicted.md.

Never crossovers.csv: what was not measured does not stand beside what was.
"""

from pathlib import Path

from crossover.files.atomic import write_atomically
from crossover.files.csv_file import csv_text
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, shown
from crossover.findings import size_text
from crossover.measure.declare import bring_back
from crossover.measure.environment import say_lost
from crossover.measure.process import WorkerProcess
from crossover.predict.model import Row, predict
from crossover.predict.sheet import Sheet
from crossover.record import run_folder
from crossover.report.words.document import Code, Document, Section, markdown
from crossover.report.words.numbers import between
from crossover.report.words.table import Table, print_table
from crossover.workloads.values import text
from crossover.workloads.workload import Workload

LABEL = "predicted, not measured"
COLUMNS = (
    "view", "baseline", "device", "trainer", "outcome", "at", "low", "high", "label",
)  # fmt: skip
"""Behind the axis and the sizes."""


def do_predict(
    folder: Path, sheets: list[Sheet], trainer: str | None, out: Path
) -> None:
    """Predict, print the table and write it.

    Args:
        folder: the run's.
        sheets: of the devices.
        trainer: whose work the device would do; None means the workload's first one.
        out: folder of what is written.

    Raises:
        InputError: for a trainer that cannot be counted, a run without CPU times, or a
            user's file that is not what it was.
    """
    run = run_folder.load(folder)
    say_lost(folder, run)
    trainer = _meant(run.spec.declared, trainer)
    bring_back(run.spec.declared, run.user_file)
    worker = WorkerProcess(1)
    try:
        rows = list(predict(run, sheets, trainer, worker))
    finally:
        worker.stop()
    if not rows:
        raise InputError(
            f"run = {str(folder)!r}: must hold CPU times of at least two sizes"
        )
    with refusing("out", out):
        out.mkdir(parents=True, exist_ok=True)
        workload = run.spec.declared
        write_atomically(out / "predicted.csv", as_csv(rows, workload))
        write_atomically(out / "predicted.md", as_markdown(rows, sheets, workload))
    print_table(_table(rows, workload, LABEL))
    print(f"Predicted, not measured: {out / 'predicted.md'}")


def _meant(workload: Workload, trainer: str | None) -> str:
    """Return the implementation that is named, else the workload's first one.

    Raises:
        InputError: for a function that the user's file does not have.
    """
    known = [one.name for one in workload.implementations]
    if trainer is None:
        return next(iter(known), "resident")
    if workload.is_users and trainer not in known:
        raise InputError(
            f"trainer = {shown(trainer)}: {workload.name} has none of that name; must "
            f"be {' or '.join(known)}"
        )
    return trainer


def as_csv(rows: list[Row], workload: Workload) -> str:
    """Return the predictions as a table of full precision."""
    names = *workload.axes, *varied(rows, workload)
    lines = (
        (
            row.axis, *(row.line[name] for name in names), row.view,
            row.baseline, row.device, row.trainer, row.found.outcome, row.found.at,
            row.found.low, row.found.high, LABEL,
        )
        for row in rows
    )  # fmt: skip
    return csv_text(("axis", *names, *COLUMNS), lines)


def varied(rows: list[Row], workload: Workload) -> list[str]:
    """Return the names of the settings that differ between predictions."""
    names = (setting.name for setting in workload.settings)
    return [name for name in names if len({row.line[name] for row in rows}) > 1]


def in_words(row: Row) -> str:
    """Say a prediction in a few words; sizes are of the row's axis."""
    found = row.found
    said = {
        "always": "ahead at every size",
        "never": "not ahead at the largest size",
        "does not fit": "the data do not fit",
    }.get(found.outcome)
    if said is None:
        at = f"from {size_text(found.at)}" if found.at else "undecided"
        said = f"{at} ({between(found.low, found.high, size_text)})"
    return said + (f"; at {row.left_out} the data do not fit" if row.left_out else "")


def _table(rows: list[Row], workload: Workload, caption: str = "") -> Table:
    """Return the predictions: a line a baseline, a column a device."""
    devices = list(dict.fromkeys(row.device for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    settings = varied(rows, workload)
    for row in rows:
        fixed = (
            size.said(row.line[size.name])
            for size in workload.sizes
            if size.name not in (row.axis, workload.repeating)
        )
        others = (f"{name} {text(row.line[name])}" for name in settings)
        sweep = f"{row.axis}: {', '.join((*fixed, *others))}"
        lines.setdefault((sweep, row.view, row.baseline), {})[row.device] = in_words(
            row
        )
    body = tuple((*key, *(found[d] for d in devices)) for key, found in lines.items())
    head = ("Sweep", "View", "Baseline, measured", *devices)
    return Table(caption, head, body, numbers=False)


def as_markdown(rows: list[Row], sheets: list[Sheet], workload: Workload) -> str:
    """Return the predictions and where their numbers come from."""
    said = (
        "From which size on ", Code(rows[0].trainer), " on a device would be ahead. "
        "The CPU was measured; the devices are their data sheets. docs/predict.md says "
        "what is left out.",
    )  # fmt: skip
    sources = tuple(f"{s.name}: {s.source}" for s in sheets)
    whole = Section("", "", (said,), (_table(rows, workload),), (), sources)
    return markdown(Document(f"Crossovers {LABEL}", sections=(whole,)))

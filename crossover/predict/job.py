"""`crossover predict`: predict, print, and write predicted.csv and predicted.md.

Never crossovers.csv: what was not measured does not stand beside what was.
"""

import csv
import dataclasses
import io
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from crossover.files.atomic import write_atomically
from crossover.files.escape import cell, text
from crossover.files.refusals import refusing
from crossover.measure.environment import say_lost
from crossover.measure.process import WorkerProcess
from crossover.nouns import InputError
from crossover.predict.model import Row, predict
from crossover.predict.sheet import Sheet
from crossover.record import run_folder
from crossover.workloads.workload import Workload

LABEL = "predicted, not measured"
COLUMNS = (
    "view", "baseline", "device", "trainer", "outcome", "at", "low", "high", "label",
)  # fmt: skip
"""Behind the axis and the sizes."""


def do_predict(folder: Path, sheets: list[Sheet], trainer: str, out: Path) -> None:
    """Predict, print the table and write it.

    Raises:
        InputError: for a trainer that cannot be counted, or a run without CPU times.
    """
    run = run_folder.load(folder)
    say_lost(folder, run)
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
    show(rows, workload)
    print(f"Predicted, not measured: {out / 'predicted.md'}")


def _fields(row: Row) -> dict[str, Any]:
    return {
        **dict(row.line.values),
        "axis": row.axis, "view": row.view, "baseline": row.baseline,
        "device": row.device, "trainer": row.trainer, "label": LABEL,
        **dataclasses.asdict(row.found),
    }  # fmt: skip


def as_csv(rows: list[Row], workload: Workload) -> str:
    """Return the predictions as a table of full precision."""
    table, head = io.StringIO(), ("axis", *workload.axes, *COLUMNS)
    writer = csv.DictWriter(table, head, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: cell(value) for name, value in _fields(row).items()})
    return table.getvalue()


def in_words(row: Row) -> str:
    """Say a prediction in a few words; sizes are of the row's axis."""
    found = row.found
    said = {
        "always": "ahead at every size",
        "never": "behind at the largest size",
        "does not fit": "the data do not fit",
    }.get(found.outcome)
    if said is None:
        low, high = _size(found.low) or "below", _size(found.high) or "above"
        at = f"from {_size(found.at)}" if found.at else "undecided"
        said = f"{at} ({low} to {high})"
    return said + (f"; at {row.left_out} the data do not fit" if row.left_out else "")


def _size(size: float | None) -> str:
    if size is None:
        return ""
    return f"{size:.3g}" if size < 1000 else f"{size:,.0f}"


def _table(rows: list[Row], workload: Workload) -> tuple[list[str], list[list[str]]]:
    """Return head and lines: a line a baseline, a column a device."""
    devices = list(dict.fromkeys(row.device for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        fixed = (
            size.said(row.line[size.name])
            for size in workload.sizes
            if size.name not in (row.axis, workload.repeating)
        )
        sweep = f"{row.axis}: {', '.join(fixed)}"
        lines.setdefault((sweep, row.view, row.baseline), {})[row.device] = in_words(
            row
        )
    body = [[*key, *(found[d] for d in devices)] for key, found in lines.items()]
    return ["Sweep", "View", "Baseline, measured", *devices], body


def as_markdown(rows: list[Row], sheets: list[Sheet], workload: Workload) -> str:
    """Return the predictions and where their numbers come from."""
    head, body = _table(rows, workload)
    lines = [
        f"# Crossovers {LABEL}",
        "",
        f"From which size on `{rows[0].trainer}` on a device would be ahead. The CPU "
        "was measured; the devices are their data sheets. docs/predict.md says what is "
        "left out.",
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(map(text, line))} |" for line in body),
        "",
        *(f"- {s.name}: {s.source}" for s in sheets),
    ]
    return "\n".join(lines) + "\n"


def show(rows: list[Row], workload: Workload) -> None:
    """Print the predictions."""
    head, body = _table(rows, workload)
    table = Table(title=LABEL, title_justify="left")
    for name in head:
        table.add_column(name)
    for line in body:
        table.add_row(*line)
    Console(markup=False, highlight=False).print(table)

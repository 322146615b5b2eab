"""Run the experiments, one or all; print the table, write it and the pictures."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from crossover.files.atomic import write_atomically
from crossover.files.csv_file import csv_text
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, check_known
from crossover.interrupts import Interrupted
from crossover.lesson import large, tasks, timing
from crossover.lesson.claims import Row
from crossover.lesson.tasks import Task
from crossover.measure.process import check_proc
from crossover.nouns import field_names
from crossover.report.words.document import (
    Document,
    Picture,
    Section,
    Strong,
    markdown,
)
from crossover.report.words.table import Table, print_table
from crossover.system.ways import load_1min

if TYPE_CHECKING:
    import torch

EXPERIMENTS: dict[str, tuple[Callable[[Task], list[Row]], float]] = {
    "worked": (tasks.worked, 1),
    "manual": (tasks.manual, 3),
    "convergence": (partial(tasks.rounds, "convergence"), 190),
    "inits": (partial(tasks.starts, "inits"), 100),
    "library": (tasks.library, 3),
    "library-convergence": (partial(tasks.rounds, "library-convergence"), 190),
    "hard": (tasks.hard, 190),
    "hard-inits": (partial(tasks.starts, "hard-inits"), 100),
    "device-check": (tasks.device_check, 1),
    "timing-small": (timing.timing_small, 190),
    "timing-large": (timing.timing_large, large.TAKEN),
}
"""Each experiment and how many epochs of 150 steps it takes, for the time left."""
PIPE_WIDTH = 160
INTERRUPTED = "Interrupted: not all experiments ran."


def do_lesson(experiment: str | None, device: str, full: bool, out: Path) -> int:
    """Run, print, write, and return the exit code.

    Raises:
        InputError: for an experiment or a device that cannot be used.
        InputError: when the folder cannot be written.
    """
    names = tuple(EXPERIMENTS) if experiment is None else (experiment,)
    check_known("experiment", names[0], tuple(EXPERIMENTS))
    check_proc()
    where = _usable(device)
    with refusing("out", out):
        (out / "plots").mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    task, interrupted = _run(names, where, full, rows)
    with refusing("out", out):
        pictures = _pictures(task, out / "plots")
        _write(rows, pictures, interrupted, where, out)
        if task.evidence is not None:
            from crossover.lesson.verdict_files import write_verdict

            command = shlex.join(["crossover", *sys.argv[1:]])
            facts = f"{_facts(where, interrupted)} Command: {command}"
            write_verdict(task.evidence, facts, out)
    _show(rows)
    print(f"Written: {out / 'lesson.md'}")
    if task.evidence is not None:
        from crossover.lesson.verdict import verdict

        print(f"Verdict: {verdict(task.evidence)}\nWritten: {out / 'verdict.html'}")
    if interrupted:
        print("Interrupted: what was finished is written.")
        return 130
    return 1 if any(row.ok == "NO" for row in rows) else 0


def _usable(text: str) -> "torch.device":
    """Return the device, with torch set up for what is timed there."""
    from softmax_core.device import parse_device, pin_products, unavailable_reason

    pin_products()
    try:
        device = parse_device(text)
    except ValueError as error:
        raise InputError(str(error)) from error
    reason = unavailable_reason(device)
    if reason is not None:
        raise InputError(f"device = {text!r}: cannot be used here: {reason}")
    return device


def _run(
    names: Sequence[str], device: "torch.device", full: bool, rows: list[Row]
) -> tuple[Task, bool]:
    """Add the rows of each experiment; return the task and whether it was stopped."""
    epochs = {name: EXPERIMENTS[name][1] for name in names}
    if "hard" in names and "timing-small" in names:
        epochs["timing-small"] = 0  # that training is the one which is timed
    if full and "timing-large" in epochs:
        epochs["timing-large"] += large.WHOLE * (1 if device.type == "cpu" else 2)
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    # Drawn only when told: a thread that redraws would take time from what is timed.
    bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
    line = bar.add_task("starting", total=sum(epochs.values()))
    done = 0.0

    def seen(trained: float) -> None:
        bar.update(line, advance=trained, refresh=True)

    task = Task(device, seen, full)
    with bar:
        try:
            for name in names:
                bar.update(line, description=name, refresh=True)
                rows += EXPERIMENTS[name][0](task)
                done += epochs[name]
                bar.update(line, completed=done, refresh=True)
        except (KeyboardInterrupt, Interrupted):
            return task, True
    return task, False


def _pictures(task: Task, plots: Path) -> list[str]:
    """Draw what the task has found; return the pictures' names."""
    from crossover.report.pictures import lesson
    from crossover.report.pictures.figures import save
    from softmax_core import experiments, experiments_worked

    figures = {}
    if task.worked:
        arrays = {}
        for mean, std in (experiments.EASY, experiments.HARD):
            X, y = experiments.lesson_data((mean, std))
            name = f"class means {mean:g} apart, standard deviation {std:g}"
            arrays[name] = (X.numpy(), y.flatten().numpy())
        figures["data"] = lesson.data_figure(arrays)
        figures["softmax-against-max"] = lesson.softmax_figure(
            *experiments_worked.softmax_against_max()
        )
        fits = {
            degree: (fit.curve, fit.loss)
            for degree, (fit, _) in experiments_worked.polynomial_fits().items()
        }
        figures["polynomials"] = lesson.polynomial_figure(
            *experiments_worked.noisy_roots(), fits
        )
    if task.rounds:
        figures["accuracy"] = lesson.rounds_figure(task.rounds)
    if task.starts:
        figures["inits"] = lesson.starts_figure(task.starts)
    for name, figure in figures.items():
        save(figure, plots, name)
    return list(figures)


def _write(
    rows: Sequence[Row],
    pictures: Sequence[str],
    interrupted: bool,
    device: "torch.device",
    out: Path,
) -> None:
    """Write lesson.csv and lesson.md."""
    table = _table(rows)
    lines = csv_text(table.head, table.rows, foreign=False)
    write_atomically(out / "lesson.csv", lines)
    said = (*[Strong(INTERRUPTED)] * interrupted, _facts(device))
    shown = tuple(Picture(name, name, name) for name in pictures)
    whole = Section("", "", said, (table,), shown)
    text = markdown(Document("The lesson's experiments", sections=(whole,)))
    write_atomically(out / "lesson.md", text)


def _table(rows: Sequence[Row]) -> Table:
    return Table("", field_names(Row), tuple(map(astuple, rows)), numbers=False)


def _facts(device: "torch.device", interrupted: bool = False) -> str:
    """Say where all of it was measured."""
    import torch

    from softmax_core.device import describe

    cpu, used = describe(torch.device("cpu")).description, describe(device).description
    where = f"Device {device}" + (f" ({used})" if used != cpu else "")
    load = load_1min()
    busy = "unknown" if load is None else f"{load:.1f}"
    said = (
        f"{where}; CPU {cpu}, {torch.get_num_threads()} threads, "
        f"load average {busy} at the end; torch {torch.__version__}."
    )
    return f"{INTERRUPTED} {said}" if interrupted else said


def _show(rows: Sequence[Row]) -> None:
    """Print the table, and which rows are off."""
    print_table(_table(rows), None if sys.stdout.isatty() else PIPE_WIDTH)
    off = [row for row in rows if row.ok == "NO"]
    checked = sum(row.ok == "yes" for row in rows) + len(off)
    print(f"{checked - len(off)} of {checked} checked rows within their tolerance.")
    for row in off:
        print(f"NO: {row.experiment}, {row.what}")

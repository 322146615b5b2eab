"""Write every derived file of a run, each atomically, from its measurements alone."""

import io
from collections.abc import Sequence
from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from crossover.analysis.crossover import with_next_steps
from crossover.analysis.frame import OPTIONAL, Derived, derive, frames
from crossover.choose.regret import regret_table, regrets
from crossover.files.atomic import write_atomically
from crossover.files.csv_file import frame_csv
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError
from crossover.findings import Crossover
from crossover.nouns import Run
from crossover.report.page import page
from crossover.report.pictures.figures import pictures, save_all
from crossover.report.tables import document
from crossover.report.words.document import Picture, markdown

LATEX_COLUMNS = {
    "estimates": (
        "contender", "*", "view", "median_s", "low_s", "high_s", "rounds",
    ),
    "crossovers": (
        "axis", "*", "view", "baseline", "challenger", "outcome", "at", "low", "high",
        "speedup_smallest", "speedup_largest",
    ),
    "breakeven": ("*", "baseline", "challenger", "outcome", "low", "high"),
}  # fmt: skip
"""`*` stands for the sizes that the table has."""


def write_report(
    run: Run,
    out: Path,
    partial: bool = False,
    latex: bool = False,
    parquet: bool = False,
) -> list[Crossover]:
    """Write the CSVs, plots, report.md and report.html, and return the crossovers.

    Args:
        run: what was measured.
        out: the run's folder.
        partial: the run was interrupted; the report says so.
        latex: write estimates, crossovers and break-evens as .tex, too.
        parquet: write all tables as .parquet, too.

    Raises:
        InputError: when parquet is asked for without pyarrow.
        InputError: when the folder cannot be written.
    """
    if parquet and find_spec("pyarrow") is None:
        raise InputError(
            "parquet: needs pyarrow; pip install 'softmax-crossover[parquet]'"
        )
    derived = derive(run)
    asked = with_next_steps(run, derived.crossovers, out)
    derived = replace(derived, crossovers=asked)
    tables = frames(run, derived)
    costs = regrets(run, derived)
    with refusing("out", out):
        for field in fields(tables):
            whole: pd.DataFrame = getattr(tables, field.name)
            if len(whole) or field.name not in OPTIONAL:
                _write_table(out / field.name, whole, parquet)
            else:
                _drop_table(out / field.name)
        if costs:
            picks = regret_table(costs, run.spec.declared)
            _write_table(out / "regret", picks, parquet)
        else:
            _drop_table(out / "regret")
        for name, columns in LATEX_COLUMNS.items() if latex else ():
            table: pd.DataFrame = getattr(tables, name)
            chosen = _chosen(columns, table, run.spec.declared.axes)
            write_atomically(out / f"{name}.tex", _latex(table[chosen]))
        shown = _plots(run, derived, out)
        text = markdown(document(run, derived, shown, partial, costs))
        write_atomically(out / "report.md", text)
        html = page(run, derived, tables, shown, partial, costs)
        write_atomically(out / "report.html", html)
    return derived.crossovers


def _write_table(stem: Path, table: pd.DataFrame, parquet: bool) -> None:
    write_atomically(stem.with_name(f"{stem.name}.csv"), frame_csv(_dated(table)))
    if parquet:
        file = io.BytesIO()
        table.to_parquet(file, index=False)
        write_atomically(stem.with_name(f"{stem.name}.parquet"), file.getvalue())


def _drop_table(stem: Path) -> None:
    """Remove a table of an earlier report that this one has no rows for."""
    for kind in ("csv", "parquet"):
        stem.with_name(f"{stem.name}.{kind}").unlink(missing_ok=True)


def _dated(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its dates as texts: `2026-11-24T18:12:26.469+00:00`."""
    texts: dict[str, pd.Series[str]] = {}
    for name in table.select_dtypes("datetimetz"):
        dates = table[name].dt.tz_localize(None)
        # numpy's is ten times as fast as pandas' `date_format`
        written = pd.Series(np.datetime_as_string(dates.to_numpy("datetime64[ms]")))
        texts[str(name)] = (written + "+00:00").where(dates.notna().to_numpy())
    return table.assign(**texts)


def _chosen(
    columns: Sequence[str], table: pd.DataFrame, sizes: Sequence[str]
) -> list[str]:
    """Name a table's columns, its sizes among them."""
    known = [size for size in sizes if size in table]
    return [n for name in columns for n in (known if name == "*" else [name])]


def _latex(table: pd.DataFrame) -> str:
    """Return a long table in LaTeX (packages booktabs and longtable)."""
    style = table.style.format(escape="latex", na_rep="", precision=4).hide(
        axis="index"
    )
    style = style.format_index(escape="latex", axis=1)
    text: str = style.to_latex(hrules=True, environment="longtable")
    return text


def _plots(run: Run, derived: Derived, out: Path) -> list[Picture]:
    """Write each picture as PNG and SVG, and return it."""
    if (out / "plots").is_symlink():  # of a stranger: it leads anywhere
        raise InputError(f"out = {str(out)!r}: plots is a link; must be a folder")
    (out / "plots").mkdir(exist_ok=True)
    return save_all([*pictures(run, derived)], out / "plots")

"""Write every derived file of a run, each atomically, from its measurements alone."""

import base64
import io
from importlib.resources import files
from pathlib import Path

import jinja2
import matplotlib.pyplot as plt
import pandas as pd

from bench.analysis.crossover import crossovers
from bench.analysis.frame import Frames, frames
from bench.nouns import Crossover, Run
from bench.report.plots import colours, sweep_figure
from bench.report.tables import (
    AXIS_WORDS,
    html_table,
    report_markdown,
    sentence,
    sweep_key,
    where,
)
from bench.store import write_atomically


def write_report(run: Run, out: Path, partial: bool = False) -> list[Crossover]:
    """Write the CSVs, plots, report.md and report.html, and return the crossovers."""
    tables, found = frames(run), crossovers(run)
    for name in ("measurements", "estimates", "crossovers"):
        table: pd.DataFrame = getattr(tables, name)
        write_atomically(out / f"{name}.csv", table.to_csv(index=False))
    pictures = _plots(tables, found, out)
    write_atomically(out / "report.md", report_markdown(run, found, partial))
    page = _page(run, tables, found, pictures, partial)
    write_atomically(out / "report.html", page)
    return found


def _plots(tables: Frames, found: list[Crossover], out: Path) -> list[dict[str, str]]:
    (out / "plots").mkdir(exist_ok=True)
    palette = colours(
        list(
            {n for c in found for n in (c.baseline, c.challenger)}
            | set(tables.estimates.contender)
        )
    )
    pictures = []
    train = [c for c in found if c.view == "train"]
    for number, key in enumerate(dict.fromkeys(map(sweep_key, train)), start=1):
        group = [c for c in train if sweep_key(c) == key]
        figure = sweep_figure(_of_sweep(tables.estimates, group[0]), group, palette)
        for kind in ("png", "svg"):
            image = io.BytesIO()
            figure.savefig(image, format=kind, dpi=120)
            write_atomically(
                out / "plots" / f"sweep{number}-{key[0]}.{kind}", image.getvalue()
            )
            if kind == "png":
                text = base64.b64encode(image.getvalue()).decode()
                pictures.append(
                    {"title": f"Over {AXIS_WORDS[key[0]]}: {key[1]}", "png": text}
                )
        plt.close(figure)
    return pictures


def _of_sweep(estimates: pd.DataFrame, c: Crossover) -> pd.DataFrame:
    keep = estimates["view"] == "train"
    for name in ("samples", "features", "classes", "batch_size", "epochs"):
        if name != c.axis:
            keep &= estimates[name] == getattr(c.case, name)
    return estimates[keep]


def _page(
    run: Run,
    tables: Frames,
    found: list[Crossover],
    pictures: list[dict[str, str]],
    partial: bool,
) -> str:
    template = (
        files("bench").joinpath("report", "templates", "report.html").read_text("utf-8")
    )
    environment = jinja2.Environment(autoescape=True)
    measured = [c for c in found if c.view == "train" and c.outcome != "not_measured"]
    missing = [c for c in found if c.view == "train" and c.outcome == "not_measured"]
    return environment.from_string(template).render(
        run=run,
        partial=partial,
        answers=[f"{sentence(c)} ({where(c)})" for c in measured],
        missing=dict.fromkeys(sentence(c) for c in missing),
        figures=pictures,
        table=html_table(tables.crossovers),
    )

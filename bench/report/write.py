"""Write every derived file of a run, each atomically, from its measurements alone."""

import base64
import io
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import jinja2
import matplotlib.pyplot as plt
import pandas as pd

from bench.analysis.crossover import crossovers
from bench.analysis.frame import frames
from bench.analysis.sweeps import SweepResult, sweep_results
from bench.nouns import Crossover, Run
from bench.report.plots import colours, sweep_figure
from bench.report.tables import (
    VIEW_WORDS,
    figure_name,
    fixed_values,
    flags_explained,
    html_table,
    not_measured,
    report_markdown,
    sentence,
)
from bench.store import StoreError, write_atomically


def write_report(run: Run, out: Path, partial: bool = False) -> list[Crossover]:
    """Write the CSVs, plots, report.md and report.html, and return the crossovers.

    Raises:
        StoreError: when the folder cannot be written.
    """
    found = crossovers(run)
    tables, results = frames(run, found), sweep_results(run, found)
    try:
        for name in ("measurements", "estimates", "crossovers"):
            table: pd.DataFrame = getattr(tables, name)
            write_atomically(out / f"{name}.csv", table.to_csv(index=False))
        pictures = _plots(results, out)
        markdown = report_markdown(run, found, results, partial)
        write_atomically(out / "report.md", markdown)
        page = _page(run, found, results, pictures, tables.crossovers, partial)
        write_atomically(out / "report.html", page)
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error
    return found


def _plots(results: Sequence[SweepResult], out: Path) -> list[str]:
    """Write each sweep's figure as PNG and SVG; return the PNGs in base64."""
    (out / "plots").mkdir(exist_ok=True)
    palette = colours(str(e.contender) for r in results for e in r.estimates)
    palette |= colours([*palette, *(p.challenger for r in results for p in r.speedups)])
    pictures = []
    for number, result in enumerate(results, start=1):
        figure = sweep_figure(result, palette)
        for kind in ("svg", "png"):
            image = io.BytesIO()
            metadata = {"Date": None} if kind == "svg" else None
            figure.savefig(image, format=kind, dpi=110, metadata=metadata)
            figure.set_layout_engine("none")  # laid out once is enough
            name = f"{figure_name(number, result)}.{kind}"
            write_atomically(out / "plots" / name, image.getvalue())
        pictures.append(base64.b64encode(image.getvalue()).decode())
        plt.close(figure)
    return pictures


def _page(
    run: Run,
    found: Sequence[Crossover],
    results: Sequence[SweepResult],
    pictures: Sequence[str],
    table: pd.DataFrame,
    partial: bool,
) -> str:
    template = files("bench").joinpath("report", "templates", "report.html")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    environment.filters["sentence"] = sentence
    return environment.from_string(template.read_text("utf-8")).render(
        run=run,
        partial=partial,
        missing=not_measured(found),
        sweeps=[
            {
                "title": fixed_values(result.sweep).capitalize(),
                "png": png,
                "rows": [
                    (VIEW_WORDS[c.view], c)
                    for c in found
                    if result.holds(c) and c.outcome != "not_measured"
                ],
            }
            for result, png in zip(results, pictures, strict=True)
        ],
        flags=flags_explained(found),
        table=html_table(table),
    )

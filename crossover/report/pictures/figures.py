"""Every figure of a report: a `Run` in, `Picture`s out, which `save_all` draws.

It does so in a process for each core, where that is safe.
"""

import io
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from crossover.analysis.frame import Derived
from crossover.analysis.panels import (
    Grid,
    break_evens_of,
    control_series,
    speedup_grids,
)
from crossover.analysis.phases import phases, warm_ups
from crossover.analysis.sweeps import SweepResult
from crossover.files.atomic import write_atomically
from crossover.nouns import Run
from crossover.report.pictures import captions
from crossover.report.pictures.breakeven import break_even_figure
from crossover.report.pictures.control import control_figure
from crossover.report.pictures.costs import phases_figure, warm_up_figure
from crossover.report.pictures.curves import sweep_figure
from crossover.report.pictures.drawing import mpl
from crossover.report.pictures.grid import grid_figure
from crossover.report.pictures.styles import SAVING, Look, looks
from crossover.report.words.document import Picture
from crossover.report.words.sentences import fixed_values

PHASE_SIZES, WARM_UP_SIZES = 3, 2
MOST_DETAILED = 6
"""Sweeps up to which all are drawn in every detail; with more, only the first is, and
one grid, as a figure costs about half a second."""
MOST_GRIDS = 3
COLOURS = 128
"""A PNG has at most this many: flat areas and text need few."""
NOT_DRAWN = (
    f" With more than {MOST_DETAILED} sweeps, break-even, parts and warm-up are drawn "
    "of the first one only."
)


def pictures(run: Run, derived: Derived) -> Iterator[Picture]:
    """Yield every figure of a run, each with what draws it.

    First those of each sweep, training alone; then speedups over two axes; then the A/A
    control.

    Args:
        run: what was recorded.
        derived: what follows from it.
    """
    results = derived.sweeps["train"]
    palette = palette_of(results)
    every = len(results) <= MOST_DETAILED
    for i, result in enumerate(results, start=1):
        head, alt, caption = captions.sweep(result)
        first = Picture(
            f"sweep{i}-{result.sweep.axis}",
            head,
            alt,
            caption + ("" if every else NOT_DRAWN),
            values=(f"#numbers-{i}", "the numbers below"),
            sweep=i,
            draw=partial(sweep_figure, result, palette),
        )
        yield first
        if every or i == 1:
            yield from _beside(first.name, result, palette, derived)
    yield from _grids(speedup_grids(results), MOST_GRIDS if every else 1)
    controls = control_series(run, derived.crossovers, derived.recorded)
    if controls:
        words, draw = captions.control(controls), partial(control_figure, controls)
        values = "#crossovers", "the crossovers with the flag control"
        yield Picture("control", *words, values=values, draw=partial(draw, palette))


def image(figure: Figure, kind: str) -> bytes:
    """Return a figure as `png` or `svg`; the same figure gives the same bytes."""
    file = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    with mpl.rc_context(SAVING):
        engine = figure.get_layout_engine()
        if engine is not None:  # laid out once is enough
            engine.execute(figure)
            figure.set_layout_engine(None)
        figure.savefig(file, format=kind, metadata=metadata)
    return file.getvalue()


def small_png(figure: Figure) -> bytes:
    """Return a figure as a PNG with a palette: a quarter of the bytes, and faster."""
    pixels, file = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(SAVING):
        figure.savefig(pixels, format="rgba")
    size = figure.canvas.get_width_height(physical=True)
    flat = (
        Image.frombytes("RGBA", size, pixels.getvalue())
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    )
    flat.save(file, "PNG")
    return file.getvalue()


def save(figure: Figure, folder: Path, name: str) -> bytes:
    """Write a figure as SVG and as PNG, each atomically; return the PNG."""
    write_atomically(folder / f"{name}.svg", image(figure, "svg"))
    png = small_png(figure)
    write_atomically(folder / f"{name}.png", png)
    return png


def save_all(waiting: Sequence[Picture], folder: Path) -> list[Picture]:
    """Draw pictures, write each as SVG and PNG, and return them with their PNGs.

    Where it is safe, each core has a process that draws a share of them. It is forked,
    so that it has what is to be drawn. What it did not manage is drawn here, and fails
    here if it must.
    """
    n = min(len(waiting), _cores())
    others = []
    if n > 1:
        context = multiprocessing.get_context("fork")
        shares = [waiting[i::n] for i in range(1, n)]
        others = [context.Process(target=_try_share, args=(s, folder)) for s in shares]
    try:
        for process in others:
            process.start()
        for picture in waiting[:: n or 1]:
            _save_one(picture, folder)
        for i, process in enumerate(others, start=1):
            process.join()
            for picture in waiting[i::n] if process.exitcode else ():
                _save_one(picture, folder)
    finally:
        for process in others:
            process.terminate()
            process.join()
    return [
        replace(one, png=(folder / f"{one.name}.png").read_bytes(), draw=None)
        for one in waiting
    ]


def _cores() -> int:
    """Return how many processes may draw: one, unless it is safe to fork this one.

    A library's threads, such as torch's, and locks that they hold are not forked.
    """
    is_alone = threading.active_count() == 1 and "torch" not in sys.modules
    is_portable = "CROSSOVER_PORTABLE" in os.environ or not hasattr(os, "fork")
    if is_portable or not is_alone:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _try_share(share: Sequence[Picture], folder: Path) -> None:
    try:
        for picture in share:
            _save_one(picture, folder)
    except BaseException:  # it is told by whom waits for this process, not here
        os._exit(1)


def _save_one(picture: Picture, folder: Path) -> None:
    assert picture.draw is not None
    save(picture.draw(), folder, picture.name)


def palette_of(results: Sequence[SweepResult]) -> dict[str, Look]:
    """Give every contender of a run its look: those measured first, then `best`."""
    measured = [str(e.contender) for r in results for e in r.estimates]
    paired = [
        n for r in results for p in r.speedups for n in (p.baseline, p.challenger)
    ]
    return looks([*measured, *paired])


def _grids(grids: Sequence[Grid], most: int) -> Iterator[Picture]:
    values = "#pictures", "the numbers of its sweeps, above"
    left = len(grids) - most
    more = f" {left} more pairs are not drawn." if left > 0 else ""
    for i, grid in enumerate(grids[:most], start=1):
        head, alt, caption = captions.grid(grid)
        name = f"grid{i}-{grid.axis}-{grid.second_axis}"
        draw = partial(grid_figure, grid)
        yield Picture(name, head, alt, caption + more, values=values, draw=draw)


def _beside(
    stem: str,
    result: SweepResult,
    palette: Mapping[str, Look],
    derived: Derived,
) -> Iterator[Picture]:
    """Draw what is beside a sweep's times, where something was measured."""
    along, title = result.along, fixed_values(result.sweep)
    breaks = break_evens_of(result, derived.break_evens)
    if breaks:
        words = captions.break_even(result, breaks)
        draw = partial(break_even_figure, breaks, along, title, palette)
        values = "#break-even", "the break-even table"
        yield Picture(f"{stem}-break_even", *words, values=values, draw=draw)
    parts = phases(result, derived.estimates, PHASE_SIZES)
    if parts:
        words = captions.phases(result, parts)
        draw = partial(phases_figure, parts, along, title, palette)
        values = "#times", "the times in all three ways to count"
        yield Picture(f"{stem}-phases", *words, values=values, draw=draw)
    warmed = warm_ups(result, derived.recorded, WARM_UP_SIZES)
    if warmed:
        words = captions.warm_up(result, warmed)
        draw = partial(warm_up_figure, warmed, along, title, palette)
        values = "measurements.csv", "measurements.csv, column warmup_s"
        yield Picture(f"{stem}-warm_up", *words, values=values, draw=draw)

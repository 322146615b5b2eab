"""Every figure of a report, one at a time: a `Run` in, `Picture`s out.

The writer saves each picture and drops it before it asks for the next.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

from crossover.analysis.breakeven import BreakEven, break_evens
from crossover.analysis.estimate import estimates
from crossover.analysis.panels import (
    Grid,
    break_evens_of,
    control_series,
    speedup_grids,
)
from crossover.analysis.phases import phases, warm_ups
from crossover.analysis.rounds import Recorded
from crossover.analysis.sweeps import SweepResult, sweep_results
from crossover.findings import Crossover, Estimate
from crossover.nouns import Run
from crossover.report.pictures import captions
from crossover.report.pictures.breakeven import break_even_figure
from crossover.report.pictures.control import control_figure
from crossover.report.pictures.costs import phases_figure, warm_up_figure
from crossover.report.pictures.curves import sweep_figure
from crossover.report.pictures.grid import grid_figure
from crossover.report.pictures.styles import SAVING, Look, looks
from crossover.report.words.sentences import fixed_values

PHASE_SIZES, WARM_UP_SIZES = 3, 2
MOST_DETAILED = 6
"""Sweeps up to which all are drawn in every detail; with more, only the first is, and
one grid, as a figure costs about half a second."""
MOST_GRIDS = 3
NOT_DRAWN = (
    f" With more than {MOST_DETAILED} sweeps, break-even, parts and warm-up are drawn "
    "of the first one only."
)


@dataclass(frozen=True)
class Picture:
    """A figure with the words that stand around it; none of them is escaped."""

    name: str
    """The file's stem: letters, digits, `-` and `_` only."""
    heading: str
    alt: str
    """What is seen, in a sentence with the key numbers."""
    caption: str
    """n, what bands and shades mean, and which CSV holds the values."""
    figure: Figure


def pictures(
    run: Run,
    found: Sequence[Crossover],
    view: str = "train",
    known: Iterable[Estimate] | None = None,
    breaks: Sequence[BreakEven] | None = None,
    results: Sequence[SweepResult] | None = None,
) -> Iterator[Picture]:
    """Draw every figure of a run in one view, lazily: each is made when asked for.

    First those of each sweep, then speedups over two axes, then the A/A control.

    Args:
        run: what was recorded.
        found: its crossovers, of any view.
        view: of times and speedups; what a fresh process pays is shown in any.
        known: the run's estimates; without them they are computed.
        breaks: its break-evens; without them they are computed.
        results: its sweeps in the view; without them they are gathered.
    """
    spec = run.spec
    recorded = Recorded(run.measurements)
    if known is None:
        known = estimates(run, spec.confidence, recorded)
    estimated = list(known)
    breaks = break_evens(run, recorded) if breaks is None else breaks
    if results is None:
        results = sweep_results(run, found, view, estimated, recorded)
    palette = _palette(results)
    every = len(results) <= MOST_DETAILED
    for i, result in enumerate(results, start=1):
        stem = f"sweep{i}-{result.sweep.axis}"
        head, alt, caption = captions.sweep(result)
        more = "" if every else NOT_DRAWN
        yield Picture(stem, head, alt, caption + more, sweep_figure(result, palette))
        if every or i == 1:
            yield from _beside(stem, result, palette, estimated, recorded, breaks)
    yield from _grids(speedup_grids(results), MOST_GRIDS if every else 1)
    controls = control_series(run, found, recorded)
    if controls:
        words = captions.control(controls)
        yield Picture("control", *words, control_figure(controls, palette))


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


def _palette(results: Sequence[SweepResult]) -> dict[str, Look]:
    """Give every contender of a run its look: those measured first, then `best`."""
    measured = [str(e.contender) for r in results for e in r.estimates]
    paired = [
        n for r in results for p in r.speedups for n in (p.baseline, p.challenger)
    ]
    return looks([*measured, *paired])


def _grids(grids: Sequence[Grid], most: int) -> Iterator[Picture]:
    for i, grid in enumerate(grids[:most], start=1):
        head, alt, caption = captions.grid(grid)
        left = len(grids) - most
        more = f" {left} more pairs are not drawn." if left > 0 else ""
        name = f"grid{i}-{grid.axis}-{grid.second_axis}"
        yield Picture(name, head, alt, caption + more, grid_figure(grid))


def _beside(
    stem: str,
    result: SweepResult,
    palette: Mapping[str, Look],
    known: Sequence[Estimate],
    recorded: Recorded,
    breaks: Sequence[BreakEven],
) -> Iterator[Picture]:
    """Draw what is beside a sweep's times, where something was measured."""
    along, title = result.along, fixed_values(result.sweep)
    mine = break_evens_of(result, breaks)
    if mine:
        words = captions.break_even(result, mine)
        figure = break_even_figure(mine, along, title, palette)
        yield Picture(f"{stem}-break_even", *words, figure)
    parts = phases(result, known, PHASE_SIZES)
    if parts:
        words = captions.phases(result, parts)
        figure = phases_figure(parts, along, title, palette)
        yield Picture(f"{stem}-phases", *words, figure)
    warmed = warm_ups(result, recorded, WARM_UP_SIZES)
    if warmed:
        words = captions.warm_up(result, warmed)
        figure = warm_up_figure(warmed, along, title, palette)
        yield Picture(f"{stem}-warm_up", *words, figure)

"""Draw how contenders and crossovers changed from run to run.

In: a comparison. Out: a picture as bytes. `crossover compare --plot` writes it.
"""

import numpy as np

from crossover.gate.outcome import Change, Comparison
from crossover.report.pictures.drawing import Axes
from crossover.report.pictures.figures import image
from crossover.report.pictures.labels import plain
from crossover.report.pictures.layout import entitle, legend_below, new_figure
from crossover.report.pictures.styles import Look, looks, theme
from crossover.report.pictures.ticks import log_axis
from crossover.report.words.numbers import percent, times

MOST_LINES = 8
"""At most this many lines in a panel: those that changed most."""
DODGE = 0.06
"""How far lines stand apart, in runs."""


def drawn(found: Comparison, kind: str) -> bytes:
    """Return a picture, `svg` or `png`: ratio to the first run, run by run."""
    panels = [
        ("time against the others", _series(found, "contender", "time")),
        ("size from which on one is ahead", _series(found, "crossover")),
    ]
    kept = [(label, series) for label, series in panels if series]
    with theme():
        figure, axes = new_figure(9.5, 4.0 * len(kept), rows=len(kept))
        for place, (label, series) in zip(axes, kept, strict=True):
            _draw(place, found, label, series)
        legend_below(figure, axes)
        share = percent(found.confidence)
        figure.suptitle(f"Ratio to the first run; bars: {share} for all together")
    return image(figure, kind)


def _series(found: Comparison, *kinds: str) -> dict[str, list[Change]]:
    """Return the changes by what they are of: the first kind that there is."""
    for kind in kinds:
        series: dict[str, list[Change]] = {}
        for c in found.changes:  # those that changed most come first
            if c.kind == kind and c.verdict != "alone" and c.view == "train":
                series.setdefault(c.what, []).append(c)
        if series:
            return {what: series[what] for what in list(series)[:MOST_LINES]}
    return {}


def _draw(
    axes: Axes, found: Comparison, label: str, series: dict[str, list[Change]]
) -> None:
    runs = [side.name for side in found.sides[1:]]
    axes.axhspan(
        1 / (1 + found.margin), 1 + found.margin, color="black", alpha=0.12, lw=0
    )
    for i, (what, changes) in enumerate(series.items()):
        look: Look = looks(series)[what]
        moved = DODGE * (i - (len(series) - 1) / 2)
        ordered = sorted(changes, key=lambda c: runs.index(c.run))
        places = [runs.index(c.run) + 1 + moved for c in ordered]
        middles = [c.ratio or np.nan for c in ordered]
        axes.plot(
            [moved, *places], [1.0, *middles], ls=look.line, marker=look.marker,
            color=look.colour, ms=6, label=plain(what),
        )  # fmt: skip
        for place, c in zip(places, ordered, strict=True):
            if c.low is not None and c.high is not None:
                axes.vlines(place, c.low, c.high, color=look.colour, lw=2, alpha=0.7)
    log_axis(axes, "y", "ratio to the first run", times, least=1.1)
    names = [plain((s.commit or s.run_id)[:12]) for s in found.sides]
    axes.set_xticks(range(len(names)), labels=names, rotation=20)
    axes.set_xlim(-0.5, len(names) - 0.5)
    entitle(axes, label)

"""Plot how many times as long as `fused` each peer takes, case by case."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.promises.peers.results import Row
from crossover.report.pictures.drawing import Axes, Figure, mpl, sns

MARKERS = "osD^vP"


def figure(rows: Sequence[Row]) -> Figure:
    """Draw a marker for each ratio, its rounds' range, and a tick for each bound."""
    cases = list(dict.fromkeys(row.case for row in rows))
    peers = list(dict.fromkeys(row.peer for row in rows))
    colours = sns.color_palette("colorblind", len(peers))
    drawn = Figure(figsize=(10, 0.9 * len(cases) + 2.2), layout="constrained")
    axes = drawn.subplots()
    for number, peer in enumerate(peers):
        offset = 0.12 * (number - (len(peers) - 1) / 2)
        own = [row for row in rows if row.peer == peer and row.ratio is not None]
        places = [cases.index(row.case) + offset for row in own]
        low, values, high = np.array(
            [(r.low, r.ratio, r.high) for r in own], dtype=float
        ).reshape(-1, 3).T  # fmt: skip
        spans = values - low, high - values
        how = next(row.compared for row in rows if row.peer == peer)
        label = f"{peer} ({how if own else 'not measured'})"
        axes.errorbar(
            values, places, xerr=spans if own else None, fmt=MARKERS[number],
            color=colours[number], label=label, markersize=7, elinewidth=1.5,
        )  # fmt: skip
        for row, place in zip(own, places, strict=True):
            if row.least is not None and row.least > 1:
                axes.plot([row.least], [place], "|", color="black", markersize=14)
    axes.axvline(1, color="black", linewidth=1)
    _scale(axes, rows)
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    for border in range(1, len(cases)):
        axes.axhline(border - 0.5, color="0.85", linewidth=1)
    axes.grid(axis="x", alpha=0.4)
    axes.set_xlabel("times as long as fused (bars: all rounds; | the bound for JAX)")
    drawn.legend(loc="outside lower center", ncols=3, frameon=False)
    return drawn


def _scale(axes: Axes, rows: Sequence[Row]) -> None:
    """Make the ratios' axis logarithmic, with ticks at the powers of ten."""
    least = 0.8 * min([1.0, *(row.low for row in rows if row.low)])
    most = 1.25 * max([10.0, *(row.high for row in rows if row.high)])
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    powers = range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1)
    axes.set_xticks([10.0**power for power in powers])
    axes.xaxis.set_major_formatter("{x:,.9g}")
    axes.xaxis.set_minor_formatter("")


def save(rows: Sequence[Row], path: Path) -> None:
    """Write the plot as PNG."""
    with mpl.rc_context({"font.size": 11}):
        figure(rows).savefig(path, dpi=110)

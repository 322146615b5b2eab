"""The times and speedups of one group of anybody's table, against the size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossover.findings import Answer, size_text
from crossover.report.pictures.labels import name_of, pair_label, plain
from crossover.report.pictures.layout import entitle, legends_below, new_figure, say
from crossover.report.pictures.styles import Look, look_of, looks, pair_looks, theme
from crossover.report.pictures.ticks import apart, log_axis
from crossover.report.words.numbers import number, spanned, times

MOST_SHADED = 3


class Curve(Protocol):
    """One contender's times over the sizes."""

    @property
    def contender(self) -> str:
        """Its name."""

    @property
    def sizes(self) -> Sequence[float]:
        """Increasing."""

    @property
    def medians(self) -> Sequence[float]:
        """The median of all times at each size."""

    @property
    def lows(self) -> Sequence[float]:
        """The first quartiles."""

    @property
    def highs(self) -> Sequence[float]:
        """The third quartiles."""

    @property
    def counts(self) -> Sequence[int]:
        """How many times there are."""


@dataclass(frozen=True)
class Lead:
    """A pair and its answer."""

    baseline: str
    challenger: str
    answer: Answer


def table_figure(
    curves: Sequence[Curve], leads: Sequence[Lead], axis: str, title: str
) -> Figure:
    """Draw one group: times left, speedups right, legends below."""
    palette = looks(c.contender for c in curves)
    with theme():
        figure, panels = new_figure(11, 4.8, columns=2)
        _times(panels[0], curves, palette)
        _speedups(panels[1], leads, palette)
        sizes = [size for curve in curves for size in curve.sizes]
        for axes in panels:
            if axes.lines:
                _along(axes, axis, sizes)
        legends_below(figure, panels)
        if title:
            figure.suptitle(plain(title))
    return figure


def _times(axes: Axes, curves: Sequence[Curve], palette: dict[str, Look]) -> None:
    """Draw the medians, with the quartiles as a band."""
    for curve in curves:
        look = look_of(palette, curve.contender)
        axes.fill_between(
            curve.sizes, curve.lows, curve.highs, color=look.colour, alpha=0.2, lw=0
        )
        axes.plot(
            curve.sizes, curve.medians, marker=look.marker, ms=7, color=look.colour,
            ls=look.line, lw=1.8, mec="white", mew=0.6, label=name_of(curve.contender),
        )  # fmt: skip
    log_axis(axes, "y", "time, in the table's unit", lambda v: number(v, 3), least=2.0)
    counts = [n for curve in curves for n in curve.counts]
    entitle(axes, f"median of n = {spanned(counts)} times, band: quartiles")


def _speedups(axes: Axes, leads: Sequence[Lead], palette: dict[str, Look]) -> None:
    """Draw each pair's speedups with their limits, and where a lead begins."""
    pairs = [(lead.baseline, lead.challenger) for lead in leads]
    drawn = 0
    for lead, look in zip(leads, pair_looks(pairs, palette), strict=True):
        zones = [z for z in lead.answer.zones if z.speedup is not None]
        if not zones:
            continue
        drawn += 1
        sizes = [z.size for z in zones]
        if all(z.low > 0 and math.isfinite(z.high) for z in zones):
            lows, highs = [z.low for z in zones], [z.high for z in zones]
            axes.fill_between(sizes, lows, highs, color=look.colour, alpha=0.2, lw=0)
        speedups = [z.speedup or math.nan for z in zones]
        pair = pair_label((lead.baseline, lead.challenger))
        axes.plot(
            sizes, speedups, marker=look.marker, ms=7, color=look.colour, ls=look.line,
            lw=1.8, mec="white", mew=0.6, label=pair,
        )  # fmt: skip
        if lead.answer.at is not None and drawn <= MOST_SHADED:
            _shade(axes, lead.answer, look)
    if not drawn:
        say(axes, "no size has both contenders")
        return
    axes.axhline(1, color="black", lw=1.2, zorder=1.5)
    log_axis(axes, "y", "speedup (times as fast)", times, least=1.25)
    entitle(axes, "band: limits that hold at all sizes together")


def _shade(axes: Axes, found: Answer, look: Look) -> None:
    sizes = [zone.size for zone in found.zones]
    ends = found.low or min(sizes), found.high or max(sizes)
    at = found.at or math.nan
    if found.confidence is not None:
        axes.axvspan(*ends, color=look.colour, alpha=0.15, lw=0, zorder=0.5)
    words = f"ahead from {size_text(at)}"
    axes.axvline(at, color=look.colour, ls=(0, (2, 2)), lw=1.5, label=words)


def _along(axes: Axes, axis: str, sizes: Sequence[float]) -> None:
    """Make the x axis one of sizes, labelled at those that have room."""
    log_axis(axes, "x", plain(axis), size_text)
    if all(size >= 1 and size.is_integer() for size in sizes):
        axes.set_xticks(apart(map(int, sizes)))
    if len({*sizes}) == 1:  # a log axis of one point would show no other number
        axes.set_xlim(sizes[0] / 2, sizes[0] * 2)

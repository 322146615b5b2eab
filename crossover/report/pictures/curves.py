"""One sweep drawn: times and speedups against size, Axes in and out.

Each function gives its Axes a title with n, labels with units and labelled artists; the
legend is up to the caller (`layout.legends_below`).
"""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossover.analysis.sweeps import SweepResult
from crossover.findings import Crossover, size_text
from crossover.report.pictures.labels import (
    band_words,
    name_of,
    nothing,
    pair_label,
    plain,
)
from crossover.report.pictures.layout import (
    entitle,
    legend_below,
    legends_below,
    new_figure,
    say,
)
from crossover.report.pictures.styles import Look, look_of, pair_looks, theme
from crossover.report.pictures.ticks import log_axis, size_axis
from crossover.report.words.numbers import between, percent, seconds, times
from crossover.report.words.sentences import fixed_values

MOST_SHADED = 3
"""Crossovers whose intervals are shaded; more are drawn as bars on the 1x line."""
TIME_WORDS = {
    "train": "time to train",
    "with_transfer": "time to move the data and train",
    "from_scratch": "time from scratch",
}


def plot_times(axes: Axes, result: SweepResult, palette: Mapping[str, Look]) -> Axes:
    """Draw median seconds per epoch against size, its interval as a band, log-log.

    The time is that of all epochs where they are what varies, or where it holds fixed
    costs. The crossovers' intervals are shaded.
    """
    names = list(dict.fromkeys(str(e.contender) for e in result.estimates))
    if not names:
        return say(axes, nothing(result))
    for name in names:
        rows = [e for e in result.estimates if str(e.contender) == name]
        repeats = [e.case.repeats if result.per_repeat else 1 for e in rows]
        values = [
            [getattr(e, field) / n for e, n in zip(rows, repeats, strict=True)]
            for field in ("median_s", "low_s", "high_s")
        ]
        sizes = [result.size(e.case) for e in rows]
        _line(axes, sizes, values, look_of(palette, name), name_of(name))
    for c in _shaded(result):
        words = f"{name_of(c.challenger)} ahead from here, interval shaded"
        _shade(axes, c, look_of(palette, c.challenger), result, words)
    each = f"time per {result.sweep.workload.repeat}"
    what = each if result.per_repeat else TIME_WORDS[result.view]
    log_axis(axes, "y", what, seconds, least=2.0)
    rounds = [e.rounds for e in result.estimates]
    reached = [e.confidence for e in result.estimates]
    entitle(axes, band_words(rounds, reached, "rounds"))
    return _along(axes, result)


def plot_speedups(axes: Axes, result: SweepResult, palette: Mapping[str, Look]) -> Axes:
    """Draw each pair's paired speedup, the 1x line, and its crossover's interval.

    A line has the look of its challenger; where several pairs have the same, they
    differ in marker and dashes. Many pairs with one baseline are named by their
    challengers, so that one legend serves for times and speedups.
    """
    pairs = list(dict.fromkeys((p.baseline, p.challenger) for p in result.speedups))
    if not pairs:
        return say(axes, nothing(result))
    axes.axhline(1, color="black", lw=1.2, zorder=1.5)
    one_baseline = len(pairs) > MOST_SHADED and len({a for a, _ in pairs}) == 1
    shaded = _shaded(result)
    found = {(c.baseline, c.challenger): c for c in _found(result)}
    for pair, look in zip(pairs, pair_looks(pairs, palette), strict=True):
        points = [p for p in result.speedups if (p.baseline, p.challenger) == pair]
        c = found.get(pair)
        if c is not None and c not in shaded:
            _bar(axes, c, look, result)
        values = [[getattr(p, k) for p in points] for k in ("speedup", "low", "high")]
        label = name_of(pair[1]) if one_baseline else pair_label(pair)
        _line(axes, [p.size for p in points], values, look, label)
        if c is not None and c in shaded:
            _shade(axes, c, look, result, _crossing(c))
    if found and not shaded:
        words = "on the 1x line: crossovers and their intervals"
        axes.plot([], [], color="0.4", lw=5, alpha=0.5, marker="|", ms=14, label=words)
    over = f" over {name_of(pairs[0][0])}\n" if one_baseline else " "
    log_axis(axes, "y", f"speedup{over}(times as fast)", times, least=1.25)
    rounds = [p.rounds for p in result.speedups]
    reached = [p.confidence for p in result.speedups]
    entitle(axes, band_words(rounds, reached, "pairs"))
    return _along(axes, result)


def sweep_figure(result: SweepResult, palette: Mapping[str, Look]) -> Figure:
    """Draw one sweep: times left, speedups right, legends below."""
    with theme():
        figure, panels = new_figure(11, 4.8, columns=2)
        plot_times(panels[0], result, palette)
        plot_speedups(panels[1], result, palette)
        named = [set(axes.get_legend_handles_labels()[1]) for axes in panels]
        (legend_below if named[0] & named[1] else legends_below)(figure, panels)
        figure.suptitle(plain(fixed_values(result.sweep)))
    return figure


def _line(
    axes: Axes,
    sizes: Sequence[int],
    values: Sequence[Sequence[float]],
    look: Look,
    label: str,
) -> None:
    """Draw (middle, low, high) against size; the band of a single size is a bar."""
    middles, lows, highs = values
    if len(sizes) == 1:
        axes.vlines(sizes, lows, highs, color=look.colour, alpha=0.5, lw=6)
    else:
        axes.fill_between(sizes, lows, highs, color=look.colour, alpha=0.2, lw=0)
    axes.plot(
        sizes, middles, marker=look.marker, ms=7, color=look.colour, ls=look.line,
        lw=1.8, mec="white", mew=0.6, label=label,
    )  # fmt: skip


def _found(result: SweepResult) -> list[Crossover]:
    return [
        c
        for c in result.timed()
        if c.answer.outcome == "found" and c.answer.at is not None
    ]


def _shaded(result: SweepResult) -> list[Crossover]:
    found = _found(result)
    return found if len(found) <= MOST_SHADED else []


def _ends(c: Crossover, result: SweepResult) -> tuple[float, float]:
    """Return a crossover's interval, an open end at the end of what was measured."""
    sizes = [p.size for p in result.speedups]
    sizes += [result.size(e.case) for e in result.estimates]
    return (c.answer.low or min(sizes), c.answer.high or max(sizes))


def _shade(
    axes: Axes, c: Crossover, look: Look, result: SweepResult, label: str
) -> None:
    axes.axvspan(*_ends(c, result), color=look.colour, alpha=0.15, lw=0, zorder=0.5)
    at = c.answer.at or math.nan
    axes.axvline(at, color=look.colour, ls=(0, (2, 2)), lw=1.5, label=label)


def _bar(axes: Axes, c: Crossover, look: Look, result: SweepResult) -> None:
    axes.plot(_ends(c, result), [1, 1], color=look.colour, lw=5, alpha=0.5)
    axes.plot(c.answer.at or math.nan, 1, marker="|", ms=14, mew=2, color=look.colour)


def _crossing(c: Crossover) -> str:
    a, beyond = c.answer, ("below the smallest", "above the largest")
    ends = between(a.low, a.high, size_text, *beyond)
    share = percent(a.confidence or 0)
    return f"ahead from {size_text(a.at or 0)}, {share} interval {ends}"


def _along(axes: Axes, result: SweepResult) -> Axes:
    sizes = [result.size(e.case) for e in result.estimates]
    sizes += [p.size for p in result.speedups]
    asked = [size for size in result.sweep.cases() if size in sizes]
    size_axis(axes, result.along, asked or sizes)
    return axes

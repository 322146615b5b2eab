"""Crossovers in words: sentences whose numbers know which column they are.

In: a `Crossover`. Out: parts of a sentence, texts and `Number`s of one row of
crossovers.csv. The page marks the numbers; Markdown and the terminal join the parts.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossover.analysis.flags import BUSY, UNFINISHED, UNVERIFIED, doubts
from crossover.findings import (
    BEHIND,
    EQUAL,
    Answer,
    Crossover,
    SizeZone,
    bounded,
    size_text,
)
from crossover.nouns import Case
from crossover.report.words.names import Name, people
from crossover.report.words.numbers import percent, times
from crossover.spec.sweep import Sweep
from crossover.workloads.values import text

VIEW_WORDS = {
    "train": "training alone",
    "with_transfer": "and moving the data",
    "from_scratch": "from scratch",
}
METRIC_WORDS = {
    "time": ("faster", "slower", ""),
    "cost": ("cheaper", "dearer", "by cost, "),
    "energy": ("more frugal", "less frugal", "by energy, "),
    "p50": ("faster", "slower", "by the p50 of single calls, "),
    "p95": ("faster", "slower", "by the p95 of single calls, "),
    "p99": ("faster", "slower", "by the p99 of single calls, "),
}
"""Better, worse, and what a sentence begins with; by the metric's first word."""
LARGE = 1.5
"""From here on a lead is written as a factor, below it as a share."""


@dataclass(frozen=True)
class Number:
    """A number in a sentence: its column in the row, and how it is written."""

    column: str
    text: str


Parts = tuple[str | Number, ...]


def joined(parts: Parts) -> str:
    """Return parts as a plain text."""
    return "".join(p.text if isinstance(p, Number) else p for p in parts)


def sentence(c: Crossover) -> str:
    """Return the answer of one crossover in a sentence, contenders as people say them.

    An outcome without an answer is not named: the caller says it in front. One that is
    undecided ends with the command that may decide it.
    """
    return joined(whole(c)) + (f"; next: {c.next_step}" if c.next_step else "")


def whole(c: Crossover) -> Parts:
    """Return the answer of one crossover as a sentence that begins with a capital."""
    first, *others = answer(c, *people(c.baseline, c.challenger))
    if isinstance(first, str):
        first = first[:1].upper() + first[1:]
    return first, *others


FIRST = (*UNFINISHED, BUSY, UNVERIFIED)
"""Doubts that stand before an outcome, or beside it in words of their own."""


def doubtful(c: Crossover) -> str:
    """Return what makes an answer doubtful, as a sentence's beginning; "" if nothing.

    `Not to be trusted: other programs took 61 % of the cores; unfinished (...)`.
    """
    said = gravest(c.flags) + doubted(c.flags)
    said = said.removesuffix("; ").removesuffix(": ")
    return said[:1].upper() + said[1:]


def doubted(flags: Iterable[str]) -> str:
    """Say what flags make doubtful beside an outcome: `unfinished (...), doubtful`."""
    said = doubts(flags)
    unfinished = [words for name, words in said.items() if name in UNFINISHED]
    others = [words for name, words in said.items() if name not in FIRST]
    parts = {"unfinished": unfinished, "doubtful": others}
    return ", ".join(f"{word} ({'; '.join(why)})" for word, why in parts.items() if why)


def headed(c: Crossover) -> str:
    """Return the outcome of an answer with its doubts, as its line begins."""
    outcome = c.answer.outcome.replace("_", " ")
    beside = filter(None, (outcome, doubted(c.flags)))
    return gravest(c.flags) + ", ".join(beside)


def gravest(flags: Iterable[str]) -> str:
    """Return what comes before all: nobody compared the work, others had the cores."""
    known = doubts(flags)
    first = "Unverified: " if UNVERIFIED in known else ""
    return first + (f"Not to be trusted: {known[BUSY]}; " if BUSY in known else "")


def answer(c: Crossover, a: Name, b: Name) -> Parts:
    """Return the answer of one crossover; `a` is the baseline's name, `b` the other."""
    return told(c.answer, a, b, c.metric)


def told(found: Answer, a: Name, b: Name, metric: str = "time_s") -> Parts:
    """Return an answer in words.

    Args:
        found: the answer.
        a: the baseline's name.
        b: the challenger's name.
        metric: what is compared.
    """
    *_, by = _metric_words(metric)
    against = f"{b.text} against {a.text}"
    largest = _at(found, "speedup_largest", -1, metric)
    match found.outcome:
        case "found":
            parts = _found(found, a, b, metric)
        case "always" if len(found.zones) == 1:
            where = f"{b.text} {b.are} ahead of {a.text} at the only size compared: "
            parts = (where, *largest)
        case "always":
            where = f"{b.text} {b.are} ahead of {a.text} from the smallest size on: "
            smallest = _at(found, "speedup_smallest", 0, metric)
            parts = (where, *smallest, ", ", *largest)
        case "never":
            said = f"{b.text} {b.do} not get ahead of {a.text}"
            parts = (said, *_runs(found, ": "), "; ", *largest)
        case "not_monotone":
            said = f"{against}: the lead changes more than once or is lost"
            parts = (said, *_runs(found, ": "))
        case "inconclusive":
            said = f"{against}: no answer yet"
            parts = (said, *_runs(found, "; "), *between(found))
        case _:
            parts = (against,)
    parts = (*parts, *_timed_out(found))
    return (by, *parts) if by else parts


def _found(found: Answer, a: Name, b: Name, metric: str) -> Parts:
    """Say where the baseline's lead ends, where nobody leads, and where b's begins.

    Where curves cross steeply no measured size lies between: then one number is named.
    """
    level, better = _level(found), _metric_words(metric)[0]
    lag: Parts = ()
    if found.most_behind is not None:
        share = Number("most_behind", lead(1 / found.most_behind))
        limits = _limits(found, "most_behind")
        lag = f"{a.text} {a.are} up to ", share, *limits, f" {better}"
    from_here: Parts = (
        f"{b.text} {b.are} ahead from ", Number("at", size_text(found.at or 0)),
        *interval(found), " on", *_gain(found),
    )  # fmt: skip
    if not level:
        return (*from_here, "; below, ", *lag) if lag else from_here
    if lag and found.behind_until is not None:
        until = Number("behind_until", size_text(found.behind_until))
        lag = (*lag, " below ", until, *interval(found, "behind_until_"), "; ")
    elif lag:
        lag = (*lag, " at small sizes; ")
    is_equal = all(zone.name == EQUAL for zone in level)
    shown = f"{'equal' if is_equal else 'no difference shown'} {_span(level)}"
    costs: Parts = ()
    if found.worst_regret is not None:
        regret = Number("worst_regret", percent(found.worst_regret))
        costs = ", where the wrong choice costs at most ", regret
    return (*lag, shown, *costs, "; ", *from_here)


def _level(found: Answer) -> list[SizeZone]:
    """Return the sizes between the baseline's lead and the challenger's."""
    behind = (zone.size for zone in found.zones if zone.name == BEHIND)
    last = max((*behind, found.behind_until or 0.0), default=0.0)
    return [zone for zone in found.zones if last < zone.size < (found.at or 0)]


def _gain(found: Answer) -> Parts:
    """Return how many times as fast the challenger is at the largest size."""
    speedup = found.speedup_largest
    if speedup is None:
        return ()
    number = Number("speedup_largest", times(speedup))
    return ", ", number, *_limits(found, "speedup_largest"), _where(found, -1)


def _runs(found: Answer, begin: str) -> Parts:
    """Say in which zone neighbouring sizes are: `behind from 8 to 64; ahead at 96`.

    Where no difference is shown, it is said within which share the contenders are.
    """
    said = []
    zones = itertools.groupby(found.zones, lambda z: z.name if z.has_verdict else "")
    for name, group in zones:
        run = list(group)
        shown = name or "no difference shown"
        bound = bounded(max(zone.within for zone in run))
        around = f" ({bound} either way)" if not name and "%" in bound else ""
        said.append(f"{shown} {_span(run)}{around}")
    return (f"{begin}{'; '.join(said)}",) if said else ()


def _span(run: Sequence[SizeZone]) -> str:
    """Name neighbouring sizes: `at 96`, `from 96 to 4,096`."""
    first, last = size_text(run[0].size), size_text(run[-1].size)
    return f"at {first}" if len(run) == 1 else f"from {first} to {last}"


def _at(found: Answer, column: str, place: int, metric: str) -> Parts:
    """Return a speedup, its limits and the size that it is of."""
    return *factor(found, column, metric), _where(found, place)


def _where(found: Answer, place: int) -> str:
    """Name the size of a speedup: one that both contenders were measured at."""
    sizes = [zone.size for zone in found.zones if zone.speedup is not None]
    return f" at {size_text(sizes[place])}" if sizes else ""


def lead(speedup: float) -> str:
    """Write how much faster one is: `7 %`, or `3.8x` of a large factor."""
    return percent(speedup - 1) if speedup < LARGE else times(speedup)


def _timed_out(found: Answer) -> Parts:
    """Say who timed out where: of that time, the answer knows only a bound."""
    said = (flag.partition(": ") for flag in found.flags)
    return tuple(f"; timed out: {who}" for flag, _, who in said if flag == "timed_out")


def _metric_words(metric: str) -> tuple[str, str, str]:
    return METRIC_WORDS.get(metric.partition("_")[0], METRIC_WORDS["time"])


def factor(found: Answer, column: str, metric: str = "time_s") -> Parts:
    """Return `1.5x faster`, `1.5x slower` or `as fast`, in the metric's words.

    The limits stand behind the number where they are known.
    """
    speedup: float | None = getattr(found, column)
    better, worse, _ = _metric_words(metric)
    if speedup is None:
        return ("not measured",)
    limits = _limits(found, column)
    if 0.995 < speedup < 1.005:
        same = "the same" if better != "faster" else "as fast"
        return Number(column, same), *limits
    if speedup > 1:
        return Number(column, times(speedup)), *limits, f" {better}"
    return Number(column, times(1 / speedup)), *limits, f" {worse}"


def _limits(found: Answer, column: str) -> Parts:
    """Return the limits of a speedup as ` (1.5x to 1.7x)`, or of a slowdown."""
    speedup: float = getattr(found, column)
    low: float | None = getattr(found, f"{column}_low")
    high: float | None = getattr(found, f"{column}_high")
    if low is None or high is None:
        return ()
    ends = {f"{column}_low": low, f"{column}_high": high}
    if speedup < 0.995:
        ends = {name: 1 / end for name, end in reversed(ends.items())}
    is_share = column == "most_behind" and 1 / speedup < LARGE
    first, last = (
        Number(name, percent(end - 1) if is_share else times(end))
        for name, end in ends.items()
    )
    return " (", first, " to ", last, ")"


def interval(found: Answer, boundary: str = "") -> Parts:
    """Return the interval of a boundary, and say which of its ends are open.

    Args:
        found: the answer.
        boundary: how the names of its columns begin.
    """
    if found.confidence is None:
        return () if boundary else (" (no interval)",)
    low = _end(found, f"{boundary}low", "below the smallest")
    high = _end(found, f"{boundary}high", "above the largest")
    return " (", low, " to ", high, ")"


def _end(found: Answer, column: str, beyond: str) -> str | Number:
    """Return an end of an interval; an open one is said to be beyond a size."""
    value: float | None = getattr(found, column)
    return f"{beyond} size" if value is None else Number(column, size_text(value))


def between(found: Answer) -> Parts:
    """Return where a lead may begin; nothing for an interval open at both ends."""
    low, high = (_end(found, column, "no") for column in ("low", "high"))
    lies = "; a lead would begin "
    match found.low, found.high:
        case None, None:
            return ()
        case None, _:
            return f"{lies}below ", high
        case _, None:
            return f"{lies}above ", low
    return f"{lies}between ", low, " and ", high


def fixed_values(sweep: Sweep) -> str:
    """Name a sweep by its axis and the values that it holds fixed."""
    return fixed_axis(sweep.axis, sweep.line)


def fixed_axis(axis: str, case: Case) -> str:
    """Name an axis and the values of a case that are fixed along it."""
    return joined(fixed_parts(axis, case))


def fixed_parts(axis: str, case: Case) -> Parts:
    """Return the parts of `fixed_axis`, the fixed values as numbers."""
    return f"{case.workload.size(axis).axis_words} at ", *values_of(case.without(axis))


def values_of(line: Case) -> Parts:
    """Return the sizes of a case that have a value, and a user's settings, in words."""
    parts: list[str | Number] = []
    for size in line.workload.sizes:
        value = line[size.name]
        if value is not None:
            number, counts = Number(size.name, f"{value:,}"), size.counted(value)
            parts += [number, f" {counts}"] if counts else [f"{size.name} ", number]
            parts.append(", ")
    for setting in line.workload.settings if line.workload.is_users else ():
        value = line[setting.name]
        if isinstance(value, str) or value != setting.default:
            parts += [f"{setting.name} {text(value)}", ", "]
    return tuple(parts[:-1])

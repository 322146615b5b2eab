"""Single calls in words: their quantiles, and up to which size they are fast enough.

In: a `Latency` or an `Enough`. Out: texts, and parts of a sentence whose numbers know
their column. The terminal, Markdown and the page say them.
"""

from collections.abc import Sequence

from crossover.analysis.estimate import FEW_CALLS
from crossover.findings import Enough, Latency
from crossover.report.words.numbers import between, count, percent, seconds
from crossover.report.words.sentences import Number, Parts, doubted, gravest, joined
from crossover.workloads.workload import Workload


def call_words(workload: Workload) -> str:
    """Name what a single call is: `a step`, or `a training`."""
    return "a step" if workload.is_users else "a training"


def quantile_words(found: Latency) -> str:
    """Write a quantile with its interval: `12.1 µs (11.9 to 12.4 µs)`.

    Of one that is not bounded it is said what is known.
    """
    if found.latency_s is not None:
        ends = between(found.low_s, found.high_s, seconds)
        return f"{seconds(found.latency_s)} ({ends})"
    if found.low_s is not None:
        return f"unknown, at least {seconds(found.low_s)}"
    return "unknown"


def cell_words(quantiles: Sequence[Latency]) -> str:
    """Write what is known of one cell's single calls, in one line."""
    first = quantiles[0]
    lacks = "; ".join(dict.fromkeys(filter(None, map(few_words, quantiles))))
    if not first.calls:
        return f"not timed: {lacks}"
    said = ", ".join(f"{one.quantile} {quantile_words(one)}" for one in quantiles)
    return f"{said}; {lacks or f'{count(first.calls)} calls'}"


def few_words(found: Latency) -> str:
    """Return what a cell lacks of calls: `p99 needs 368 calls, 120 timed`, or ""."""
    lacks = (flag.partition(f"{FEW_CALLS}: ")[2] for flag in found.flags)
    return next(filter(None, lacks), "")


def limit_words(found: Enough) -> str:
    """Say what is compared with the limit: `by the p99 of a step`."""
    call = call_words(found.line.workload)
    if found.by == "median":
        return f"by the median time of {call}, as no single calls were timed"
    return f"by the {found.by} of {call}"


def enough_parts(found: Enough) -> Parts:
    """Return up to which size a contender is fast enough, as parts of a sentence."""
    if found.outcome == "not_measured":
        return (f"not measured ({'; '.join(found.flags)})",)
    return *_doubts(found), *_sizes(found), f", {limit_words(found)}"


def enough_words(found: Enough) -> str:
    """Return `enough_parts` as a text."""
    return joined(enough_parts(found))


def _doubts(found: Enough) -> Parts:
    said = gravest(found.flags) + doubted(found.flags)
    said = said.removesuffix("; ").removesuffix(": ")
    return (f"{said}: ",) if said else ()


def _sizes(found: Enough) -> Parts:
    match found.outcome:
        case "every":
            return (
                "at every size measured (up to ",
                _number(found, "low"),
                *_sure(found),
            )
        case "none":
            begin = "at none of the sizes measured (too slow from "
            return begin, _number(found, "high"), " on", *_sure(found)
        case "found":
            return _found(found)
        case "not_monotone":
            turns = f"not up to one size, but in turns ({', '.join(found.zones)}"
            return turns, *_sure(found)
        case _:
            return _undecided(found)


def _found(found: Enough) -> Parts:
    """Name the two sizes by the estimates, and those of which it is shown."""
    low, high = _number(found, "low"), _number(found, "high")
    if found.up_to is None:
        return "up to ", low, " (shown; too slow from ", high, " on", *_sure(found)
    up_to, then = _number(found, "up_to"), _number(found, "next_size")
    shown = " (shown up to ", low, ", too slow from ", high, " on"
    return "up to ", up_to, ", no longer at ", then, *shown, *_sure(found)


def _undecided(found: Enough) -> Parts:
    """Say what is shown, and that the rest is not."""
    if found.low is not None:
        shown: Parts = "up to ", _number(found, "low"), " at least (undecided above"
    elif found.high is not None:
        shown = "not from ", _number(found, "high"), " on (undecided below"
    else:
        shown = ("undecided (no size is shown to be",)
    return *shown, *_sure(found)


def _number(found: Enough, column: str) -> Number:
    return Number(column, count(getattr(found, column)))


def _sure(found: Enough) -> Parts:
    """End the brackets with the confidence of all that is shown."""
    if found.confidence is None:
        return (")",)
    return "; ", Number("confidence", percent(found.confidence)), " sure)"

"""Crossovers in words: sentences whose numbers know which column they are.

In: a `Crossover`. Out: parts of a sentence, texts and `Number`s of one row of
crossovers.csv. The page marks the numbers; Markdown and the terminal join the parts.
"""

from dataclasses import dataclass

from crossover.analysis.flags import BUSY, UNFINISHED, doubts
from crossover.contender import BEST, Contender
from crossover.findings import Crossover
from crossover.nouns import Case
from crossover.report.words.numbers import number, times
from crossover.spec.sweep import Sweep

VIEW_WORDS = {
    "train": "training alone",
    "with_transfer": "and moving the data",
    "from_scratch": "from scratch",
}
METRIC_WORDS = {
    "time": ("faster", "slower", ""),
    "cost": ("cheaper", "dearer", "by cost, "),
    "energy": ("more frugal", "less frugal", "by energy, "),
}
"""Better, worse, and what a sentence begins with; by the metric's first word."""
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
DEVICES = {"cpu": "the CPU", "cuda": "the GPU", "mps": "the GPU", "xpu": "the GPU"}


@dataclass(frozen=True)
class Number:
    """A number in a sentence: its column in the row, and how it is written."""

    column: str
    text: str


Parts = tuple[str | Number, ...]


@dataclass(frozen=True)
class Name:
    """A contender as the subject of a sentence."""

    text: str
    plural: bool = False


def joined(parts: Parts) -> str:
    """Return parts as a plain text."""
    return "".join(p.text if isinstance(p, Number) else p for p in parts)


def sentence(c: Crossover) -> str:
    """Return the answer of one crossover in a sentence, contenders as they are typed.

    An outcome without an answer is not named: the caller says it in front.
    """
    a, b = Name(name(c.baseline)), Name(name(c.challenger))
    return joined(answer(c, a, b))


def doubtful(c: Crossover) -> str:
    """Say what makes an answer doubtful: `unfinished (...), doubtful (...)`, or ""."""
    said = doubts(c.flags)
    unfinished = [words for name, words in said.items() if name in UNFINISHED]
    others = [words for name, words in said.items() if name not in (*UNFINISHED, BUSY)]
    parts = {"unfinished": unfinished, "doubtful": others}
    return ", ".join(f"{word} ({'; '.join(why)})" for word, why in parts.items() if why)


def headed(c: Crossover) -> str:
    """Return the outcome of an answer with its doubts, as its line begins.

    A machine whose cores were taken by others comes before all.
    """
    busy = doubts(c.flags).get(BUSY)
    first = f"Not to be trusted: {busy}; " if busy else ""
    outcome = c.answer.outcome.replace("_", " ")
    return first + ", ".join(filter(None, (outcome, doubtful(c))))


def answer(c: Crossover, a: Name, b: Name) -> Parts:
    """Return the answer of one crossover; `a` is the baseline's name, `b` the other."""
    axis = c.line.workload.size(c.axis).axis_words
    *_, by = _metric_words(c)
    smallest = factor(c, "speedup_smallest")
    largest = factor(c, "speedup_largest")
    are = "are" if b.plural else "is"
    match c.answer.outcome:
        case "found":
            verb = "overtake" if b.plural else "overtakes"
            parts: Parts = (
                f"{b.text} {verb} {a.text} from ", *_size(c), *interval(c), "; ",
                *smallest, " at the smallest size, ", *largest, " at the largest",
            )  # fmt: skip
        case "always":
            parts = (
                f"{b.text} {are} ahead of {a.text} at every {axis} measured (",
                *smallest, " at the smallest, ", *largest,
                " at the largest): a crossover would lie below",
            )  # fmt: skip
        case "never":
            do, it = ("do", "they are") if b.plural else ("does", "it is")
            parts = (
                f"{b.text} {do} not overtake {a.text}: {it} ", *largest,
                f" at the largest {axis} measured",
            )  # fmt: skip
        case "not_monotone":
            said = "the lead changes more than once or is lost"
            parts = (f"{b.text} against {a.text}: {said}",)
        case "inconclusive":
            parts = (
                f"{b.text} against {a.text}: no answer yet (", *smallest,
                f" at the smallest {axis}, ", *largest, " at the largest)",
                *between(c),
            )  # fmt: skip
        case _:
            parts = (f"{b.text} against {a.text}",)
    parts = (*parts, *_timed_out(c))
    return (by, *parts) if by else parts


def _timed_out(c: Crossover) -> Parts:
    """Say who timed out where: of that time, the answer knows only a bound."""
    said = (flag.partition(": ") for flag in c.answer.flags)
    return tuple(f"; timed out: {who}" for flag, _, who in said if flag == "timed_out")


def _metric_words(c: Crossover) -> tuple[str, str, str]:
    return METRIC_WORDS.get(c.metric.partition("_")[0], METRIC_WORDS["time"])


def _size(c: Crossover) -> Parts:
    """Return the crossing with what it counts: `batch size 32`, `637 samples`."""
    at = Number("at", number(c.answer.at or 0))
    size = c.line.workload.size(c.axis)
    return (at, f" {size.many}") if size.is_counted else (f"{size.axis_words} ", at)


def factor(c: Crossover, column: str) -> Parts:
    """Return `1.5x faster`, `1.5x slower` or `as fast`, in the metric's words."""
    speedup: float | None = getattr(c.answer, column)
    better, worse, _ = _metric_words(c)
    if speedup is None:
        return ("not measured",)
    if 0.995 < speedup < 1.005:
        return (Number(column, "the same" if better != "faster" else "as fast"),)
    if speedup > 1:
        return Number(column, times(speedup)), f" {better}"
    return Number(column, times(1 / speedup)), f" {worse}"


def interval(c: Crossover) -> Parts:
    """Return a crossover's interval, and say which of its ends are open."""
    if c.answer.confidence is None:
        return (" (no interval)",)
    share = Number("confidence", number(100 * c.answer.confidence))
    ends = _end(c, "low", "below the smallest"), _end(c, "high", "above the largest")
    return " (", share, " % interval ", ends[0], " to ", ends[1], ")"


def _end(c: Crossover, column: str, beyond: str) -> str | Number:
    """Return an end of an interval; an open one is said to be beyond a size."""
    value: float | None = getattr(c.answer, column)
    return f"{beyond} size" if value is None else Number(column, number(value))


def between(c: Crossover) -> Parts:
    """Return where a crossing may lie; nothing for an interval open at both ends."""
    low, high = (_end(c, column, "no") for column in ("low", "high"))
    lies = "; a crossover would lie "
    match c.answer.low, c.answer.high:
        case None, None:
            return ()
        case None, _:
            return f"{lies}below ", high
        case _, None:
            return f"{lies}above ", low
    return f"{lies}between ", low, " and ", high


def name(contender: str) -> str:
    """Write a contender as it is typed; `best` on a device is the fastest there."""
    return contender.replace(f"/{BEST}", "'s best")


def people(baseline: str, challenger: str) -> tuple[Name, Name]:
    """Name a pair as people would, by what differs: `one thread`, `two threads`."""
    try:
        a, b = Contender.parse(baseline), Contender.parse(challenger)
    except ValueError:  # a name that somebody wrote into the file by hand
        return Name(name(baseline)), Name(name(challenger))
    if a.copy or b.copy:
        return Name(baseline), Name(challenger)
    alike = a.device == b.device and a.trainer == b.trainer
    if alike and a.threads and b.threads and a.ranks == b.ranks:
        return _counted(a.threads, "thread"), _counted(b.threads, "thread")
    if alike and a.threads == b.threads:
        return _counted(a.ranks, "rank"), _counted(b.ranks, "rank")
    return _named(a, b), _named(b, a)


def _counted(count: int, what: str) -> Name:
    word = COUNTS[count] if count < len(COUNTS) else f"{count:,}"
    return Name(f"{word} {what}{'s' if count > 1 else ''}", count > 1)


def _named(one: Contender, other: Contender) -> Name:
    kind, _, index = one.device.partition(":")
    device = DEVICES.get(kind, f"the device {kind}")
    if other.device.partition(":")[0] == kind and one.device != other.device:
        device += f" {index or 0}"
    threads = ""
    if one.threads and (one.ranks, one.threads) != (other.ranks, other.threads):
        each = f"{_counted(one.ranks, 'rank').text} of " if one.ranks > 1 else ""
        threads = f" with {each}{_counted(one.threads, 'thread').text}"
    if one.trainer == BEST:
        return Name(f"the best on {device}{threads}")
    if one.device == other.device:
        return Name(f"the {one.trainer} code{threads}")
    code = f" running the {one.trainer} code" if one.trainer != other.trainer else ""
    return Name(f"{device}{code}{threads}")


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
    """Return the sizes of a case that have a value, in words."""
    parts: list[str | Number] = []
    for size in line.workload.sizes:
        value = line[size.name]
        if value is not None:
            number, counts = Number(size.name, f"{value:,}"), size.counted(value)
            parts += [number, f" {counts}"] if counts else [f"{size.name} ", number]
            parts.append(", ")
    return tuple(parts[:-1])

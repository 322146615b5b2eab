"""A comparison in words: lines for a terminal, and Markdown for a pull request."""

from collections.abc import Iterator, Sequence

from crossover.gate.outcome import CHANGED, Change, Comparison, Shift, Side
from crossover.report.words.document import Document, Section, markdown
from crossover.report.words.numbers import number, percent, seconds, times
from crossover.report.words.table import Table

WORDS = {
    "slower": "slower",
    "faster": "faster",
    "later": "moved to larger sizes",
    "earlier": "moved to smaller sizes",
    "same": "no change beyond the margin",
    "unclear": "not shown",
    "alone": "nothing to tell it from the machine",
}
HEADS = ("what", "verdict", "before", "after", "ratio", "at least", "at most")
KINDS = {
    "contender": "Contenders, against the others in the same rounds",
    "time": "Times, against the other contenders in the same rounds",
    "crossover": "Crossovers",
}


def lines(found: Comparison) -> list[str]:
    """Return the result, then the machines' state, then a line for each change."""
    has_runs = len(found.sides) > 2
    changes = [_line(change, has_runs) for change in found.changes]
    return [result(found), *circumstances(found), _confidence(found), *changes]


def circumstances(found: Comparison) -> list[str]:
    """Say how fit the machines were, and what was theirs: what is to be read next."""
    fingerprints = {side.fingerprint for side in found.sides}
    said = [_side(side) for side in found.sides]
    if len(fingerprints) > 1:
        cpus = "; ".join(f"{side.name}: {side.cpu}" for side in found.sides)
        said.append(f"The runs are from different machines ({cpus}).")
    said += [_shift(shift, len(found.sides) > 2) for shift in found.shifts]
    if alone := sum(c.verdict == "alone" for c in found.changes):
        said.append(
            f"{alone} times are not judged, as no other contender has 5 rounds with "
            "them in both runs, so that nothing tells them from the machine."
        )
    return said


def result(found: Comparison) -> str:
    """Say how much changed, whether that is a failure, and what could not be judged."""
    failed = sum(change.failed for change in found.changes)
    changed = sum(change.verdict in CHANGED for change in found.changes)
    limits = []
    if found.fail_slower is not None:
        limits.append(f"slower by more than {percent(found.fail_slower)}")
    if found.fail_moved is not None:
        limits.append(f"moved by more than {times(found.fail_moved)}")
    said = f"{changed} of {len(found.changes)} changed by more than "
    said += f"{percent(found.margin)}"
    parts, asked = [said], " or ".join(limits)
    if failed:
        parts.append(f"FAILED: {failed} {'is' if failed == 1 else 'are'} {asked}")
    elif limits and not found.undecided:
        parts.append(f"Passed: nothing is {asked}")
    if found.undecided:
        parts.append(f"Not decided: {'; '.join(found.undecided)}")
    return ". ".join(parts)


def tables(found: Comparison) -> tuple[Table, ...]:
    """Return a table for each kind of change, those that count first."""
    name = len(found.sides) > 2
    return tuple(
        Table(caption, HEADS, tuple(_cells(c, name) for c in rows))
        for kind, caption in KINDS.items()
        if (rows := [c for c in found.changes if c.kind == kind])
    )


def summary(found: Comparison) -> str:
    """Return a summary in Markdown, short enough for a pull request."""
    counts = [c for c in found.changes if c.failed or c.verdict in CHANGED]
    rest = len(found.changes) - len(counts)
    sections = (
        Section(tables=_counting(found, counts)),
        Section(items=tuple(circumstances(found))),
        Section(paragraphs=(f"{rest} more did not change, as far as is shown.",)),
    )
    verdict = "not decided" if found.undecided else "passed"
    title = f"Benchmarks: {'failed' if found.failed else verdict}"
    if found.fail_slower is None and found.fail_moved is None:
        title = "Benchmarks"
    facts = f"{result(found)}. {_confidence(found)}"
    return markdown(Document(title, facts=facts, sections=sections))


def _counting(found: Comparison, counts: Sequence[Change]) -> tuple[Table, ...]:
    rows = tuple(_cells(c, len(found.sides) > 2) for c in counts)
    return (Table("", HEADS, rows, numbers=False),) if rows else ()


def _confidence(found: Comparison) -> str:
    return f"All intervals hold together at {percent(found.confidence)} confidence."


def _side(side: Side) -> str:
    return "; ".join([f"{side.name}: {side.run_id}", *_state(side)])


def _state(side: Side) -> Iterator[str]:
    if side.commit:
        yield f"commit {side.commit[:10]}"
    if side.load_1min is not None:
        of = f" on {side.cores} cores" if side.cores else ""
        yield f"load {number(side.load_1min)}{of} as it began"
    if side.waited_share is not None:
        yield f"others had up to {percent(side.waited_share)} of the cores"
    yield f"drifted by {_share(side.drift)}"
    yield f"two processes differ by {_share(side.between_processes)}"
    yield from (f"incomplete: {item}" for item in side.lacks)


def _share(ratio: float) -> str:
    return percent(float(f"{ratio - 1:.2g}"))


def _shift(shift: Shift, is_one_of_many: bool) -> str:
    who = f"in {shift.run} " if is_one_of_many else ""
    ends = f"{times(shift.low)} to {times(shift.high)} by contender"
    if not shift.is_common:
        return f"All times {who}together: {times(shift.ratio)} as long ({ends})."
    return (
        f"The machine, or what all contenders share: {who}all times are "
        f"{times(shift.ratio)} as long ({ends}). This does not count as a change."
    )


def _line(c: Change, has_runs: bool) -> str:
    what, verdict, before, after, ratio, low, high = _cells(c, has_runs)
    sides = f" {before} -> {after}," if before else ""
    if c.kind != "crossover" and c.ratio is not None:
        ratio += " against the others"
    ends = f" ({low} to {high})" if c.verdict != "alone" else ""
    own = "" if c.seconds_ratio is None else f", {times(c.seconds_ratio)} in seconds"
    return f"  {what}: {verdict};{sides} {ratio}{ends}{own}"


def _cells(c: Change, has_runs: bool) -> tuple[str, ...]:
    write = number if c.kind == "crossover" else seconds
    sides = [
        ("nowhere" if c.kind == "crossover" else "") if value is None else write(value)
        for value in (c.before, c.after)
    ]
    ends = ["open" if end is None else times(end) for end in (c.low, c.high)]
    ratio = "no ratio" if c.ratio is None else times(c.ratio)
    verdict = f"{'FAILED: ' if c.failed else ''}{WORDS[c.verdict]}"
    what = f"{c.run}: {c.what}" if has_runs else c.what
    return what, verdict, *sides, ratio, *ends

"""Find a run's crossovers, one for each sweep, pair, metric and view.

In: a run. Out: `Crossover`s, and in words what the run did not measure. The report, the
search, comparisons and merges call it.
"""

import itertools
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossover.analysis.estimate import FEW_CALLS, timed_calls
from crossover.analysis.flags import is_withheld
from crossover.analysis.metrics import (
    COST,
    ENERGY,
    OF_CALLS,
    TIME,
    VIEWS_OF,
    costs_differ,
    in_joules,
    in_money,
    in_quantile,
)
from crossover.analysis.pair import Cases, PairAnalysis
from crossover.analysis.rounds import Pair, Recorded
from crossover.crossing.answer import Settings, withdrawn
from crossover.crossing.decide import FEWEST_ROUNDS, looks_up_to
from crossover.findings import Crossover
from crossover.nouns import Case, Run
from crossover.spec.bounds import MOST_ROUNDS
from crossover.spec.spec import Spec
from crossover.spec.sweep import Sweep
from crossover.workloads.values import text

USUAL = "softmax"
"""The job of a command that names none."""
DECIDED = ("found", "always", "never", "not_monotone")
WENT_WRONG = ("oom", "timeout", "crashed", "failed")
"""Statuses of a cell that make a run incomplete."""
ENOUGH_ROUNDS = 8
"""Rounds that a command asks for where fewer were too few for an interval."""


def crossovers(run: Run, recorded: Recorded | None = None) -> list[Crossover]:
    """Find every crossover that a run's spec asks for, measured or not.

    Each pair has a row in time for each view. Rows in cost follow if both contenders
    have a price and the prices differ (at equal prices, cost and time cross at the same
    size), and a row in energy if that was measured for both. If single calls were
    timed, a row follows for each of their quantiles. `best` is the fastest, the
    cheapest or the thriftiest on its device. A/A controls come last; if any of them is
    decided, no other verdict of the run stands. Nor does one where other programs took
    a large part of the cores.
    """
    spec, recorded = run.spec, recorded or Recorded(run.measurements)
    seen = _by_metric(run, recorded)
    found: list[Crossover] = []
    controls: list[Crossover] = []
    for sweep in spec.sweep:
        cases = recorded.lines.along(sweep)
        # what other tools should have measured is not known
        asked = tuple(sweep.cases()) if run.paired else ()
        for pair in spec.pairs_of(sweep):
            for metric in _metrics(spec, seen, cases, pair):
                found += _rows(spec, sweep, seen[metric], cases, pair, asked)
        controls += _controls(spec, sweep, seen[TIME], cases)
    if control_fired(controls):
        found = [_downgraded(c, "control_fired") for c in found]
    found = [_downgraded(c, "withheld") if is_withheld(c.flags) else c for c in found]
    return found + controls


def control_crossovers(run: Run, recorded: Recorded) -> list[Crossover]:
    """Find the crossovers of a run's A/A controls alone, in the order of its sweeps."""
    spec, seen = run.spec, PairAnalysis(recorded, {})
    return [
        row
        for sweep in spec.sweep
        for row in _controls(spec, sweep, seen, recorded.lines.along(sweep))
    ]


def _by_metric(run: Run, recorded: Recorded) -> dict[str, PairAnalysis]:
    """Return what was recorded, by metric."""
    spec = run.spec
    flags = recorded.flags(run.machine)
    money, joules = in_money(run.measurements, spec), in_joules(run.measurements)
    found = {
        TIME: PairAnalysis(recorded, flags),
        COST: PairAnalysis(Recorded(money), flags, COST),
        ENERGY: PairAnalysis(Recorded(joules), flags, ENERGY),
    }
    for metric, name in OF_CALLS.items() if timed_calls(run.measurements) else ():
        rows = in_quantile(recorded, name, spec.confidence)
        found[metric] = PairAnalysis(Recorded(rows), flags, metric)
    return found


def _metrics(
    spec: Spec, seen: dict[str, PairAnalysis], cases: Cases, pair: Pair
) -> Iterator[str]:
    yield TIME
    if costs_differ(spec, pair):
        yield COST
    if seen[ENERGY].shares_rounds(cases, pair):
        yield ENERGY
    if seen[TIME].shares_rounds(cases, pair):
        yield from filter(seen.__contains__, OF_CALLS)


def _rows(
    spec: Spec,
    sweep: Sweep,
    seen: PairAnalysis,
    cases: Cases,
    pair: Pair,
    asked: tuple[int, ...],
) -> Iterator[Crossover]:
    settings = settings_of(spec, sweep)
    for view in VIEWS_OF[seen.metric]:
        if view == "with_transfer" and _moves_nothing(sweep, seen.recorded):
            continue
        has_calls = seen.metric in OF_CALLS
        sizes = () if has_calls else asked
        known = sweep.axis, cases, pair, view, settings, sizes, spec.rounds
        row = seen.crossover(*known)
        if has_calls:
            row = _with_few_calls(row, seen, cases, pair, asked, spec.rounds)
        if not spec.grid and width_of(row, cases) > spec.width:
            sharp = replace(settings, resolution=0.0)
            steep = seen.crossover(sweep.axis, cases, pair, view, sharp)
            row = _wide(row, width_of(steep, cases), spec.width)
        yield row


def _with_few_calls(
    row: Crossover,
    seen: PairAnalysis,
    cases: Cases,
    pair: Pair,
    asked: tuple[int, ...],
    rounds: int,
) -> Crossover:
    """Return a row of a quantile that says at which sizes too few calls were timed.

    What is then unknown may lie beyond the sizes that are known.
    """
    enough = min(FEWEST_ROUNDS, rounds)
    lacking = [
        f"{size:,}"
        for size in asked
        if len(seen.recorded.paired(cases[size], pair, "train")[0]) < enough
    ]
    found = row.answer
    if not lacking or found.outcome == "not_measured":
        return row
    sizes = ", ".join(lacking)
    flags = (f"{FEW_CALLS}: too few calls to know it at {sizes}", *found.flags)
    is_whole = found.outcome in ("always", "never")
    outcome = "inconclusive" if is_whole else found.outcome
    return _answered(row, outcome=outcome, flags=flags)


def _moves_nothing(sweep: Sweep, recorded: Recorded) -> bool:
    """Tell whether it is a user's file without data that could be moved."""
    rows = itertools.chain.from_iterable(recorded.ok.values())
    return sweep.workload.is_users and all(m.transfer_s is None for m in rows)


def _controls(
    spec: Spec, sweep: Sweep, seen: PairAnalysis, cases: Cases
) -> Iterator[Crossover]:
    settings = settings_of(spec, sweep)
    for pair in control_pairs(cases.values(), seen.recorded):
        found = seen.crossover(sweep.axis, cases, pair, "train", settings)
        yield replace(found, is_control=True)


def settings_of(spec: Spec, sweep: Sweep) -> Settings:
    """Return how sure an answer must be: looks and pairs of the sweep share the error.

    The interval also allows for the resolution: two processes of one contender differ
    by about a per cent, however long they are measured.
    """
    looks = 1 if spec.grid else looks_up_to(spec.rounds)
    pairs = len(spec.pairs_of(sweep))
    return Settings(
        spec.confidence, spec.margin, spec.seed, looks, pairs, spec.resolution
    )


def control_pairs(cases: Iterable[Case], recorded: Recorded) -> list[Pair]:
    """Return (contender, its copy) for every copy measured in any of the cases."""
    known = set(cases)
    copies = {c.contender for c in recorded.ok if c.case in known and c.contender.copy}
    return [(replace(c, copy=0), c) for c in sorted(copies, key=str)]


def width_of(row: Crossover, cases: Cases) -> float:
    """Return high / low of a crossing; an open end counts as the end of the range."""
    if row.answer.outcome != "found":
        return 1.0
    return (row.answer.high or max(cases)) / (row.answer.low or min(cases))


def _wide(row: Crossover, width: float, asked: float) -> Crossover:
    """Flag a crossover whose interval is wider than asked.

    If more rounds or sizes could narrow the interval, the answer is inconclusive and
    keeps it. Otherwise the curves cross at a flat angle, where the resolution alone
    spans more than was asked, and the answer stands.

    Args:
        row: the crossover.
        width: high / low that it would have without the resolution.
        asked: the widest high / low that the spec allows.
    """
    if width <= asked:
        return _answered(row, flags=("flat_crossing", *row.answer.flags))
    flags = (f"wider_than_asked: {width:.3g}", *row.answer.flags)
    unknown = dict.fromkeys(("at", "parity", "worst_regret"))
    return _answered(row, outcome="inconclusive", flags=flags, **unknown)


def _answered(row: Crossover, **changes: Any) -> Crossover:
    return replace(row, answer=replace(row.answer, **changes))


def control_fired(rows: Iterable[Crossover]) -> bool:
    """Tell whether any A/A control is shown to differ from itself at any size."""
    return any(c.is_control and c.answer.differs for c in rows)


def _downgraded(row: Crossover, why: str) -> Crossover:
    """Return a row as inconclusive; the flag that says why keeps its verdict.

    Nothing stands that was shown of its sizes; its speedups are what was measured.
    """
    if row.answer.outcome not in DECIDED and not row.answer.differs:
        return row
    flags = (f"{why}: was {row.answer.outcome}", *row.answer.flags)
    return replace(row, answer=withdrawn(row.answer, flags))


def with_next_steps(
    run: Run, found: Iterable[Crossover], folder: Path
) -> list[Crossover]:
    """Return crossovers, each that is undecided with the command that may decide it.

    Args:
        run: what was measured.
        found: its crossovers.
        folder: where it is recorded, or will be.
    """
    return [
        replace(c, next_step=_next_step(run, c, folder))
        if c.answer.outcome == "inconclusive" and not c.is_control
        else c
        for c in found
    ]


def _next_step(run: Run, c: Crossover, folder: Path) -> str:
    """Return the command that goes on where an answer is undecided.

    A bigger budget alone does not help where a size has all its rounds, nor more rounds
    where the time was over.
    """
    if any(flag.startswith(("control_fired", "withheld")) for flag in c.flags):
        return "crossover doctor"
    if not run.paired:
        asked = f"--contender {c.baseline} --contender {c.challenger}"
        return " ".join(["crossover run", *_words(run, c), asked])
    if run.is_one_process:
        is_short = any(map(_is_unreached, c.flags))
        rounds = "" if is_short else f"rounds={_more_rounds(run)}, "
        return f"crossover.find(..., {rounds}budget='10m')"
    typed = f"crossover run --resume {shlex.quote(str(folder))}"
    time = " --budget 10m" if run.spec.budget_s else ""
    if any(map(_is_unreached, c.flags)):
        return f"{typed}{time}"
    return f"{typed}{time} --rounds {_more_rounds(run)}"


def _more_rounds(run: Run) -> int:
    return min(max(2 * run.spec.rounds, ENOUGH_ROUNDS), MOST_ROUNDS)


def _words(run: Run, c: Crossover) -> list[str]:
    """Return the words that name a job and its sizes; none for softmax regression."""
    workload = run.spec.declared
    if workload.name == USUAL:
        return []
    own = (s for s in run.spec.sweep if (s.axis, s.line) == (c.axis, c.line))
    sizes = [f"{c.axis}={','.join(map(str, s.values))}" for s in own]
    fixed = [
        f"{name}={text(value)}"
        for name, value in c.line.values
        if name != c.axis and value != workload.default(name)
    ]
    here = "./" * ("=" in workload.name)  # or it would be a word itself
    return [shlex.quote(word) for word in (f"{here}{workload.name}", *sizes, *fixed)]


def incomplete(run: Run, found: Iterable[Crossover]) -> list[str]:
    """Return in words what a run did not measure although it was asked for.

    Unavailable devices beside a measured pair do not count, nor do sizes that only the
    search proposed. The list is empty for a complete run.
    """
    lacking = unreached(found)
    asked = {case for sweep in run.spec.sweep for case in sweep.cases().values()}
    ended = Counter(
        m.status for m in run.measurements if m.status in WENT_WRONG and m.case in asked
    )
    said = []
    if lacking:
        pairs = "1 pair" if len(lacking) == 1 else f"{len(lacking)} pairs"
        said.append(f"{pairs} did not reach all sizes asked for")
    if ended:
        cells = "1 cell" if ended.total() == 1 else f"{ended.total()} cells"
        said.append(f"{cells} ended without a time ({', '.join(sorted(ended))})")
    return said + ([run.lost] if run.lost else [])


def unreached(found: Iterable[Crossover]) -> list[Crossover]:
    """Return the answers of pairs that did not reach all sizes, one for each pair."""
    asked = (c for c in found if c.view == "train" and c.metric == "time_s")
    return [c for c in asked if any(map(_is_unreached, c.answer.flags))]


def _is_unreached(flag: str) -> bool:
    return flag.startswith("unfinished") or flag.endswith(": not reached")

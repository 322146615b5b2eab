"""All flags, with one sentence of advice each, and what raises those of a cell.

A flag is its name, or `name: detail`. Other texts, such as the list of several
crossings, are remarks. Tables, pages and the command line get their words here.
"""

import re
import statistics
from collections.abc import Iterable, Sequence

import numpy as np

from crossover.crossing.decide import FEWEST_ROUNDS
from crossover.crossing.stability import has_changepoint
from crossover.nouns import Machine, Measurement

ADVICE = {
    "misfit": "The cost model is off by more than 20 % at some size, as where caches "
    "overflow or threads switch on: do not extrapolate.",
    "unverified": "The contenders' results were not compared, as the step returns no "
    "number, the file says `check = None`, or asv or pytest-benchmark measured it: "
    "nothing shows that they do the same work.",
    "unstable": "The pairs spread by more than 10 %: close other programs, or measure "
    "longer samples or more rounds.",
    "autocorrelated": "Neighbouring rounds are alike, so that the interval is too "
    "narrow: spread the rounds over more time, or restart the workers between them.",
    "drifting": "The machine's speed shifted while a cell was measured; pairs cancel "
    "a shared shift, but do not trust the absolute times.",
    "minimum_disagrees": "The fastest rounds cross elsewhere than the typical ones: "
    "look at the rounds of the sizes between, as one contender is disturbed more.",
    "coarse_grid": "The sizes around the boundary are more than a factor 1.7 apart, so "
    "that the curve may bend or jump anywhere between them: add sizes there.",
    "definitions_disagree": "The definitions of a crossover lie more than one grid "
    "step apart: look at the curve before you name one number.",
    "throttled_clock": "The accelerator ran below 75 % of its highest clock: check "
    "cooling and power limit, or lock the clock.",
    "cpu_quota_hit": "The container's CPU quota stopped the work in some rounds: raise "
    "the quota, or use fewer threads.",
    "busy_cores": "Threads waited for a core, or the machine's load was above its "
    "cores: stop other programs and measure again.",
    "cold_round": "A contender's start, such as the first use of a device, was timed: "
    "run it once untimed before the first round.",
    "disturbed_rounds": "In these rounds a contender waited for a core much longer "
    "than in its others; where they are few, they count for nothing: stop other "
    "programs.",
    "threads_not_as_planned": "torch used another number of threads than asked: check "
    "the libraries that set threads.",
    "circumstances_changed": "Rounds were measured under other circumstances than the "
    "first ones (`--force`); those of one machine are never paired with those of "
    "another: repeat the run where nothing changes.",
    "extrapolated": "Fewer epochs were timed than asked and the time scaled up: give a "
    "longer budget if the last per cent matters.",
    "convergence": "The last epochs timed took 20 % more or less than the first: time "
    "as many as the job has, and look for numbers so near 0 that processors are slow.",
    "setup_once": "The set-up is measured once per process: what is said holds if "
    "either one's takes 20 % longer; repeat the run to see its real spread.",
    "control": "The same contender measured twice: it must nowhere be ahead or behind.",
    "unfinished": "Sizes that were asked for were not reached: go on with "
    "`crossover run --resume DIR`, with `--budget` where the time was up.",
    "failed": "A contender failed at sizes that were asked for: the column `notes` of "
    "measurements.csv says how.",
    "control_fired": "A contender seemed to differ from itself, so no verdict of this "
    "run counts: see `crossover doctor`, then measure again.",
    "withheld": "Other programs took more than a quarter of the cores in the middle "
    "round of a cell, so no verdict stands: stop them and measure again.",
    "timed_out": "A contender did not finish at these sizes, so only a bound is known "
    "of its time there, which may tell who is ahead, and never by how much or from "
    "which size on: raise cell_timeout_s to know more.",
    "flat_crossing": "The curves cross at a flat angle, so that a per cent of a "
    "process' luck moves the crossing by more than the width asked for: more rounds "
    "would not narrow it.",
    "wider_than_asked": "The interval's high / low is more than the spec's width: give "
    "a longer budget or more rounds.",
    "few_calls": "Fewer single calls were timed than this needs, so that the quantile "
    "is unknown or its interval wide: give a longer budget or more rounds.",
    "energy_counters": "These counters see all that their chips use, idle power and "
    "other programs too: close other programs.",
    "unpaired": "Each contender was measured in a block of its own, and under a drift "
    "of 5 % such intervals held the truth 57 % of the time instead of 95 %: use "
    "`crossover run` for a decision.",
    "one_process": "All rounds are from one process, so that the interval says nothing "
    "of the next one: repeat the run, or use `crossover run`.",
    "no_interval": "Too few times were kept to know their error, so that nothing is "
    "decided: give `crossover run` five rounds at least, and use "
    "`asv run --record-samples` or `pytest --benchmark-json`.",
    "rounded_times": "The times are rounded, by the clock or in the file, so coarsely "
    "that who is ahead at some size or where the curves cross is hidden; an interval "
    "allows for half a step either way: time longer samples, or keep more digits.",
    "no_rounds": "The table has one time per size, so that nothing is known of its "
    "error: add a column of rounds.",
    "alone": "Only one contender has times of these sizes, so that nothing is known of "
    "the pair there: time the other there, too.",
    "units_apart": "No pair of programs differs by a thousand at every size: write the "
    "unit in a column or in the cells, or bring all times to one unit.",
    "wrong_way_round": "An answer is a size from which on a challenger is ahead; here "
    "the baseline is: name them the other way round.",
}

DOUBTS = {
    "unfinished": "{detail}",
    "failed": "{detail}",
    "control_fired": "a contender seemed to differ from itself",
    "busy_cores": "{detail}",
    "unverified": "unverified: the results were not compared",
    "units_apart": "{detail}",
    "alone": "{detail}",
    "wrong_way_round": "{detail}",
    "cpu_quota_hit": "a CPU quota stopped the work",
    "throttled_clock": "the accelerator was throttled",
    "threads_not_as_planned": "not the threads asked for",
    "circumstances_changed": "measured under changed circumstances",
    "unpaired": "contenders did not take turns",
    "one_process": "all rounds are of one process",
    "no_interval": "too few times for an interval",
    "no_rounds": "one time a size",
    "few_calls": "{detail}",
    "disturbed_rounds": "other programs disturbed {detail} rounds",
    "cold_round": "round {detail} was slow at every size and is left out",
    "unstable": "rounds spread by more than 10 %",
    "autocorrelated": "neighbouring rounds are alike",
    "drifting": "the machine's speed shifted",
    "rounded_times": "times are rounded",
    "definitions_disagree": "definitions of a crossover disagree",
    "minimum_disagrees": "the fastest rounds cross elsewhere",
    "flat_crossing": "the curves cross at a flat angle",
    "coarse_grid": "no size measured between {detail}",
    "wider_than_asked": "the interval is wider than asked",
    "extrapolated": "times are scaled up from fewer epochs",
    "convergence": "time depends on how far training has come",
}
"""Words beside an answer that a flag makes doubtful, the gravest first."""
BUSY = "busy_cores"
UNVERIFIED = "unverified"
NUMBERED = (BUSY, "disturbed_rounds")
"""Flags whose detail is a number that differs from cell to cell."""
UNFINISHED = ("unfinished", "failed")
"""Flags for sizes that were asked for and not measured."""
LEAST_CLOCK_SHARE = 0.75
"""Below this share of its highest clock, an accelerator counts as throttled."""
NO_INTERVAL = "no_interval"
BUSY_SHARE = 0.1
"""Above this share of the cores' time, other programs have disturbed a round."""
MOST_BUSY_SHARE = 0.25
"""Above this share, in the middle round of a cell, nothing is decided."""
FEW_DISTURBED = 0.2
"""Up to this share of a cell's rounds are left out if they were disturbed."""


def advice(flag: str) -> str | None:
    """Return the advice on a flag, with or without detail; None for a remark."""
    return ADVICE.get(flag.partition(":")[0])


def doubts(flags: Iterable[str]) -> dict[str, str]:
    """Return in words what makes an answer doubtful, by the flag's name."""
    raised = dict(reversed([flag.partition(": ")[::2] for flag in flags]))
    return {
        name: words.format(detail=raised[name])
        for name, words in DOUBTS.items()
        if name in raised
    }


def worst_each(flags: Iterable[str]) -> list[str]:
    """Return flags once each; of how much others took, only the largest number."""
    found: dict[str, str] = {}
    for flag in flags:
        name = flag.partition(":")[0]
        key = name if name in NUMBERED else flag
        found[key] = max(found.get(key, flag), flag, key=_first_number)
    return list(found.values())


def is_withheld(flags: Iterable[str]) -> bool:
    """Tell whether other programs took so much that an answer would be of them."""
    taken = (flag for flag in flags if flag.startswith(f"{BUSY}: "))
    return max(map(_first_number, taken), default=0) > 100 * MOST_BUSY_SHARE


def _first_number(flag: str) -> int:
    numbers = re.findall(r"\d+", flag)
    return int(numbers[0]) if numbers else 0


def in_words(flag: str) -> str:
    """Return a flag in words; one with a detail keeps its name and the detail."""
    name, _, detail = flag.partition(": ")
    return flag.replace("_", " ", name.count("_")) if detail else DOUBTS.get(name, flag)


def view_flags(view: str) -> tuple[str, ...]:
    """Return the flags that every cell has in a view."""
    return ("setup_once",) if view == "from_scratch" else ()


def cell_flags(rows: list[Measurement], machine: Machine) -> tuple[str, ...]:
    """Return the flags that one cell's own rounds raise.

    Args:
        rows: the cell's `ok` rounds.
        machine: where they were measured.
    """
    asked = rows[0].contender.threads
    in_order = sorted(rows, key=lambda m: m.round)
    per_call_s = np.array(
        [statistics.median(m.samples_s) / m.calls_per_sample for m in in_order]
    )
    clocks = [m.clock_share for m in rows if m.clock_share is not None]
    raised = {
        "unverified": any(m.verified is False for m in rows),
        "drifting": has_changepoint(per_call_s),
        "throttled_clock": bool(clocks)
        and statistics.median(clocks) < LEAST_CLOCK_SHARE,
        "cpu_quota_hit": any((m.throttled_periods or 0) > 0 for m in rows),
        "threads_not_as_planned": asked is not None
        and any(m.threads is not None and m.threads != asked for m in rows),
        "circumstances_changed": any(m.machine_id for m in rows),
        "extrapolated": any(map(_is_extrapolated, rows)),
    }
    named = [name for name, is_raised in raised.items() if is_raised]
    busy = _busy_flags(rows, machine)
    others = (flag for m in rows for flag in m.flags)
    return tuple(dict.fromkeys([*named, *busy, *others]))


def _is_extrapolated(m: Measurement) -> bool:
    """Tell whether fewer repeats were timed than asked; a user's steps are alike."""
    if m.epochs_run is None or m.case.workload.is_users:
        return False
    return m.epochs_run < m.case.repeats


def few_disturbed(rows: Sequence[Measurement]) -> set[int]:
    """Return the rounds in which other programs took cores, if they are few.

    Who waited is known apart from who was faster, so that leaving them out favours
    nobody. If they are many, or fewer than `FEWEST_ROUNDS` are left, all count.
    """
    shares = {m.round: share for m in rows if (share := m.waited_share) is not None}
    if max(shares.values(), default=0.0) <= BUSY_SHARE:
        return set()
    most = BUSY_SHARE + statistics.median(shares.values())
    found = {number for number, share in shares.items() if share > most}
    is_few = len(found) <= FEW_DISTURBED * len(rows)
    return found if is_few and len(rows) - len(found) >= FEWEST_ROUNDS else set()


def _busy_flags(rows: list[Measurement], machine: Machine) -> list[str]:
    """Return what other programs took of the cores, by the wait or else by the load."""
    who, cores = rows[0].contender, machine.cores
    # Threads of one contender wait for each other if they are more than the cores.
    is_known = cores is None or (who.threads or 1) * who.ranks <= cores
    # A quota makes threads wait, too, and has a flag of its own.
    shares = [
        share
        for m in rows
        if is_known
        and not m.throttled_periods
        and (share := m.waited_share) is not None
    ]
    if not shares:
        # Our own worker adds about 1 to the load: this notices two others on two cores.
        loads = [m.load_1min for m in rows if m.load_1min is not None]
        is_busy = cores is not None and max(loads, default=0.0) > cores + 0.5
        return ["busy_cores: other programs kept the cores busy"] if is_busy else []
    usual = statistics.median(shares)
    if usual > BUSY_SHARE:
        return [f"busy_cores: other programs took {100 * usual:.0f} % of the cores"]
    disturbed = sum(share > BUSY_SHARE for share in shares)
    if not disturbed:
        return []
    return [f"disturbed_rounds: {disturbed} of {len(rows)}"]

"""A run of very many rounds: does anything grow with them?

Two contenders on a grid of tiny cells, by the path of every run: worker processes,
planner, a journal that is synced after every round. After each round the memory,
file handles and processes of all of it are read, and the seconds since the round before
are split into those timed, those of the workers beside them, and those of the main
process. Exit 1 when a bound is broken.

    python -m benchmarks.soak --rounds 10000 --out results/soak
"""

import argparse
import csv
import os
import statistics
import sys
import time
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

import psutil

from bench import store
from bench.machine import snapshot
from bench.measure.process import Asked, WorkerProcess
from bench.nouns import SCHEMA, Contender, InputError, Machine, Run
from bench.plan import Block
from bench.run import Crew, carry_out
from bench.spec import Spec, parse_spec

CONTENDERS = ("cpu/resident@1", "cpu/manual@1")
SAMPLES = 400
LEAST_BATCH, MOST_CASES = 64, 336
MOST_GROWTH = 1.05
"""Of memory: the highest after the first tenth over the highest in it."""
MOST_DEARER = 1.10
"""Of the main process' processor time a round: the last tenth's over the second's.

Its seconds are shown beside, unjudged: they also depend on what else the machine does.
"""


@dataclass(frozen=True)
class Reading:
    """What was read after one round; seconds are those since the round before."""

    round: int
    at_s: float
    main_bytes: int
    first_worker_bytes: int
    second_worker_bytes: int
    keepers_bytes: int
    handles: int
    processes: int
    others: int
    """Processes that were not there after the first round."""
    timed_s: float
    worker_s: float
    """In which a worker was at work, not timed: opening, warming up, garbage."""
    main_s: float
    """Planning, recording and everything else that is not asking a worker."""
    main_cpu_s: float
    """Processor time of the main process, asking included."""
    load_1min: float


@dataclass
class Clock:
    """Where the seconds since the last reading went."""

    asked_s: float = 0.0
    timed_s: float = 0.0


class Watched:
    """A worker process whose answers are timed from outside."""

    def __init__(self, threads: int | None, clock: Clock) -> None:
        self._worker, self._clock = WorkerProcess(threads), clock

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Ask, and add up the seconds."""
        start = time.perf_counter()
        reply = self._worker.ask(request, timeout_s)
        self._clock.asked_s += time.perf_counter() - start
        self._clock.timed_s += reply.get("sample_s", 0.0)
        return reply

    def stop(self) -> None:
        """End it."""
        self._worker.stop()


class Watch:
    """Takes a reading after each round, to a file: kept, they would be what grows."""

    def __init__(self, clock: Clock, file: TextIO) -> None:
        self._clock, self._rows = clock, csv.writer(file, lineterminator="\n")
        self._rows.writerow(f.name for f in fields(Reading))
        self._rounds, self._main = 0, psutil.Process()
        self._known: frozenset[int] = frozenset()
        self._start = time.perf_counter()
        self._go_on()

    def _go_on(self) -> None:
        self._clock.asked_s = self._clock.timed_s = 0.0
        self._last_s, self._last_cpu_s = time.perf_counter(), time.process_time()

    def __call__(self, block: Block, done_s: float, total_s: float) -> None:
        """Read everything; what that takes is not counted."""
        now_s = time.perf_counter()
        since_s, cpu_s = now_s - self._last_s, time.process_time() - self._last_cpu_s
        below = self._main.children(recursive=True)
        keepers = [p for p in below if p.ppid() == self._main.pid]
        workers = [p for p in below if p.ppid() != self._main.pid]
        everyone = [self._main, *below]
        self._known = self._known or frozenset(p.pid for p in everyone)
        sizes = [p.memory_info().rss for p in workers]
        asked_s, timed_s = self._clock.asked_s, self._clock.timed_s
        reading = Reading(
            self._rounds, now_s - self._start,
            self._main.memory_info().rss, sizes[0], sizes[1],
            sum(p.memory_info().rss for p in keepers),
            sum(p.num_fds() for p in everyone), len(everyone),
            len({p.pid for p in everyone} - self._known),
            timed_s, asked_s - timed_s, since_s - asked_s, cpu_s, os.getloadavg()[0],
        )  # fmt: skip
        self._rows.writerow(astuple(reading))
        self._rounds += 1
        self._go_on()


def soak_spec(rounds: int, rounds_each: int) -> Spec:
    """Return a grid of at least so many rounds in all, so many of each size."""
    cases = -(-rounds // max(1, rounds_each))
    if not 1 <= cases <= MOST_CASES:
        most = MOST_CASES * rounds_each
        raise InputError(f"rounds = {rounds}: must be 1 to {most}")
    values = range(LEAST_BATCH, LEAST_BATCH + cases)
    sweep = {"axis": "batch_size", "values": [*values], "samples": SAMPLES}
    fields = {
        "name": "soak", "rounds": rounds_each, "grid": True, "control": False,
        "contenders": CONTENDERS, "pairs": [CONTENDERS], "sweep": [sweep],
    }  # fmt: skip
    return parse_spec(fields, "soak")


def soak(spec: Spec, out: Path, machine: Machine) -> tuple[Run, list[Reading]]:
    """Carry a spec out and watch it; writes soak.csv."""
    asked = spec.model_dump(mode="json")
    run = Run("soak", SCHEMA, asked, None, "", machine, ())
    store.create(out / "run", run)
    clock = Clock()

    def start(contender: Contender) -> Asked:
        return Watched(contender.threads, clock)

    with open(out / "soak.csv", "w", encoding="utf-8", newline="") as file:
        run = carry_out(spec, run, out / "run", Crew(start), Watch(clock, file))
    return run, read_csv(out / "soak.csv")


def read_csv(path: Path) -> list[Reading]:
    """Return the readings that a soak wrote."""
    kinds = {f.name: float if f.name.endswith("_s") else int for f in fields(Reading)}
    kinds["load_1min"] = float
    with open(path, encoding="utf-8", newline="") as file:
        return [
            Reading(**{name: kinds[name](text) for name, text in row.items()})
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class Verdict:
    """One criterion."""

    what: str
    before: float
    after: float
    most: float
    unit: str

    @property
    def ok(self) -> bool:
        """Whether the bound holds."""
        return self.after <= self.most * self.before


def verdicts(readings: list[Reading], rounds_each: int) -> list[Verdict]:
    """Judge what is read after the first tenth by what is read in it."""
    tenth = max(1, len(readings) // 10)
    first, later = readings[:tenth], readings[tenth:]

    def highest(what: str, name: str, unit: str, most: float, scale: float) -> Verdict:
        sides = [max(getattr(r, name) for r in side) / scale for side in (first, later)]
        return Verdict(what, sides[0], sides[1], most, unit)

    mib, cpu_s = 2**20, a_round_s(readings, "main_cpu_s", rounds_each)
    return [
        highest("memory of the main process", "main_bytes", "MiB", MOST_GROWTH, mib),
        highest(f"memory of the worker of {CONTENDERS[0]}", "first_worker_bytes",
                "MiB", MOST_GROWTH, mib),
        highest(f"memory of the worker of {CONTENDERS[1]}", "second_worker_bytes",
                "MiB", MOST_GROWTH, mib),
        highest("memory of the keepers", "keepers_bytes", "MiB", MOST_GROWTH, mib),
        highest("file handles", "handles", "", 1.0, 1),
        highest("processes", "processes", "", 1.0, 1),
        Verdict("processes that were not there at first", 0,
                max(r.others for r in readings), 1.0, ""),
        Verdict("processor time of the main process", cpu_s[1] * 1e3, cpu_s[-1] * 1e3,
                MOST_DEARER, "ms a round"),
    ]  # fmt: skip


def a_round_s(readings: list[Reading], name: str, rounds_each: int) -> list[float]:
    """Return the seconds a round of each tenth: medians over its cases' means."""
    cases = by_case(readings, name, rounds_each)
    ends = [i * len(cases) // 10 for i in range(11)]
    return [statistics.median(cases[a:b] or [0.0]) for a, b in pairwise(ends)]


def by_case(readings: list[Reading], name: str, rounds_each: int) -> list[float]:
    """Return means over the rounds of each case: its first holds what it costs once."""
    values = [getattr(r, name) for r in readings]
    starts = range(0, len(values), rounds_each)
    return [statistics.fmean(values[i : i + rounds_each]) for i in starts]


def main() -> int:
    """Soak, judge, write soak.csv, soak.md, soak.png and soak.svg."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=10_000)
    options.add_argument("--rounds-each", type=int, default=32)
    options.add_argument("--out", type=Path, default=Path("results/soak"))
    asked = options.parse_args()
    try:
        spec = soak_spec(asked.rounds, asked.rounds_each)
        run, readings = soak(spec, asked.out, snapshot(("cpu",)))
    except InputError as error:
        raise SystemExit(str(error)) from error
    found = verdicts(readings, asked.rounds_each)
    # Only now: beside matplotlib's memory, a growth of the main process' looks small.
    from benchmarks.soak_report import write_report  # noqa: PLC0415

    print(write_report(run, readings, found, asked.rounds_each, asked.out))
    ok = [m for m in run.measurements if m.status == "ok"]
    whole = len(ok) == len(run.measurements) == len(CONTENDERS) * len(readings)
    return int(not (whole and all(v.ok for v in found)))


if __name__ == "__main__":
    sys.exit(main())

"""Measure 10,000 rounds as any run does, and judge whether anything grows with them.

Two contenders train a grid of tiny cells. After each round the memory, file handles and
processes of the whole run are read, and the seconds since the round before are split
into those timed, other work of the workers, and the main process. `soak_judge` decides,
`soak_report` writes it down. Exit code 1: a bound is broken.

    python -m bench.promises.soak --rounds 10000 --out results/soak
"""

import argparse
import csv
import os
import sys
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TextIO

import psutil

from bench.promises.soak_judge import CONTENDERS, Reading, read_csv, verdicts
from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.measure.machine import snapshot
from crossover.measure.pipe import Ended, R, Request, Sampled
from crossover.measure.process import AnyWorker, WorkerProcess, Workers
from crossover.nouns import SCHEMA, Machine, Run
from crossover.pipeline import carry_out
from crossover.plan.plan import Block
from crossover.record import run_folder
from crossover.spec.spec import Spec, parse_spec

SAMPLES = 400
LEAST_BATCH, MOST_CASES = 64, 336
"""The cases have 64, 65, ... samples in a batch, up to the number of samples."""


@dataclass
class Clock:
    """Seconds since the last reading that a worker was asked, and that it timed."""

    asked_s: float = 0.0
    timed_s: float = 0.0


class Watched:
    """A worker process whose answers are timed from outside."""

    def __init__(self, threads: int | None, clock: Clock) -> None:
        self._worker, self._clock = WorkerProcess(threads), clock

    def ask(self, request: Request[R], timeout_s: float) -> R | Ended:
        """Ask the worker, and add the seconds to the clock."""
        start = time.perf_counter()
        reply = self._worker.ask(request, timeout_s)
        self._clock.asked_s += time.perf_counter() - start
        if isinstance(reply, Sampled):
            self._clock.timed_s += reply.sample_s
        return reply

    def stop(self) -> None:
        """End the worker."""
        self._worker.stop()


class Watch:
    """Writes a reading to a file after each round: kept, they would grow the memory."""

    def __init__(self, clock: Clock, rounds_each: int, file: TextIO) -> None:
        self._each, self._calls = rounds_each, 0
        self._clock, self._rows = clock, csv.writer(file, lineterminator="\n")
        self._rows.writerow(f.name for f in fields(Reading))
        self._rounds, self._main = 0, psutil.Process()
        self._known: frozenset[int] = frozenset()
        self._start = time.perf_counter()
        self._go_on()

    def _go_on(self) -> None:
        self._clock.asked_s = self._clock.timed_s = 0.0
        self._calls = 0
        self._last_s, self._last_cpu_s = time.perf_counter(), time.process_time()
        if self._rounds % self._each == 1:  # the second of a case: no worker is opened
            sys.setprofile(self._count)

    def _count(self, frame: object, event: str, argument: object) -> None:
        self._calls += event in ("call", "c_call")

    def __call__(self, block: Block, done_s: float, total_s: float) -> None:
        """Take a reading; the time that this takes is not counted."""
        sys.setprofile(None)
        now_s = time.perf_counter()
        since_s, cpu_s = now_s - self._last_s, time.process_time() - self._last_cpu_s
        below = self._main.children(recursive=True)
        starters = {p.ppid() for p in below}
        reapers = [p for p in below if p.pid in starters]
        workers = [p for p in below if p.pid not in starters]
        everyone = [self._main, *below]
        self._known = self._known or frozenset(p.pid for p in everyone)
        sizes = [p.memory_info().rss for p in workers]
        asked_s, timed_s = self._clock.asked_s, self._clock.timed_s
        reading = Reading(
            self._rounds, now_s - self._start,
            self._main.memory_info().rss, sizes[0], sizes[1],
            sum(p.memory_info().rss for p in reapers),
            sum(p.num_fds() for p in everyone), len(everyone),
            len({p.pid for p in everyone} - self._known),
            timed_s, asked_s - timed_s, since_s - asked_s, cpu_s, self._calls,
            os.getloadavg()[0],
        )  # fmt: skip
        self._rows.writerow(astuple(reading))
        self._rounds += 1
        self._go_on()


def soak_spec(rounds: int, rounds_each: int) -> Spec:
    """Return a grid of at least `rounds` rounds in all, `rounds_each` of each size."""
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
    """Carry the spec out, and write a reading after each round to soak.csv."""
    run = Run("soak", SCHEMA, spec, None, "", machine, ())
    run_folder.create(out / "run", run)
    clock = Clock()

    def start(contender: Contender) -> AnyWorker:
        return Watched(contender.threads, clock)

    with open(out / "soak.csv", "w", encoding="utf-8", newline="") as file:
        watch = Watch(clock, spec.rounds, file)
        run = carry_out(spec, run, out / "run", Workers(start), watch)
    return run, read_csv(out / "soak.csv")


def main() -> int:
    """Measure, judge, and write soak.csv, soak.md, soak.png and soak.svg."""
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
    # Imported late: beside matplotlib's memory, growth of the main process looks small.
    from bench.promises.soak_report import write_report

    print(write_report(run, readings, found, asked.rounds_each, asked.out))
    ok = [m for m in run.measurements if m.status == "ok"]
    whole = len(ok) == len(run.measurements) == len(CONTENDERS) * len(readings)
    return int(not (whole and all(v.ok for v in found)))


if __name__ == "__main__":
    sys.exit(main())

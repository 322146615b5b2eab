"""Measure what a run's checks of itself take, as a share of a `smoke` run's time.

They are the invariants of each round, the journal's chain, the looks for a stopped
program, and in the workers the proof that a cell's label is what runs. They are timed
where they happen, as one per cent is less than two runs differ by. Exit code 1: they
take more than that.

    python -m bench.promises.checks
"""

import functools
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossover.measure import process, sampler
from crossover.measure.machine import snapshot, usable_cores
from crossover.measure.process import WorkerProcess, Workers
from crossover.pipeline import carry_out_unkept
from crossover.record import chain, journal
from crossover.record.invariants import Invariants
from crossover.spec.load import load_preset
from crossover.spec.resolve import resolve
from crossover.system import stops

MOST_SHARE = 0.01
"""Most that the checks may take of a run's wall time."""
KEPT = "CHECKS_KEPT"
"""Variable that names the file in which workers add up their seconds."""
WORKERS = "bench.promises.checked_worker"
Note = Callable[[str, float], object]


def timed(owner: Any, name: str, note: Note) -> None:
    """Let a function of a module or class tell how long each call takes."""
    function = getattr(owner, name)

    @functools.wraps(function)
    def clocked(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            note(name, time.perf_counter() - start)

    setattr(owner, name, clocked)


def time_proofs() -> None:
    """Have the proofs in this worker write what they take."""

    def note(name: str, seconds: float) -> None:
        with Path(os.environ[KEPT]).open("a", encoding="ascii") as file:
            print(name, seconds, file=file)

    for name in ("prove_threads", "prove_device"):
        timed(sampler, name, note)


def main() -> int:
    """Carry out the preset, print each check's share, and return the exit code."""
    took_s: dict[str, float] = defaultdict(float)

    def note(name: str, seconds: float) -> None:
        took_s[name] += seconds

    lines = chain.sealed
    # As a list, so that all of it is timed.
    setattr(journal, "sealed", lambda *args: iter(list(lines(*args))))  # noqa: B010
    for owner, name in (
        (Invariants, "add"), (journal, "sealed"), (chain.Chain, "follow"),
        (stops.Watch, "look"), (process, "any_stopped"),
    ):  # fmt: skip
        timed(owner, name, note)
    spec = resolve(load_preset("smoke"), (), usable_cores())
    machine = snapshot()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "proofs"
        kept.touch()
        os.environ |= {KEPT: str(kept), "PYTHONPATH": os.getcwd()}
        workers = Workers(lambda c: WorkerProcess(c.threads, WORKERS))
        start = time.perf_counter()
        carry_out_unkept(spec, machine, workers)
        whole_s = time.perf_counter() - start
        for line in kept.read_text("ascii").splitlines():
            proof, seconds = line.split()
            note(proof, float(seconds))
    for name, check_s in took_s.items():
        print(f"{name:14} {check_s:8.4f} s  {check_s / whole_s:.3%}")
    share = sum(took_s.values()) / whole_s
    print(f"the checks take {share:.2%} of {whole_s:.1f} s; at most {MOST_SHARE:.0%}")
    return int(share > MOST_SHARE)


if __name__ == "__main__":
    sys.exit(main())

"""Measure what a large report costs: seconds, peak memory and the size of the page.

A run of 10 sweeps x 10 sizes x 10 contenders x 100 rounds is made up, 100,000
measurements, and its report written to a temporary folder. It should take less than
10 s of CPU (4 s for 10,000: --rounds 10), 1 GB and 5 MB; no exit code judges it.

    python -m bench.promises.report_size
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crossover.nouns import SCHEMA, Cell, Machine, Measurement, Run
from crossover.report.write import write_report
from crossover.spec.spec import Spec, parse_spec

MACHINE = Machine(
    "host", "a CPU", 16, None, 64 << 30, 0.0, (), {}, {"torch": "2.13.0"}, {}, "f"
)
SIZES = [2**power for power in range(4, 14)]


def made_spec(sweeps: int, contenders: int) -> Spec:
    """Return a spec of batch-size sweeps with every contender against the first."""
    names = [f"cpu/resident@{threads}" for threads in range(1, contenders + 1)]
    fields = {
        "name": "large",
        "rounds": 100,
        "grid": True,
        "control": False,
        "contenders": names,
        "pairs": [[names[0], name] for name in names[1:]],
        "sweep": [
            {"axis": "batch_size", "values": SIZES, "samples": 8192, "features": n}
            for n in range(2, 2 + sweeps)
        ],
    }
    return parse_spec(fields, "made")


def made_measurements(spec: Spec, rounds: int) -> Iterator[Measurement]:
    """Yield the rounds of every cell: a + b n / threads, with 3 % noise."""
    rng = np.random.default_rng(0)
    for sweep in spec.sweep:
        for size, case in sweep.cases().items():
            for place, contender in enumerate(spec.contenders_of(sweep)):
                threads = contender.threads or 1
                cost_s = 1e-3 * threads + size * 1e-5 / threads
                noise = np.exp(0.03 * rng.standard_normal((rounds, 2)))
                cell_id = Cell(case, contender).id
                for number in range(rounds):
                    yield Measurement(
                        cell_id,
                        "large",
                        number,
                        "ok",
                        case,
                        contender,
                        (place, 19 - place),
                        tuple(map(float, cost_s * noise[number])),
                        setup_s=1.0,
                        transfer_s=1e-4,
                        warmup_s=(cost_s,) * 5,
                        threads=threads,
                        load_1min=1.0,
                        started_utc="2026-11-24T18:12:26.469+00:00",
                    )


def cpu_s() -> float:
    """Return the CPU seconds of this process and of those that it waited for."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Print what writing the report of a large run costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=10)
    parser.add_argument("--contenders", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    spec = made_spec(asked.sweeps, asked.contenders)
    measurements = tuple(made_measurements(spec, asked.rounds))
    run = Run("large", SCHEMA, spec, None, "made", MACHINE, measurements)
    with tempfile.TemporaryDirectory() as folder:
        before, used_s = time.perf_counter(), cpu_s()
        write_report(run, Path(folder))
        seconds, used_s = time.perf_counter() - before, cpu_s() - used_s
        page = (Path(folder) / "report.html").stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{len(measurements):,} measurements")
    print(f"{seconds:.1f} s, {used_s:.1f} s of CPU")
    print(f"peak memory {peak / 1e6:.0f} MB, page {page / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

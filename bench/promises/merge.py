"""Merge a launched run of 1,000 jobs with 1,000 measurements each: seconds and memory.

    python -m bench.promises.merge [--jobs 1000] [--rows 1000] [--one-type]

The jobs' folders are made first: copies of one journal, each line with other times.
Then a process of its own merges them, as `crossover report FOLDER` does before it
computes anything; the kernel tells its peak memory. Exit code 1: the merge took 60 s or
2 GB. Each job has a node type of its own; with --one-type, all jobs share one.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from crossover.contender import Contender
from crossover.nouns import SCHEMA, Cell, Machine, Measurement, Run
from crossover.record import codec, launched
from crossover.record.chain import sealed
from crossover.record.launched import Launched, jobs_of
from crossover.spec.spec import parse_spec
from crossover.spec.sweep import Sweep

MOST_S, MOST_BYTES = 60.0, 2e9
ROUNDS = 10
NO_TIMES = '"samples_s": []'
CONTENDERS = ("cpu/resident@1", "cpu/fused@1", "cpu/manual@1", "cpu/lesson@1")
MERGE = """
import resource, sys, time
from pathlib import Path
from crossover.record import launched
start = time.perf_counter()
merged = launched.merge(Path(sys.argv[1]))
took_s = time.perf_counter() - start
cpu_s = time.process_time()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(len(merged), took_s, cpu_s, peak)
"""


def spec_of(jobs: int, rows: int, is_one_type: bool) -> dict[str, object]:
    """Return the fields of a spec of `jobs` jobs, each of about `rows` measurements."""
    cases = max(1, rows // (ROUNDS * len(CONTENDERS)))
    sweeps = min(jobs, 500) if is_one_type else 1  # a spec has at most 500
    types = -(-jobs // sweeps)
    return {
        "name": "merge",
        "contenders": CONTENDERS,
        "pairs": [[CONTENDERS[0], c] for c in CONTENDERS[1:]],
        "rounds": ROUNDS,
        "grid": True,
        "control": False,
        "sweep": [
            {
                "axis": "samples",
                "values": [100 * n for n in range(1, cases + 1)],
                "features": k + 1,
            }
            for k in range(sweeps)
        ],
        "launch": {"nodes": {f"type{n}": {} for n in range(types)}},
    }


def make(folder: Path, fields: dict[str, object], jobs: int) -> int:
    """Write the folder of a launched run that has ended; return its journals' bytes."""
    spec = parse_spec(fields, "merge")
    whole = Launched(
        launch="slurm", run_id="merge", command="crossover run", commit=None, spec=spec
    )
    launched.create(folder, whole)
    draw, size = random.Random(0), 0
    lines: dict[Sweep, list[str]] = {}
    for number, job in enumerate(jobs_of(spec)[:jobs]):
        machine = Machine(
            f"host{number}", "a CPU", 64, None, 2**38, 0.5, (), {}, {}, {}, job.node
        )
        asked = job.spec
        run = Run(f"merge-{job.name}", SCHEMA, asked, None, "x", machine, ())
        out = folder / launched.JOBS / job.name
        out.mkdir()
        (out / "run.json").write_text(codec.header(run), "utf-8")
        (out / launched.ENDED).touch()
        sweep = job.spec.sweep[0]
        if sweep not in lines:
            lines[sweep] = [codec.line(m) for m in measurements(sweep)]
        with open(out / "measurements.jsonl", "w", encoding="utf-8") as journal:
            journal.writelines(sealed(_timed(lines[sweep], run.run_id, draw)))
        size += (out / "measurements.jsonl").stat().st_size
    return size


def _timed(lines: list[str], run_id: str, draw: random.Random) -> Iterator[str]:
    """Yield a run's lines, each with times of its own."""
    for line in lines:
        times = [draw.lognormvariate(-5, 0.1) for _ in range(2)]
        timed = line.replace(NO_TIMES, f'"samples_s": {times}')
        yield timed.replace("RUN_ID", run_id, 1)


def measurements(sweep: Sweep) -> Iterator[Measurement]:
    """Yield a measurement of each case, round and contender, without its times."""
    elapsed_s = 0.0
    for case in sweep.cases().values():
        for number in range(ROUNDS):
            elapsed_s += 0.1
            for place, text in enumerate(CONTENDERS):
                who = Contender.parse(text)
                yield Measurement(
                    Cell(case, who).id, "RUN_ID", number, "ok", case, who,
                    positions=(place, 7 - place), calls_per_sample=4, epochs_run=1,
                    setup_s=0.0123456, transfer_s=2.345e-05, launches_per_step=23.0,
                    threads=1, load_1min=0.53, throttled_periods=0, loss=0.123456789,
                    accuracy=0.987654, started_utc="2026-01-01T00:00:00.000+00:00",
                    notes="5 warm-up trainings", in_round=len(CONTENDERS),
                    elapsed_s=round(elapsed_s, 3),
                )  # fmt: skip


def main() -> int:
    """Print the seconds and the memory; return 1 when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--one-type", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        start = time.perf_counter()
        size = make(folder, spec_of(asked.jobs, asked.rows, asked.one_type), asked.jobs)
        print(f"made {size / 1e6:,.0f} MB in {time.perf_counter() - start:.0f} s")
        done = subprocess.run(
            [sys.executable, "-c", MERGE, str(folder)],
            capture_output=True, text=True, check=True, env=os.environ,
        )  # fmt: skip
        machines, took_s, cpu_s, peak = map(float, done.stdout.split())
        rows = sum(
            path.read_bytes().count(b"\n")
            for path in folder.glob("merged/*/measurements.jsonl")
        )
    print(
        f"merged {asked.jobs:,} jobs, {rows:,} measurements, into {machines:,.0f} "
        f"machines: {took_s:.1f} s ({1e6 * took_s / rows:.0f} us a measurement; "
        f"{cpu_s:.1f} s on the CPU with imports), "
        f"{peak / 1e6:,.0f} MB at most, one process"
    )
    return int(took_s >= MOST_S or peak >= MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())

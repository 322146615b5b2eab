"""Compare `fused` with JAX, scikit-learn and torch on one core.

    python -m bench.promises.peers [--out DIR] [--every-way] [CASE NUMBER ...]

It writes peers.csv, peers.md and peers.png in about four minutes. Exit code 1: a bound
is broken.
"""

import argparse
import os
import sys
from pathlib import Path

# Set before any peer is loaded: a library decides its number of threads on loading.
CORE = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
if CORE is not None:
    os.sched_setaffinity(0, {CORE})
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

from importlib import metadata  # noqa: E402

from bench.promises.peers import contenders, plot, results, to_loss  # noqa: E402
from bench.promises.peers.cases import PROMISES  # noqa: E402

PACKAGES = ("jax", "jaxlib", "numba", "numpy", "scikit-learn", "torch")


def versions() -> str:
    """Return the peers' versions, one line."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def main(arguments: list[str] | None = None) -> int:
    """Measure the cases, print and write their rows, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.promises.peers")
    parser.add_argument("--out", type=Path, default=Path("results/peers"))
    parser.add_argument("--every-way", action="store_true", help="of JAX; slow")
    parser.add_argument(
        "case", type=int, nargs="*", help=f"0 to {len(PROMISES) - 1}; all by default"
    )
    asked = parser.parse_args(arguments)
    if any(not 0 <= number < len(PROMISES) for number in asked.case):
        parser.error(f"case = {asked.case}: must be 0 to {len(PROMISES) - 1}")
    rows: list[results.Row] = []
    for number in asked.case or range(len(PROMISES)):
        promise = PROMISES[number]
        found = contenders.same_steps(
            promise.label, promise.case, promise.least, asked.every_way
        )
        found += to_loss.same_loss(promise.label, promise.case)
        print(results.markdown(found), flush=True)
        rows += found
    asked.out.mkdir(parents=True, exist_ok=True)
    text = f"{versions()}; one core\n\n{results.markdown(rows)}"
    (asked.out / "peers.md").write_text(text, encoding="utf-8")
    (asked.out / "peers.csv").write_text(results.csv_text(rows), encoding="utf-8")
    plot.save(rows, asked.out / "peers.png")
    broken = [row for row in rows if row.broken]
    print(f"{versions()}\n{asked.out}: {len(rows)} rows, {len(broken)} bounds broken")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())

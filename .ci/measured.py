#!/usr/bin/env python3
"""Count what a suite measured, and fail when it measured nothing or something failed.

    .ci/measured.py asv DIR      # .asv/results
    .ci/measured.py pytest FILE  # the file of pytest --benchmark-json

asv and pytest both exit with 0 when they measured nothing at all.
"""

import json
import math
import sys
from pathlib import Path


def of_asv(folder: Path) -> tuple[int, int, int]:
    """Return how many values of all machines were measured, n/a (NaN), and failed."""
    values = []
    for path in folder.glob("*/*.json"):
        kept = json.loads(path.read_text())
        for row in kept.get("results", {}).values():
            column = dict(zip(kept["result_columns"], row, strict=False)).get("result")
            values += [None] if column is None else column
    numbers = [v for v in values if v is not None]
    measured = sum(not math.isnan(v) for v in numbers)
    return measured, len(numbers) - measured, len(values) - len(numbers)


def of_pytest(file: Path) -> tuple[int, int, int]:
    """Return how many were measured; the JSON does not hold n/a or failed ones."""
    rows = json.loads(file.read_text(encoding="utf-8"))["benchmarks"]
    return sum(len(row["stats"]["data"]) > 0 for row in rows), 0, 0


def main() -> int:
    """Print the counts; return 1 when nothing was measured or something failed."""
    count = {"asv": of_asv, "pytest": of_pytest}[sys.argv[1]]
    measured, absent, failed = count(Path(sys.argv[2]))
    print(f"{sys.argv[1]}: {measured} measured, {absent} n/a, {failed} failed")
    return int(measured == 0 or failed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The only door to pandas: one row per measurement, estimate or crossover."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.analysis.crossover import crossovers
from bench.analysis.estimate import estimates
from bench.nouns import Crossover, Estimate, Measurement, Run, field_names
from bench.store import load

CASE_COLUMNS = ["samples", "features", "classes", "batch_size", "epochs"]
CROSSOVER_COLUMNS = [
    "axis", *CASE_COLUMNS, "view", "metric", "baseline", "challenger", "outcome",
    "at", "low", "high", "confidence", "first_win", "least_regret", "fitted",
    "speedup_smallest", "speedup_largest", "slope", "flags",
]  # fmt: skip


@dataclass(frozen=True)
class Frames:
    """The three tables of a run."""

    measurements: pd.DataFrame
    estimates: pd.DataFrame
    crossovers: pd.DataFrame


def frames(run: Run, found: list[Crossover] | None = None) -> Frames:
    """Compute the three tables of a run; `found` saves finding the crossovers again."""
    return Frames(
        _table(run.measurements, Measurement),
        _table(estimates(run), Estimate),
        _crossovers(crossovers(run) if found is None else found),
    )


def read_run(path: str | Path) -> Frames:
    """Read a run directory into three DataFrames.

    Raises:
        bench.store.StoreError: when it is not one.
    """
    return frames(load(Path(path)))


def _table(
    rows: "tuple[Measurement, ...] | list[Estimate]", noun: type
) -> pd.DataFrame:
    plain = [n for n in field_names(noun) if n not in ("case", "contender")]
    columns = [plain[0], *CASE_COLUMNS, "contender", *plain[1:]]
    return pd.DataFrame(
        [
            {
                **{n: _flat(getattr(row, n)) for n in plain},
                **{n: getattr(row.case, n) for n in CASE_COLUMNS},
                "contender": str(row.contender),
            }
            for row in rows
        ],
        columns=columns,
    )


def _crossovers(rows: list[Crossover]) -> pd.DataFrame:
    records = []
    for row in rows:
        record = {n: _flat(getattr(row, n)) for n in field_names(Crossover)}
        record |= {n: getattr(row.case, n) for n in CASE_COLUMNS}
        record[row.axis] = None
        records.append(record)
    table = pd.DataFrame(records, columns=CROSSOVER_COLUMNS)
    return table.astype(dict.fromkeys(CASE_COLUMNS, "Int64"))


def _flat(value: object) -> object:
    return ";".join(map(str, value)) if isinstance(value, tuple) else value

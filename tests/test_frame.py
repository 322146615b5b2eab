"""The tables of a run: their types, their rows, and the example in the docs."""

import contextlib
import io
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.breakeven import BreakEven
from crossover.analysis.flags import few_disturbed
from crossover.analysis.frame import column_types, read_run, records
from crossover.findings import Answer, Estimate
from crossover.nouns import Measurement, field_names
from crossover.record.run_folder import load

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results/reference"
DOCS = ROOT / "docs/tables.md"
CASE = dict.fromkeys(
    ("samples", "features", "classes", "batch_size", "epochs"), "Int64"
)
TYPES = {
    "measurements": {
        **CASE, "cell_id": "string", "contender": "category", "round": "Int64",
        "status": "category", "samples_s": "string", "calls_per_sample": "Int64",
        "epochs_run": "Int64", "setup_s": "float64", "peak_bytes": "Int64",
        "threads": "Int64", "load_1min": "float64", "loss": "float64",
        "notes": "string", "started_utc": "datetime64[ms, UTC]", "train_s": "float64",
        "elapsed_s": "float64", "in_round": "Int64",
    },
    "estimates": {
        **CASE, "cell_id": "string", "contender": "category", "view": "category",
        "median_s": "float64", "low_s": "float64", "high_s": "float64",
        "min_s": "float64", "confidence": "float64", "rounds": "Int64",
        "flags": "string", "model_s": "float64", "model_off": "float64",
    },
    "crossovers": {
        **CASE, "axis": "category", "view": "category", "metric": "category",
        "baseline": "category", "challenger": "category", "outcome": "category",
        "at": "float64", "low": "float64", "high": "float64", "confidence": "float64",
        "first_win": "float64", "least_regret": "float64", "fitted": "float64",
        "speedup_smallest": "float64", "speedup_largest": "float64",
        "slope": "float64", "behind_until": "float64", "parity_low": "float64",
        "next_ahead_speedup": "float64", "zones": "string", "flags": "string",
    },
    "breakeven": {
        "samples": "Int64", "batch_size": "Int64", "outcome": "category",
        "interval": "category", "epochs": "float64", "low": "float64",
        "high": "float64", "rounds": "Int64", "baseline_fixed_s": "float64",
    },
    "speedups": {
        **CASE, "axis": "category", "view": "category", "baseline": "category",
        "speedup": "float64", "low": "float64", "high": "float64", "rounds": "Int64",
    },
    "costs": {
        "contender": "category", "features": "Int64", "classes": "Int64",
        "dtype": "string", "momentum": "float64", "per_step_s": "float64",
        "per_row_low_s": "float64", "setup_high_s": "float64", "cells": "Int64",
        "launches_per_step": "float64", "fit_error": "float64", "flags": "string",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    return read_run(REFERENCE)


@pytest.mark.parametrize("name", TYPES)
def test_columns_have_the_types_that_the_docs_promise(tables, name):
    table = getattr(tables, name)
    kinds = {column: str(kind) for column, kind in table.dtypes.items()}
    assert kinds.items() >= TYPES[name].items()
    assert "object" not in kinds.values()
    assert len(table) > 0


@pytest.mark.parametrize("noun", [Measurement, Estimate, Answer, BreakEven])
def test_every_field_of_a_noun_has_a_type(noun):
    kinds = column_types(noun)
    assert tuple(kinds) == field_names(noun)
    assert set(kinds.values()) <= {"string", "category", "Int64", "float64"}


def test_one_row_per_measurement_estimate_and_crossover(tables):
    run = load(REFERENCE)
    assert len(tables.measurements) == len(run.measurements)
    keys = tables.estimates[["cell_id", "view"]]
    assert not keys.duplicated().any()
    ok = tables.measurements[tables.measurements.status == "ok"]
    assert set(keys.cell_id) == set(ok.cell_id)
    pair = ["view", "metric", "baseline", "challenger"]
    columns = ["axis", *CASE, *pair, *field_names(Answer)]
    assert list(tables.crossovers) == columns
    for axis, rows in tables.crossovers.groupby("axis", observed=True):
        assert rows[axis].isna().all()
        assert (
            rows.drop(columns=axis)[sorted(set(CASE) - {axis})].notna().all(axis=None)
        )


def test_what_is_missing_is_missing_and_never_zero(tables):
    unavailable = tables.measurements[tables.measurements.status == "unavailable"]
    assert len(unavailable) > 0
    assert (
        unavailable[["train_s", "setup_s", "peak_bytes", "threads"]]
        .isna()
        .all(axis=None)
    )
    missing = tables.crossovers[tables.crossovers.outcome == "not_measured"]
    assert (
        missing[["at", "low", "high", "speedup_smallest", "slope"]]
        .isna()
        .all(axis=None)
    )


def test_an_estimate_is_the_median_of_its_rounds(tables):
    """Of those that count: of many rounds, a few that others disturbed do not."""
    rows = tables.measurements
    ok = rows[(rows.status == "ok") & (rows.discarded == "")]
    by_cell = defaultdict(list)
    for m in load(REFERENCE).measurements:
        if m.status == "ok" and not m.discarded:
            by_cell[m.cell_id].append(m)
    left_out = {name: few_disturbed(group) for name, group in by_cell.items()}
    counts = [
        n not in left_out[c] for c, n in zip(ok.cell_id, ok["round"], strict=True)
    ]
    medians = ok[counts].groupby("cell_id").train_s.median()
    train = tables.estimates[tables.estimates["view"] == "train"]
    expected = train.set_index("cell_id").median_s.sort_index()
    assert np.array_equal(medians.sort_index(), expected)


def test_a_speedup_is_the_median_of_paired_rounds(tables):
    row = tables.speedups[tables.speedups["view"] == "train"].iloc[0]
    mine = tables.measurements[
        (tables.measurements[list(CASE)] == row[list(CASE)]).all(axis=1)
    ]
    wide = mine.pivot_table("train_s", "round", "contender", observed=True).dropna()
    ratio = (wide[row.baseline] / wide[row.challenger]).median()
    assert row.speedup == pytest.approx(ratio, rel=1e-12)


def test_the_csv_files_are_these_tables(tables, tmp_path):
    for name in TYPES:
        table = getattr(tables, name)
        file = io.StringIO(table.to_csv(index=False))
        read = pd.read_csv(file)
        assert list(read) == list(table)
        for column in table.select_dtypes("float64"):
            pd.testing.assert_series_equal(read[column].astype(float), table[column])


def test_records_are_plain_values(tables):
    row = records(tables.crossovers)[0]
    assert row["outcome"] == "not_measured"
    assert row["at"] is None
    assert row[row["axis"]] is None
    kinds = {type(v) for r in records(tables.estimates) for v in r.values()}
    assert kinds <= {str, int, float, type(None)}


def test_the_worked_example_runs_and_prints_what_it_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(
        r"```python\n(.*?)```\n+```text\n(.*?)```", DOCS.read_text(), re.S
    )
    assert len(blocks) >= 2
    names = {}
    for code, said in blocks:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(DOCS), "exec"), names)
        assert out.getvalue().strip() == said.strip()


def test_the_docs_name_every_column(tables):
    text = DOCS.read_text()
    for name in TYPES:
        for column in getattr(tables, name):
            assert f"`{column}`" in text, (name, column)

"""A run's results as typed pandas tables, one row for each noun.

In: a run. Out: `Derived`, all that is computed from it, and `Frames`, its tables. The
report writes the same tables as CSV; `read_run` is for notebooks (docs/tables.md).
"""

import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from crossover.analysis.breakeven import BreakEven, break_evens
from crossover.analysis.cost_model import Costs, cost_models, model_times
from crossover.analysis.crossover import crossovers
from crossover.analysis.estimate import estimates, latencies
from crossover.analysis.rounds import Recorded, round_s
from crossover.analysis.sweeps import (
    Speedup,
    SweepResult,
    fast_enough,
    sweep_results,
)
from crossover.crossing.cost_fit import Ranged
from crossover.findings import Answer, Crossover, Enough, Estimate, Latency
from crossover.nouns import VIEWS, Case, Measurement, Run, field_names
from crossover.record.line import EMPTY, EXTRA
from crossover.record.run_folder import load
from crossover.workloads.values import text
from crossover.workloads.workload import Workload


@dataclass(frozen=True)
class Derived:
    """Everything computed from a run's measurements, in the order of the CSV files."""

    recorded: Recorded
    """The rounds that it was computed from, by cell."""
    estimates: list[Estimate]
    crossovers: list[Crossover]
    break_evens: list[BreakEven]
    sweeps: dict[str, list[SweepResult]]
    """Results of each sweep, with its speedups, by view."""
    costs: list[Costs]
    modelled: list[Ranged]
    """The cost model's time for each estimate."""
    latencies: list[Latency]
    """The quantiles of each cell's single calls; none if none were timed."""
    enough: list[Enough]
    """Up to which size each contender is fast enough; none without a limit."""


def derive(run: Run) -> Derived:
    """Compute estimates, crossovers, break-evens, speedups and costs."""
    recorded = Recorded(run.measurements)
    known = estimates(run, recorded)
    found = crossovers(run, recorded)
    sweeps = {view: sweep_results(run, found, view, known, recorded) for view in VIEWS}
    breaks, costs = break_evens(run, recorded), cost_models(run, recorded)
    modelled, calls = model_times(recorded, costs, known), latencies(run, recorded)
    enough = fast_enough(run, recorded, known, calls)
    return Derived(
        recorded, known, found, breaks, sweeps, costs, modelled, calls, enough
    )


THROUGHPUT = "items_per_s"
"""The column of estimates that only a run has whose steps say how many items they
work on."""
HIDDEN = ("case", "contender", "work", "latency", "settings")
"""Fields that have no column of their own."""
CATEGORIES = (
    "axis", "view", "metric", "contender", "baseline", "challenger", "status",
    "outcome", "interval", "quantile", "by",
)  # fmt: skip
"""Columns of text with few values."""

Columns = dict[str, "pd.Series[typing.Any]"]


@dataclass(frozen=True)
class Frames:
    """The tables of a run; docs/tables.md lists their columns and types."""

    measurements: pd.DataFrame
    """One row per round of a cell."""
    estimates: pd.DataFrame
    """One row per cell and view, with the cost model's time."""
    crossovers: pd.DataFrame
    """One row per sweep, pair, view and metric, measured or not."""
    breakeven: pd.DataFrame
    """One row per pair and case."""
    speedups: pd.DataFrame
    """One row per sweep, pair, size and view."""
    costs: pd.DataFrame
    """One row per contender and shape of the data."""
    latency: pd.DataFrame
    """One row per cell and quantile of its single calls; none if none were timed."""
    enough: pd.DataFrame
    """One row per sweep and contender, if a time was asked for that is fast enough."""


OPTIONAL = ("latency", "enough")
"""The tables that only a run has in which there is something to tell."""


def read_run(path: str | Path) -> Frames:
    """Read a run directory into DataFrames.

    Raises:
        crossover.files.untrusted.InputError: when the path is no run directory.
    """
    return frames(load(Path(path)))


def frames(run: Run, derived: Derived | None = None) -> Frames:
    """Return the tables of a run; `derived` is computed if not given."""
    derived = derive(run) if derived is None else derived
    workload = run.spec.declared
    return Frames(
        _measurements(run.measurements, workload),
        _estimates(derived, workload),
        _crossovers(derived.crossovers, workload),
        _break_evens(derived.break_evens, workload),
        _speedups(derived.sweeps.values(), workload),
        _costs(derived.costs, workload),
        _table(derived.latencies, Latency, workload),
        _enough(derived.enough, workload),
    )


def _measurements(rows: Sequence[Measurement], workload: Workload) -> pd.DataFrame:
    table = _table(rows, Measurement, workload)
    seconds = [round_s(m, "train") if m.status == "ok" else None for m in rows]
    started = pd.to_datetime(
        table["started_utc"], format="ISO8601", utc=True, errors="coerce"
    )
    peaks = [sum(m.peak_bytes.values()) if m.peak_bytes else None for m in rows]
    return table.assign(
        peak_bytes=_typed(peaks, "Int64", "peak_bytes"),
        started_utc=started.dt.as_unit("ms"),
        train_s=_typed(seconds, "float64", ""),
    )


def _estimates(derived: Derived, workload: Workload) -> pd.DataFrame:
    said = derived.modelled
    off = [
        None if model.seconds is None else model.seconds / e.median_s - 1
        for model, e in zip(said, derived.estimates, strict=True)
    ]
    return _table(derived.estimates, Estimate, workload).assign(
        **_ranged("model", said), model_off=_typed(off, "float64", "model_off")
    )


def _ranged(name: str, values: Sequence[Ranged]) -> Columns:
    ends = {"": "seconds", "low_": "low", "high_": "high"}
    return {
        f"{name}_{end}s": _typed([getattr(v, field) for v in values], "float64", "")
        for end, field in ends.items()
    }


def _costs(rows: Sequence[Costs], workload: Workload) -> pd.DataFrame:
    kinds, shapes = column_types(Costs), [dict(c.shape) for c in rows]
    costs = [c.rows() for c in rows]
    rest = ["launches_per_step", "fit_error", "cells", "confidence", "flags"]
    columns = {
        "contender": _typed([str(c.contender) for c in rows], "category", "contender"),
        **{n: _typed([s[n] for s in shapes], workload_type(workload, n), n)
           for n in workload.shape},
    }  # fmt: skip
    for part in costs[0] if costs else ():
        columns |= _ranged(part, [one[part] for one in costs])
    columns |= {n: _typed([getattr(c, n) for c in rows], kinds[n], n) for n in rest}
    return pd.DataFrame(columns)


def _is_told(rows: Sequence[object], name: str) -> bool:
    """Tell whether a table has a column: an optional one needs a value in some row."""
    is_optional = name in EXTRA or name == THROUGHPUT
    return not is_optional or any(getattr(row, name) not in EMPTY for row in rows)


def _table(
    rows: Sequence[Measurement] | Sequence[Estimate] | Sequence[Latency],
    noun: type,
    workload: Workload,
) -> pd.DataFrame:
    plain = [n for n in field_names(noun) if n not in HIDDEN and _is_told(rows, n)]
    names = {contender: str(contender) for contender in {r.contender for r in rows}}
    who = [names[r.contender] for r in rows]
    columns = {
        **_columns(rows, noun, plain[:1]),
        **_case_columns([row.case for row in rows], workload.columns, workload),
        "contender": _typed(who, "category", "contender"),
        **_columns(rows, noun, plain[1:]),
    }
    return pd.DataFrame(columns)


def _crossovers(rows: Sequence[Crossover], workload: Workload) -> pd.DataFrame:
    answers = [row.answer for row in rows]
    columns = {
        **_columns(rows, Crossover, ["axis"]),
        **_case_columns([row.line for row in rows], workload.columns, workload),
        **_columns(rows, Crossover, ["view", "metric", "baseline", "challenger"]),
        **_columns(answers, Answer, field_names(Answer)),
        "flags": _typed([row.flags for row in rows], "string", "flags"),
    }
    return pd.DataFrame(columns)


def _enough(rows: Sequence[Enough], workload: Workload) -> pd.DataFrame:
    rest = [n for n in field_names(Enough) if n not in ("axis", "line", "contender")]
    who = [str(row.contender) for row in rows]
    columns = {
        **_columns(rows, Enough, ["axis"]),
        **_case_columns([row.line for row in rows], workload.columns, workload),
        "contender": _typed(who, "category", "contender"),
        **_columns(rows, Enough, rest),
    }
    return pd.DataFrame(columns)


def _break_evens(rows: Sequence[BreakEven], workload: Workload) -> pd.DataFrame:
    """Return the table; its column of epochs is the break-even, not the case's size."""
    fixed = [name for name in workload.columns if name != workload.repeating]
    columns = {
        **_case_columns([row.case for row in rows], fixed, workload),
        **_columns(rows, BreakEven, [n for n in field_names(BreakEven) if n != "case"]),
    }
    names = {"repeats": workload.repeating or "calls"}
    for side in ("baseline", "challenger"):
        names[f"{side}_repeat_s"] = f"{side}_{workload.repeat}_s"
    return pd.DataFrame(columns).rename(columns=names)


def _speedups(
    views: Iterable[Sequence[SweepResult]], workload: Workload
) -> pd.DataFrame:
    results = [result for view in views for result in view]
    owners = [(r, p) for r in results for p in r.speedups]
    cases = [r.sweep.case_at(p.size) for r, p in owners]
    points = [p for _, p in owners]
    rest = [n for n in field_names(Speedup) if n != "size"]
    columns = {
        "axis": _typed([r.sweep.axis for r, _ in owners], "category", "axis"),
        **_case_columns(cases, workload.columns, workload),
        "view": _typed([r.view for r, _ in owners], "category", "view"),
        **_columns(points, Speedup, rest),
    }
    return pd.DataFrame(columns)


def _case_columns(
    cases: Sequence[Case], names: Sequence[str], workload: Workload
) -> Columns:
    """Return values of the rows' cases as columns; one without value is missing."""
    kinds = {n: workload_type(workload, n) for n in names}
    values = {n: [case[n] for case in cases] for n in names}
    for name, kind in kinds.items():
        if kind == "string":
            values[name] = [*map(text, values[name])]
    return {n: _typed(values[n], kinds[n], n) for n in names}


def workload_type(workload: Workload, name: str) -> str:
    """Return the dtype of the column of a size or setting."""
    if name in workload.axes:
        return "Int64"
    default = next(s.default for s in workload.settings if s.name == name)
    return _kind(name, type(default))


def _columns(rows: Sequence[typing.Any], noun: type, names: Sequence[str]) -> Columns:
    """Return some fields of a noun as typed columns; tuples are joined by `;`."""
    kinds = column_types(noun)
    return {n: _typed([getattr(row, n) for row in rows], kinds[n], n) for n in names}


def column_types(noun: type) -> dict[str, str]:
    """Return the dtype of each field of a noun, by its annotation."""
    hints = typing.get_type_hints(noun)
    return {field.name: _kind(field.name, hints[field.name]) for field in fields(noun)}


def _kind(name: str, hint: object) -> str:
    if isinstance(hint, types.UnionType):
        hint = next(t for t in typing.get_args(hint) if t is not type(None))
    if hint is float:
        return "float64"
    if hint is int:
        return "Int64"
    return "category" if name in CATEGORIES else "string"


def _typed(
    values: Sequence[typing.Any], kind: str, name: str
) -> "pd.Series[typing.Any]":
    if kind == "category":
        known = list(dict.fromkeys(v for v in values if v is not None))
        texts = pd.Index(known, dtype="object")
        return pd.Series(pd.Categorical(values, categories=texts), name=name)
    if kind == "string":
        values = [";".join(map(str, v)) if isinstance(v, tuple) else v for v in values]
    return pd.Series(values, dtype=kind, name=name)


def records(table: pd.DataFrame) -> list[dict[str, typing.Any]]:
    """Return the rows of a table as Python's own values; missing ones are None."""
    plain = table.astype(object).where(table.notna(), None)
    columns = {str(name): column for name, column in plain.items()}
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]

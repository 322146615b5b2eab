"""google-benchmark's JSON and CSV -> rows of times.

A name such as `BM_gemm<float>/1024/threads:2` is the benchmark's with its arguments.
`recognise` calls this.
"""

import re
from typing import Any

from crossover.sources.foreign.held import (
    BENCHMARK,
    SECONDS,
    Held,
    Row,
    as_text,
    checked,
    with_parts,
)

JSON, CSV = "google-benchmark's JSON", "google-benchmark's CSV"
HEADS = {"name", "iterations", "real_time", "cpu_time", "time_unit"}
TIMES = ("real_time", "cpu_time")
TYPICAL = ("median", "mean")
"""The statistics that stand in the place of times, in order of preference."""
STATISTICS = {*TYPICAL, "stddev", "cv", "min", "max", "BigO", "RMS"}
_ENDING = re.compile(r"(.+)_([A-Za-z]+)", re.DOTALL)
_RUNS = {"iterations", "repeats", "min_time", "min_warmup_time"}
"""What a name says of how it was measured, not of what."""
_CLOCKS = {"real_time", "manual_time", "process_time"}
_KNOWN = {
    "name", "run_name", "run_type", "family_index", "per_family_instance_index",
    "repetitions", "repetition_index", "threads", "iterations", "time_unit",
    "aggregate_name", "aggregate_unit", "error_occurred", "error_message", "skipped",
    "skip_message", "label", *TIMES,
}  # fmt: skip
_FAILED = {"true", "1", "error"}


def read(records: list[dict[str, Any]], tool: str, source: str, command: str) -> Held:
    """Return what the records of a file hold, one a line or object.

    A benchmark with repetitions has them; one without has its median, else its mean.
    """
    kinds = _kinds([str(r.get("name", "")) for r in records])
    runs: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for record, (stem, ending) in zip(records, kinds, strict=True):
        kind = ending
        if "run_type" in record or record.get("aggregate_name"):
            kind = as_text(record.get("aggregate_name") or "")
        name = as_text(record.get("run_name") or (stem if kind else record["name"]))
        runs.setdefault(name, []).append((kind, record))
    rows = [row for name, found in runs.items() for row in _rows(name, found)]
    arguments = dict.fromkeys(
        name for row in rows for name in row.keys if name.startswith("arg")
    )
    synonyms = {f"contender {head}": BENCHMARK for head in ("name", "run_name")}
    if len(arguments) == 1:
        (only,) = arguments
        synonyms |= {f"axis {head}": only for head in ("name", "run_name", "size")}
    by_hand = sum(name.endswith("/manual_time") for name in runs)
    notes: tuple[str, ...] = ()
    if 0 < by_hand < len(runs):
        notes = (f"{by_hand:,} of {len(runs):,} are timed by hand (manual_time)",)
    every = with_parts(rows)
    return Held(tool, source, command, every, TIMES, synonyms, notes=notes)


def _kinds(names: list[str]) -> list[tuple[str, str]]:
    """Split off the statistic at the end of each name, where several end alike.

    A benchmark may well be called BM_max; its statistics come in several.
    """
    split: list[tuple[str, str]] = []
    stems: dict[str, set[str]] = {}
    for name in names:
        match = _ENDING.fullmatch(name)
        stem, ending = (match[1], match[2]) if match else (name, "")
        ending = ending if ending in STATISTICS else ""
        split.append((stem, ending))
        if ending:
            stems.setdefault(stem, set()).add(ending)
    known = {*names}
    return [
        (stem, ending)
        if ending and (len(stems[stem]) > 1 or (stem in known))
        else (name, "")
        for name, (stem, ending) in zip(names, split, strict=True)
    ]


def _rows(name: str, found: list[tuple[str, dict[str, Any]]]) -> list[Row]:
    """Return the rows of one benchmark with its arguments."""
    for kind in ("", *TYPICAL):
        of_kind = [record for k, record in found if k == kind]
        if of_kind:
            return [_row(name, record, kind) for record in of_kind]
    return []


def _row(name: str, record: dict[str, Any], kind: str) -> Row:
    keys = names(name)
    others = {
        key: as_text(value)
        for key, value in record.items()
        if (key not in _KNOWN or key in ("label", "threads", "repetition_index"))
        and key not in keys and isinstance(value, str | int | float)
    }  # fmt: skip
    signs = {str(record.get(n)).casefold() for n in ("error_occurred", "skipped")}
    if signs & _FAILED:
        why = record.get("error_message") or record.get("skip_message") or "no reason"
        return Row(keys, {}, f"failed: {as_text(why)}", others)
    unit = SECONDS.get(str(record.get("time_unit", "ns")))
    if unit is None:
        return Row(keys, {}, f"time_unit = {record.get('time_unit')!r}", others)
    times: dict[str, tuple[float, ...]] = {}
    whys: list[str] = []
    for metric in TIMES:
        if record.get(metric) in (None, ""):
            continue
        values, why = checked([record[metric]], unit)
        times |= {metric: values} if values else {}
        whys += [f"{metric} = {why}"] if why else []
    for key in others.keys() - _KNOWN:
        values, why = checked([others[key]])
        if values and not why:
            times.setdefault(key, values)
    why = "" if TIMES[0] in times else "; ".join(whys) or "no real_time"
    return Row(keys, times, why, others, kind)


def names(name: str) -> dict[str, str]:
    """Split a name at its slashes: numbers and `key:value` are arguments."""
    words: list[str] = []
    keys: dict[str, str] = {}
    number = 0
    for part in _split(name):
        key, colon, value = part.partition(":")
        if part in _CLOCKS or (colon and key in _RUNS):
            continue
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", part) and words:
            number += 1
            keys[f"arg{number}"] = part
        elif colon and re.fullmatch(r"[A-Za-z_][\w .-]*", key) and value[:1] != ":":
            keys[key if key != BENCHMARK else "arg_benchmark"] = value
        else:
            words.append(part)
    return {BENCHMARK: "/".join(words), **keys}


def _split(name: str) -> list[str]:
    """Split at slashes that are in no brackets."""
    parts, depth = [""], 0
    for c in name.strip('"'):
        depth += (c in "<({[") - (c in ">)}]")
        if c == "/" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part for part in parts if part]

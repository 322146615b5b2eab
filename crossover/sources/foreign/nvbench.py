"""nvbench's JSON and CSV -> rows of times, one a state.

The axes are columns, beside the benchmark and the device. `recognise` calls this.
"""

import re
from collections.abc import Iterable
from typing import Any

from crossover.sources.foreign.held import (
    BENCHMARK,
    SECONDS,
    Held,
    Row,
    as_text,
    checked,
    column_name,
    with_parts,
)

JSON, CSV = "nvbench's JSON", "nvbench's CSV"
HEADS = ("Benchmark", "Device", "Device Name")
SKIPPED, NAME, DEVICE, POWER = "Skipped", "Device Name", "Device", " (pow2)"
METRICS = ("GPU Time", "CPU Time", "Batch GPU")
TAGS = {
    "nv/cold/time/gpu/mean": METRICS[0],
    "nv/cold/time/cpu/mean": METRICS[1],
    "nv/cpu_only/time/cpu/mean": METRICS[1],
    "nv/batch/time/gpu/mean": METRICS[2],
}
_UNIT = re.compile(r"(.+) \((sec|elem/sec|bytes/sec|bytes|%|Hz)\)")
_STATISTICS = {"Samples", "Noise", "Elem/s", "GlobalMem BW", "BWUtil"}
_OLD = {
    "Average GPU Time (Cold)": METRICS[0],
    "Average CPU Time (Cold)": METRICS[1],
    "Average GPU Time (Batch)": METRICS[2],
}
"""What the times were called before the summaries had tags."""
_MEAN = "mean"


def read_json(fields: dict[str, Any], source: str, command: str) -> Held:
    """Return what a file of JSON holds, of any version."""
    devices = {
        as_text(device.get("id")): as_text(device.get("name"))
        for device in _dicts(fields.get("devices"))
    }
    rows = [
        _state(as_text(bench.get("name")), state, devices)
        for bench in _dicts(fields.get("benchmarks"))
        for state in _dicts(bench.get("states"))
    ]
    return _held(rows, JSON, source, command)


def _dicts(value: object) -> list[dict[str, Any]]:
    """Return the objects in a list, or in an object by their names."""
    if isinstance(value, dict):
        value = [
            {"name": name, **v} for name, v in value.items() if isinstance(v, dict)
        ]
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _state(name: str, state: dict[str, Any], devices: dict[str, str]) -> Row:
    device = as_text(state.get("device"))
    keys = {BENCHMARK: name, NAME: devices.get(device, device), DEVICE: device}
    for axis in _dicts(state.get("axis_values")):
        key = column_name(as_text(axis.get("name")), keys)
        keys[key] = as_text(axis.get("value"))
    if state.get("is_skipped"):
        why = as_text(state.get("skip_reason") or "no reason")
        return Row(keys, why=f"skipped: {why}")
    times: dict[str, tuple[float, ...]] = {}
    for summary in _dicts(state.get("summaries")):
        metric = TAGS.get(str(summary.get("tag"))) or _OLD.get(str(summary.get("name")))
        held = summary.get("data") or summary.get("values")
        for value in _dicts(held) if metric else ():
            if value.get("name") == "value":
                kept, _ = checked([value.get("value")])
                times |= {str(metric): kept} if kept else {}
    return Row(keys, times, "" if times else "no time", statistic=_MEAN)


def read_csv(heads: list[str], table: Iterable[list[str]], source: str, command: str
) -> Held:  # fmt: skip
    """Return what a CSV file holds.

    Axes of a later benchmark stand behind the times of the first.
    """
    own = {head: i for i, head in reversed([*enumerate(heads)])}
    settings = {
        i: head
        for i, head in enumerate(heads)
        if head not in (*HEADS, SKIPPED)
        and head.removesuffix(POWER) not in {*heads} - {head}
        and not _is_statistic(head)
    }
    rows = []
    for cells in table:
        keys = {head: cells[own[head]] for head in (NAME, DEVICE)}
        keys = {BENCHMARK: cells[own["Benchmark"]], **keys}
        for i, head in settings.items():
            if cells[i] != "":
                keys[column_name(head, keys)] = cells[i]
        if cells[own[SKIPPED]].strip().casefold() == "yes" if SKIPPED in own else False:
            rows.append(Row(keys, why="skipped"))
            continue
        times: dict[str, tuple[float, ...]] = {}
        whys: list[str] = []
        for i, head in enumerate(heads):
            match = _UNIT.fullmatch(head)
            if match and match[2] == "sec" and cells[i] != "":
                kept, why = checked([cells[i]], SECONDS["s"])
                times |= {match[1]: kept} if kept else {}
                whys += [f"{head} = {why}"] if why else []
        rows.append(Row(keys, times, "; ".join(whys) or ("" if times else "no time"),
                        statistic=_MEAN))  # fmt: skip
    return _held(rows, CSV, source, command)


def _is_statistic(head: str) -> bool:
    return head in _STATISTICS or _UNIT.fullmatch(head) is not None


def _held(rows: list[Row], tool: str, source: str, command: str) -> Held:
    names = dict.fromkeys(name for row in rows for name in row.times)
    metrics = (*METRICS, *(name for name in names if name not in METRICS))
    return Held(
        tool, source, command, with_parts(rows), metrics,
        synonyms={
            "Benchmark": BENCHMARK,
            **{f"{name} (sec)": name for name in names},
        },
    )  # fmt: skip

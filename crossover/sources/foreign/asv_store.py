"""asv's results folder of any suite -> rows of times.

A benchmark's parameters are columns, beside its name, machine, environment and commit.
Result files of either format are read. `crossover report` calls this.
"""

import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossover.files.untrusted import InputError, read_bytes
from crossover.sources.asv_files import check_version, result_files
from crossover.sources.foreign.held import (
    BENCHMARK,
    FUNCTION,
    SECONDS,
    SUITE,
    WHERE,
    Held,
    Row,
    as_text,
    checked,
    column_name,
    is_nan,
    with_parts,
)
from crossover.sources.json_file import read_object

TOOL = "asv's results"
TIME = "time"
OWN = (BENCHMARK, SUITE, FUNCTION, *WHERE)
MOST_COMBINATIONS = 1_000_000
MOST_COMMITS = 20
"""At most this many commits of a store are read, the newest ones."""
_DATE = re.compile(rb'"date": ?([0-9]{1,15})\b')
FAILED, SKIPPED = "failed in asv", "n/a in asv: skipped there, or not selected"
_TIMED = re.compile("(time|timeraw)(_.*)?|(time|timeraw)[A-Z].*", re.IGNORECASE)
_UNITS = {**SECONDS, "seconds": 1.0, "second": 1.0, "sec": 1.0, "milliseconds": 1e-3,
          "microseconds": 1e-6, "nanoseconds": 1e-9}  # fmt: skip
_NUMBERED = r"(?P<number> \(\d+\))?"
"""asv numbers parameters that are written alike."""
_QUOTED = re.compile(rf"(['\"])(?P<name>.*)\1{_NUMBERED}", re.DOTALL)
_NUMPY = re.compile(r"(?:np|numpy)\.\w+\((.*)\)", re.DOTALL)
_OBJECT = re.compile(
    "<(?:function|class|bound method|built-in function) '?(?P<name>[^' >]+)'?[^>]*>"
    + _NUMBERED
)


def read_store(references: Sequence[str], command: str) -> Held:
    """Read results folders, machines' folders or files, each with @COMMIT or without.

    What cannot be read is left out, unless it is a file or commit that was named.

    Raises:
        InputError: when nothing can be read.
    """
    found: list[tuple[float, list[Row]]] = []
    left_out: list[str] = []
    notes: list[str] = []
    for reference in references:
        files, commit = result_files(reference)
        files, of_all = _newest(files) if not commit else (files, "")
        notes += filter(None, [of_all])
        known: dict[Path, dict[str, Any]] = {}
        for file in files:
            try:
                fields = _result(file)
                if not is_of_commit(file, fields, commit):
                    continue
                described = _described(file.parent.parent, known, left_out)
                rows, broken = _rows(file, fields, described)
            except InputError as error:
                if commit or Path(reference) == file:
                    raise
                left_out.append(str(error))
                continue
            left_out += broken
            found.append((_date(fields), rows))
    if not found and left_out:
        raise InputError(left_out[0])
    found.sort(key=lambda pair: pair[0])
    return Held(
        TOOL, " ".join(references), command,
        with_parts([row for _, rows in found for row in rows]),
        (TIME,), left_out=tuple(left_out), notes=tuple(notes),
    )  # fmt: skip


def _newest(files: list[Path]) -> tuple[list[Path], str]:
    """Return the files of the newest commits, and in words that they are not all.

    Their dates are looked for in the text: to read all would take much longer.
    """
    commits = {file: file.stem.partition("-")[0] for file in files}
    n = len({*commits.values()})
    if n <= MOST_COMMITS:
        return files, ""
    dates: dict[str, int] = {}
    for file, commit in commits.items():
        dates[commit] = max(_date_in(file), dates.get(commit, 0))
    newest = {*sorted(dates, key=dates.__getitem__)[-MOST_COMMITS:]}
    kept = [file for file in files if commits[file] in newest]
    return kept, f"the newest {MOST_COMMITS} of {n:,} commits (name others: DIR@COMMIT)"


def _date_in(file: Path) -> int:
    """Return the date of a file's commit, 0 if it has none that is found."""
    try:
        match = _DATE.search(read_bytes(file))
    except (OSError, InputError):
        return 0
    return int(match[1]) if match else 0


def is_of_commit(file: Path, fields: dict[str, Any], commit: str) -> bool:
    """Tell whether a result file is of a commit, named by its hash or the file's."""
    has_hash = str(fields["commit_hash"]).startswith(commit)
    return has_hash or file.stem.startswith(commit)


def _result(file: Path) -> dict[str, Any]:
    fields = read_object(file)
    check_version(file, fields)
    if not isinstance(fields["results"], dict):
        raise InputError(f"{file}: results: must be an object")
    return fields


def _date(fields: dict[str, Any]) -> float:
    date = fields.get("date")
    is_number = isinstance(date, int | float) and abs(date) < 1e15
    return float(date) if is_number else math.inf  # type: ignore[arg-type]


def _described(
    folder: Path, known: dict[Path, dict[str, Any]], left_out: list[str]
) -> dict[str, Any]:
    """Return benchmarks.json of a store, read once; without it names are unknown."""
    if folder not in known:
        file = folder / "benchmarks.json"
        try:
            known[folder] = read_object(file) if file.exists() else {}
        except InputError as error:
            known[folder] = {}
            left_out.append(str(error))
    return known[folder]


def _rows(
    file: Path, fields: dict[str, Any], described: dict[str, Any]
) -> tuple[list[Row], list[str]]:
    """Return the rows of one file, and what of it cannot be read."""
    rows: list[Row] = []
    broken: list[str] = []
    columns = fields.get("result_columns")
    columns = columns if isinstance(columns, list) else []
    params = fields.get("params")
    machine = params.get("machine") if isinstance(params, dict) else None
    commit, _, environment = file.stem.partition("-")
    where = {
        "machine": str(machine or file.parent.name),
        "environment": str(fields.get("env_name") or environment),
        "commit": commit,
    }
    for name, value in fields["results"].items():
        entry = described.get(name)
        entry = entry if isinstance(entry, dict) else {}
        unit = _unit(name, entry)
        if unit is None:
            continue
        parts = _parts(value, columns)
        version = fields.get("benchmark_version")
        if "version" not in parts and isinstance(version, dict):
            parts["version"] = version.get(name)
        suite, _, function = name.rpartition(".")
        own = {BENCHMARK: name, SUITE: suite, FUNCTION: function}
        try:
            rows += _of_benchmark(parts, entry, own, where, unit)
        except ValueError as error:
            broken.append(f"{file}: results.{name}: {error}")
    return rows, broken


def _unit(name: str, entry: dict[str, Any]) -> float | None:
    """Return the seconds of a benchmark's unit; None where it measures no time."""
    kind = entry.get("type")
    function = name.rpartition(".")[2]
    if kind in ("time", "timeraw") or (kind is None and _TIMED.fullmatch(function)):
        return _UNITS.get(str(entry.get("unit", "seconds")).casefold(), 1.0)
    return _UNITS.get(str(entry.get("unit", "")).casefold()) if kind else None


def _parts(value: Any, columns: list[Any]) -> dict[str, Any]:
    """Return a benchmark's results in one form, whichever format the file has."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list) and columns:
        return {str(c): v for c, v in zip(columns, value, strict=False)}
    return {"result": value if isinstance(value, list) else [value], "params": []}


def _of_benchmark(
    value: dict[str, Any], entry: dict[str, Any], own: dict[str, str],
    where: dict[str, str], unit: float,
) -> list[Row]:  # fmt: skip
    """Return a row for each combination of a benchmark's parameters.

    Raises:
        ValueError: saying what is wrong with it.
    """
    params = value.get("params") or []
    if not (isinstance(params, list) and all(isinstance(p, list) for p in params)):
        raise ValueError("params: must be lists")
    n = math.prod(map(len, params))
    if n > MOST_COMBINATIONS:
        raise ValueError(f"combinations = {n:,}: must be at most {MOST_COMBINATIONS:,}")
    results, samples = value.get("result"), value.get("samples")
    if results is None:
        results = [None] * n
    if not isinstance(results, list):
        results = [results]
    if len(results) != n:
        raise ValueError(f"result: length = {len(results)}: must be {n}")
    if not (isinstance(samples, list) and len(samples) == n):
        samples = [None] * n
    names = _names(entry, len(params))
    where = {**where, "version": str(value.get("version") or "")[:8]}
    rows = []
    texts = itertools.product(*map(_plain, params))
    for text, result, of in zip(texts, results, samples, strict=True):
        keys = {**dict(zip(names, text, strict=True)), **own, **where}
        rows.append(_row(keys, result, of, unit))
    return rows


def _names(entry: dict[str, Any], n: int) -> list[str]:
    """Return the parameters' names; asv calls those without one param1, param2."""
    known = entry.get("param_names")
    if not (isinstance(known, list) and len(known) == n and all(known)):
        known = [f"param{i}" for i in range(1, n + 1)]
    names: list[str] = []
    for name in map(str, known):
        names.append(column_name(name, [*OWN, *names]))
    return names


def _plain(texts: list[Any]) -> list[str]:
    """Return parameters as they are typed, or as they are where that is ambiguous."""
    found = [as_text(plain(str(text))) for text in texts]
    return found if len({*found}) == len(found) else list(map(as_text, texts))


def plain(text: str) -> str:
    """Return a parameter as it is typed: without quotes, an object by its name."""
    if match := _NUMPY.fullmatch(text):
        text = match[1]
    match = _QUOTED.fullmatch(text) or _OBJECT.fullmatch(text)
    return match["name"] + (match["number"] or "") if match else text


def _row(keys: dict[str, str], result: Any, samples: Any, unit: float) -> Row:
    if result is None:
        return Row(keys, why=FAILED)
    if is_nan(result):
        return Row(keys, why=SKIPPED)
    if isinstance(samples, list) and samples:
        times, why = checked(samples, unit)
        return Row(keys, {TIME: times} if times else {}, why)
    times, why = checked([result], unit)
    return Row(keys, {TIME: times} if times else {}, why, statistic="median")

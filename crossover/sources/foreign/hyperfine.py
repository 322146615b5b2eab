"""hyperfine's JSON and CSV -> rows of times.

A sweep's parameters are columns. Without any, the numbers in the commands are, and what
is left of a command is a contender. `recognise` calls this.
"""

import re
from typing import Any

from crossover.sources.foreign.held import (
    BENCHMARK,
    COMMAND,
    Held,
    Row,
    as_text,
    checked,
    size_of,
    with_parts,
)

JSON, CSV = "hyperfine's JSON", "hyperfine's CSV"
HEADS = {"command", "mean", "stddev", "user", "system", "min", "max"}
PARAMETER = "parameter_"
METRICS = ("times", "median", "mean")
_OTHERS = ("min", "max", "user", "system")
_NUMBER = re.compile(r"(?:(--?[\w-]+|[A-Za-z_]\w*)=)?([0-9][0-9_.eE+^*]*)")
_OPTION = re.compile(r"--?([A-Za-z][\w-]*)")


def read(records: list[dict[str, Any]], tool: str, source: str, command: str) -> Held:
    """Return what the results of a file hold, one a command."""
    parameters = [_parameters(record) for record in records]
    is_swept = any(parameters)
    rows = [
        _row(record, of, is_swept)
        for record, of in zip(records, parameters, strict=True)
    ]
    names = dict.fromkeys(name for of in parameters for name in of)
    synonyms = {PARAMETER + name: name for name in names}
    synonyms |= {f"contender {BENCHMARK}": COMMAND}
    return Held(tool, source, command, with_parts(rows), METRICS, synonyms=synonyms)


def _parameters(record: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of a result; the command measured beside has none.

    Before parameters had names in the file, the only one was called `parameter`.
    """
    found = record.get("parameters")
    if not isinstance(found, dict):
        found = {
            key.removeprefix(PARAMETER): value
            for key, value in record.items()
            if key == "parameter" or key.startswith(PARAMETER)
        }
    return {
        str(key): as_text(value)
        for key, value in found.items()
        if value not in (None, "")
    }


def _row(record: dict[str, Any], parameters: dict[str, str], is_swept: bool) -> Row:
    words = as_text(record.get(COMMAND, "")).split()
    if is_swept:
        keys = {**parameters, COMMAND: _template(words, parameters)}
    else:
        keys = _numbers(words)
    times: dict[str, tuple[float, ...]] = {}
    whys: list[str] = []
    values = record.get("times")
    if isinstance(values, list) and values:
        values, failed = _succeeded(values, record.get("exit_codes"))
        kept, why = checked(values)
        times |= {"times": kept} if kept else {}
        whys += filter(None, [failed, why])
        statistic = ""
    else:
        statistic = "median" if record.get("median") not in (None, "") else "mean"
    for name in (*METRICS[1:], *_OTHERS):
        kept, _ = checked([record.get(name)])
        times |= {name: kept} if kept else {}
    if not {*METRICS} & {*times}:
        whys.append("no time")
    return Row(keys, times, "; ".join(whys), statistic=statistic)


def _succeeded(values: list[Any], codes: object) -> tuple[list[Any], str]:
    """Leave out the times of runs that ended with an error."""
    if not isinstance(codes, list) or len(codes) != len(values):
        return values, ""
    kept = [value for value, code in zip(values, codes, strict=True) if code == 0]
    n = len(values) - len(kept)
    return kept, f"{n} of {len(values)} runs failed" if n else ""


def _template(words: list[str], parameters: dict[str, str]) -> str:
    """Return a command with the numbers of its parameters as `{name}`."""
    sizes = {v: k for k, v in parameters.items() if size_of(v) is not None}
    return " ".join(
        "=".join(f"{{{sizes[p]}}}" if p in sizes else p for p in word.split("="))
        for word in words
    )


def _numbers(words: list[str]) -> dict[str, str]:
    """Return the numbers in a command, by the options before them, and the rest."""
    keys: dict[str, str] = {}
    rest = []
    for i, word in enumerate(words):
        match = _NUMBER.fullmatch(word)
        if match is None or i == 0 or size_of(match[2]) is None:
            rest.append(word)
            continue
        before = match[1] or (words[i - 1] if _OPTION.fullmatch(words[i - 1]) else "")
        plain = before.lstrip("-")
        name, n = plain or "number", 1
        while name in keys or name == COMMAND:
            n += 1
            name = f"{plain or 'number'}{n}"
        keys[name] = match[2]
        rest.append(f"{match[1]}={{{name}}}" if match[1] else f"{{{name}}}")
    return {**keys, COMMAND: " ".join(rest)}

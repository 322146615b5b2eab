"""A recorded spec as the TOML that asks for the same run again, and a BibTeX entry."""

import calendar
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from crossover.nouns import Run
from crossover.spec.spec import Spec


def spec_toml(spec: Spec) -> str:
    """Return a spec as TOML, its sweeps last; what is None is left out."""
    fields = spec.model_dump(mode="json")
    sweeps = fields.pop("sweep")
    blocks = [_pairs(fields), *("[[sweep]]\n" + _pairs(sweep) for sweep in sweeps)]
    return "\n\n".join(blocks) + "\n"


def _pairs(table: Mapping[str, object]) -> str:
    return "\n".join(
        f"{key} = {_value(value)}" for key, value in table.items() if value is not None
    )


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if v is not None}
        inner = (f"{json.dumps(k)} = {_value(v)}" for k, v in kept.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    # JSON's texts, numbers and truth values are TOML's, but for this character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def bibtex(run: Run) -> str:
    """Return a BibTeX entry for a run; the date is that of its first measurement."""
    version = run.machine.versions.get("softmax-crossover", "")
    started = min(
        (m.started_utc for m in run.measurements if m.started_utc), default=""
    )
    fields = {
        "title": f"Crossover report {run.run_id}: {run.machine.cpu}",
        "howpublished": f"softmax-crossover {version}, "
        f"commit {run.commit or 'unknown'}",
        "note": f"{len(run.measurements):,} measurements on {run.machine.cores_text}, "
        f"torch {run.machine.versions.get('torch', 'unknown')}, machine "
        f"{run.machine.fingerprint}",
    }
    lines = [f"  {key} = {{{_tex(value)}}}," for key, value in fields.items()]
    with suppress(ValueError):  # a stranger's run may have no date
        when = date.fromisoformat(started[:10])
        month = calendar.month_abbr[when.month].lower()
        lines.append(f"  year = {{{when.year}}},\n  month = {month},")
    key = "".join(c for c in run.run_id if c.isalnum() or c == "-") or "crossover"
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _tex(text: str) -> str:
    """Escape what TeX would read as a command."""
    special = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": "/", "~": " ", "^": " "}
    return "".join(special.get(c, c) for c in text)

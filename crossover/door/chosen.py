"""Whom to pick, by results as people hold them, and the file to ship it in."""

import os
from pathlib import Path
from typing import Any

from crossover.choose.data import Seen, Timed, choice_data
from crossover.choose.export import exported
from crossover.choose.zones import answer_zones
from crossover.analysis.flags import doubts
from crossover.files.atomic import write_atomically
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, shown
from crossover.sources.table.analyse import Analysed

FORMS = {".json": "json", ".py": "python"}
"""What a file holds, by how its name ends."""


def data_of_table(found: Analysed) -> dict[str, Any]:
    """Return the data of a `Choice` among the contenders of a table.

    Raises:
        InputError: if it holds no time.
    """
    asked = found.pairs[0][0]
    timed = tuple(
        Timed((size,), group, curve.contender, dict(enumerate(seconds)))
        for group, curves in found.curves.items()
        for curve in curves
        for size, seconds in zip(curve.sizes, curve.times, strict=True)
    )
    if not timed:
        raise InputError("table: holds no time")
    verdicts = {
        (one.group, (zone.size,), pair.baseline, pair.challenger): zone.name
        for pair, answers in found.pairs
        for one in answers
        for zone in one.answer.zones
        if zone.has_verdict
    }
    confidence = next((a.answer.confidence for a in found.answers), None) or 0.95
    seen = Seen((asked.axis,), asked.by, timed, confidence, verdicts=verdicts)
    raised = {flag: None for one in found.answers for flag in one.answer.flags}
    return choice_data(
        seen,
        has_unit=found.has_unit,
        confidence=confidence,
        again="time it here, and analyse the times again",
        doubts=[*doubts(raised).values()],
        zones=[
            {
                "axis": pair.axis,
                "at": dict(zip(pair.by, one.group, strict=True)),
                "baseline": pair.baseline,
                "challenger": pair.challenger,
                **answer_zones(one.answer),
            }
            for pair, answers in found.pairs
            for one in answers
        ],
    )


def write_export(data: dict[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write what picking needs to a file: JSON, or Python, as its name ends.

    Raises:
        InputError: for another name, or when it cannot be written.
    """
    file = Path(os.fspath(path))
    form = FORMS.get(file.suffix)
    if form is None:
        raise InputError(f"path = {shown(str(file))}: must end in .json or .py")
    with refusing("path", file):
        write_atomically(file, exported(data, form))
    return file

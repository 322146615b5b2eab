"""Whom to pick, by results as people hold them, and the file to ship it in."""

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from crossover.analysis.flags import doubts
from crossover.choose.data import Seen, Timed, Where, choice_data
from crossover.choose.export import exported
from crossover.choose.zones import answer_zones
from crossover.crossing.answer import Settings
from crossover.files.atomic import write_atomically
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, shown
from crossover.sources.table.analyse import Analysed
from crossover.sources.table.pairs import MOST_ROUNDS
from crossover.sources.table.rows import Table
from crossover.sources.table.text.units import named_unit
from crossover.sources.table.told import Answered

FORMS = {".json": "json", ".py": "python"}
"""What a file holds, by how its name ends."""
OF_CROSSING = {
    "coarse_grid", "definitions_disagree", "flat_crossing", "minimum_disagrees",
    "wider_than_asked", "wrong_way_round", "alone",
}  # fmt: skip
"""Flags of an answer that say nothing of a time."""


def seen_in_table(found: Analysed) -> Seen:
    """Return all times of a table's contenders.

    Raises:
        InputError: if it holds none.
    """
    asked = found.pairs[0][0]
    timed = tuple(_timed(found).values())
    if not timed:
        raise InputError("table: holds no time of the contenders")
    verdicts: dict[Where, str] = {
        (one.group, (_whole(zone.size),), pair.baseline, pair.challenger): zone.name
        for pair, answers in found.pairs
        for one in answers
        for zone in one.answer.zones
        if zone.has_verdict
    }
    known = (one.answer.confidence for one in found.answers)
    confidence = next(filter(None, known), Settings().confidence)
    return Seen((asked.axis,), asked.by, timed, confidence, verdicts=verdicts)


def data_of_table(found: Analysed) -> dict[str, Any]:
    """Return the data of a `Choice` among the contenders of a table."""
    seen = seen_in_table(found)
    return choice_data(
        seen,
        has_unit=None not in map(_unit, found.pairs, found.tables),
        confidence=seen.confidence,
        again="time all again here, and analyse these times",
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


def _timed(found: Analysed) -> dict[Hashable, Timed]:
    """Return each contender's times at each size of each group, once."""
    timed: dict[Hashable, Timed] = {}
    key: Any
    for pair, table in zip(found.pairs, found.tables, strict=True):
        asked, answers = pair
        raised = {one.group: doubts(one.answer.flags) for one in answers}
        unit = _unit(pair, table) or 1.0
        keys = [*asked.by, asked.axis, asked.contender]
        for key, times in table.rows.groupby(keys, sort=False)[asked.time]:
            *by, size, who = key
            group = tuple(map(str, by))
            said = [w for n, w in raised[group].items() if n not in OF_CROSSING]
            seconds: dict[Hashable, float] = {
                number: unit * value
                for number, value in enumerate(times.head(MOST_ROUNDS))
            }
            one = Timed((_whole(size),), group, str(who), seconds, tuple(said))
            timed.setdefault((group, size, who), one)
    return timed


def _unit(pair: Answered, table: Table) -> float | None:
    """Return the seconds of the unit that times are in; None if nobody knows it."""
    asked, _ = pair
    if asked.higher_is_better:
        return None
    return 1.0 if table.has_unit else named_unit(asked.time)


def _whole(size: float) -> float:
    """Return a size that is a whole number as one, as it is written."""
    return int(size) if float(size).is_integer() else float(size)


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

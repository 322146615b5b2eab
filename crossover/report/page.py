"""report.html: one self-contained page, every number of it marked with its CSV cell."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from crossover.analysis.crossover import incomplete
from crossover.analysis.frame import Derived, Frames, records
from crossover.analysis.sweeps import is_along
from crossover.findings import Crossover
from crossover.nouns import Run
from crossover.report import cells
from crossover.report.cells import Row, marked
from crossover.report.pictures.embed import Shown, embedded
from crossover.report.spec_text import bibtex, spec_toml
from crossover.report.tables import (
    NOT_MEASURED,
    flags_explained,
    not_measured,
    simulated_devices,
)
from crossover.report.template import environment, shipped
from crossover.report.words.sentences import answer, doubtful, fixed_parts, people
from crossover.workloads.workload import Size

MOST_ROWS = 300
"""Of one table, and sentences; the rest is in the CSV beside the page."""
MOST_NUMBERS = 1000
"""Rows under the pictures, of all sweeps together."""
OUTCOMES = {
    "found": "not ahead at the smallest size, ahead at the largest.",
    "always": "ahead at the smallest size already: the crossover lies below it.",
    "never": "still behind at the largest size.",
    "not_monotone": "the lead changes more than once, or is lost; the crossings are "
    "under the flags.",
    "inconclusive": "the noise is larger than the difference, or the interval is wider "
    "than asked.",
    "not_measured": "it did not run here; the reason is under the flags.",
}


@dataclass(frozen=True)
class Numbers:
    """The times and speedups of one sweep."""

    place: int
    title: Markup
    along: Size
    estimates: list[Row]
    speedups: list[Row]
    left_out: int


def page(
    run: Run,
    derived: Derived,
    tables: Frames,
    pictures: Sequence[Shown],
    partial: bool = False,
) -> str:
    """Return report.html.

    Args:
        run: what was measured.
        derived: what follows from it.
        tables: the same as written to the CSV files.
        pictures: in the order in which they are shown.
        partial: the run was interrupted.
    """
    script = shipped("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found = derived.crossovers
    crossovers = _rows("crossovers", records(tables.crossovers), found)
    answers = [row for row in crossovers if _is_answer(row.noun)]
    numbers = _numbers(derived, tables, crossovers)
    templates = environment()
    templates.filters |= {"answer": _answer, "over": _over, "doubtful": doubtful}
    return templates.get_template("report.html").render(
        run=run,
        workload=run.spec.declared,
        partial=partial,
        lacks=incomplete(run, found),
        simulated=simulated_devices(run),
        script=Markup(script),
        script_hash=digest,
        style=Markup(shipped("page.css")),
        answers=_by_sweep(answers[:MOST_ROWS]),
        answers_left=len(answers) - MOST_ROWS,
        missing=not_measured(found),
        crossovers=crossovers,
        estimates=_rows("estimates", records(tables.estimates[:MOST_ROWS])),
        estimates_count=len(tables.estimates),
        break_evens=_rows("breakeven", records(tables.breakeven[:MOST_ROWS])),
        break_evens_count=len(tables.breakeven),
        costs=_rows("costs", records(tables.costs[:MOST_ROWS])),
        costs_count=len(tables.costs),
        extrapolated=_extrapolated(tables)[:MOST_ROWS],
        pictures=embedded(pictures),
        numbers={n.place: n for n in numbers},
        flags=flags_explained(
            [
                *(c.flags for c in found),
                *(b.flags for b in derived.break_evens),
                *(e.flags for e in derived.estimates),
                *(c.flags for c in derived.costs),
            ]
        ),
        outcomes=OUTCOMES,
        toml=spec_toml(run.spec),
        bibtex=bibtex(run),
        most=MOST_ROWS,
        has_energy=any(m.samples_j for m in run.measurements),
        c=cells,
    )


def _rows(
    file: str,
    values: Sequence[Mapping[str, object]],
    found: Sequence[Crossover | None] | None = None,
) -> list[Row]:
    """Name each row by its file and place."""
    nouns = found if found is not None else [None] * len(values)
    return [
        Row(f"{file}:{place}", row, noun)
        for place, (row, noun) in enumerate(zip(values, nouns, strict=True), start=1)
    ]


def _extrapolated(tables: Frames) -> list[Row]:
    """Return the estimates scaled up from fewer epochs that the model speaks of."""
    table = tables.estimates
    scaled = table["flags"].str.contains("extrapolated") & (table["view"] == "train")
    picked = table[scaled & table["model_s"].notna()]
    places = (int(place) + 1 for place in picked.index)
    values = zip(places, records(picked), strict=True)
    return [Row(f"estimates:{place}", row) for place, row in values]


def _is_answer(c: Crossover | None) -> bool:
    return (
        c is not None
        and c.view == "train"
        and c.answer.outcome != NOT_MEASURED
        and not c.is_control
    )


def _by_sweep(rows: Iterable[Row]) -> list[tuple[Markup, list[Row]]]:
    """Group answers under the axis and fixed values of their sweeps."""
    groups: dict[str, tuple[Markup, list[Row]]] = {}
    for row in rows:
        title = _over(row)
        plain = title.striptags()
        groups.setdefault(plain, (title, []))[1].append(row)
    return list(groups.values())


def _over(row: Row) -> Markup:
    """Return what a crossover's sizes run over, and the values held fixed."""
    if row.noun is None:
        return Markup("")
    return marked(row.key, row.values, fixed_parts(row.noun.axis, row.noun.line))


def _answer(row: Row) -> Markup:
    """Return a crossover's answer, contenders named as people do."""
    if row.noun is None:
        return Markup("")
    baseline, challenger = people(row.noun.baseline, row.noun.challenger)
    parts = answer(row.noun, baseline, challenger)
    first = parts[0]
    if isinstance(first, str):
        parts = (first[:1].upper() + first[1:], *parts[1:])
    return marked(row.key, row.values, parts)


def _numbers(
    derived: Derived, tables: Frames, crossovers: Sequence[Row]
) -> list[Numbers]:
    """Return what the pictures of each sweep show, in the view `train`."""
    estimates = {
        (row.values["cell_id"], row.values["view"]): row
        for row in _rows("estimates", records(tables.estimates))
    }
    speedups = iter(_rows("speedups", records(tables.speedups)))
    shown, found = 0, []
    for place, result in enumerate(derived.sweeps["train"], start=1):
        mine = [estimates[e.cell_id, e.view] for e in result.estimates]
        pairs = [next(speedups) for _ in result.speedups]
        room = max(0, MOST_NUMBERS - shown)
        kept = mine[:room], pairs[: max(0, room - len(mine))]
        shown += len(mine) + len(pairs)
        left = len(mine) + len(pairs) - len(kept[0]) - len(kept[1])
        title = next(
            (
                _over(row)
                for row in crossovers
                if row.noun and is_along(row.noun, result.sweep)
            ),
            Markup(""),
        )
        found.append(Numbers(place, title, result.along, *kept, left))
    return found

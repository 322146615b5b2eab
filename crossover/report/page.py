"""report.html: one self-contained page, every number of it marked with its CSV cell."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from markupsafe import Markup

from crossover.analysis.crossover import incomplete
from crossover.analysis.flags import advice
from crossover.analysis.frame import Derived, Frames, records
from crossover.choose.regret import Regret, regret_table
from crossover.findings import Crossover
from crossover.nouns import Run
from crossover.report import cells
from crossover.report.cells import Row
from crossover.report.spec_text import bibtex, spec_toml
from crossover.report.tables import (
    REGRET,
    flags_explained,
    is_answer,
    not_measured,
    simulated_devices,
)
from crossover.report.words.document import Picture, shipped, templates
from crossover.report.words.latency import call_words, enough_parts
from crossover.report.words.numbers import percent, seconds
from crossover.report.words.sentences import (
    VIEW_WORDS,
    Parts,
    doubtful,
    fixed_parts,
    joined,
    whole,
)
from crossover.workloads.values import Size
from crossover.workloads.workload import Workload

MOST_ROWS = 300
"""A table shows at most this many rows, and the answers are at most this many; the
rest is in the CSV beside the page."""
MOST_NUMBERS = 1000
"""Under the pictures are at most this many rows, of all sweeps together."""
OUTCOMES = {
    "found": "not ahead at the smallest size, ahead at the largest.",
    "always": "ahead at the smallest size already: a lead begins below it.",
    "never": "shown not to be ahead at the largest size: behind or equal there.",
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
    along: Size
    estimates: list[Row]
    speedups: list[Row]
    left_out: int


def page(
    run: Run,
    derived: Derived,
    tables: Frames,
    pictures: Sequence[Picture],
    partial: bool = False,
    costs_of_picks: Sequence[Regret] = (),
) -> str:
    """Return report.html.

    Args:
        run: what was measured.
        derived: what follows from it.
        tables: the same as written to the CSV files.
        pictures: in the order in which they are shown.
        partial: the run was interrupted.
        costs_of_picks: what picking by the answers costs along each sweep.
    """
    script = shipped("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found = derived.crossovers
    crossovers = _rows("crossovers", tables.crossovers, found)
    answers = [row for row in crossovers if row.noun and is_answer(row.noun)]
    listed = ("estimates", "breakeven", "costs", "latency")
    files = {name: getattr(tables, name) for name in listed}
    raised = (
        found, derived.break_evens, derived.estimates, derived.costs,
        derived.latencies, derived.enough,
    )  # fmt: skip
    template = templates(
        advice=advice, answer=_answer, doubtful=doubtful, over=_over, c=cells,
        view_words=VIEW_WORDS, share=percent, call=call_words, time=seconds,
    ).get_template("report.html")  # fmt: skip
    return template.render(
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
        first={name: _rows(name, table[:MOST_ROWS]) for name, table in files.items()},
        count={name: len(table) for name, table in files.items()},
        extrapolated=_extrapolated(tables)[:MOST_ROWS],
        pictures=pictures,
        numbers={n.place: n for n in _numbers(derived, tables)},
        picks=_picks(costs_of_picks, run.spec.declared),
        regret=REGRET,
        flags=flags_explained(row.flags for rows in raised for row in rows),
        outcomes=OUTCOMES,
        toml=spec_toml(run.spec),
        bibtex=bibtex(run),
        most=MOST_ROWS,
        has_energy=any(m.samples_j for m in run.measurements),
        enough=_enough(derived, tables)[:MOST_ROWS],
        has_waits=any(m.waited_s is not None for m in run.measurements),
        has_items=any(e.items_per_s is not None for e in derived.estimates),
    )


def _picks(found: Sequence[Regret], workload: Workload) -> list[Row]:
    """Return the rows of regret.csv."""
    if not found:
        return []
    rows = _rows("regret", regret_table(found, workload)[:MOST_ROWS])
    return [
        replace(row, along=(one.axis, one.line))
        for row, one in zip(rows, found, strict=False)
    ]


def _rows(
    file: str, table: pd.DataFrame, found: Sequence[Crossover | None] | None = None
) -> list[Row]:
    """Name each row of a table by its file and place."""
    nouns = [None] * len(table) if found is None else found
    pairs = zip(records(table), nouns, strict=True)
    return [
        Row(f"{file}:{place}", row, noun)
        for place, (row, noun) in enumerate(pairs, start=1)
    ]


def _enough(derived: Derived, tables: Frames) -> list[tuple[Row, Parts, Parts]]:
    """Return each contender's row, up to which size it is fast enough, and of what."""
    rows = _rows("enough", tables.enough)
    return [
        (row, enough_parts(one), fixed_parts(one.axis, one.line))
        for row, one in zip(rows, derived.enough, strict=True)
    ]


def _extrapolated(tables: Frames) -> list[Row]:
    """Return the estimates scaled up from fewer epochs that the model speaks of."""
    return [
        row
        for row in _rows("estimates", tables.estimates)
        if "extrapolated" in str(row.values["flags"])
        and row.values["view"] == "train"
        and row.values["model_s"] is not None
    ]


def _by_sweep(rows: Iterable[Row]) -> list[list[Row]]:
    """Group answers by the axis and fixed values of their sweeps."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(joined(_over(row)), []).append(row)
    return list(groups.values())


def _over(row: Row) -> Parts:
    """Return what a row's sizes run over, and the values held fixed."""
    along = (row.noun.axis, row.noun.line) if row.noun else row.along
    return fixed_parts(*along) if along else ()


def _answer(row: Row) -> Parts:
    """Return a crossover's answer, contenders named as people do."""
    return whole(row.noun) if row.noun else ()


def _numbers(derived: Derived, tables: Frames) -> list[Numbers]:
    """Return what the pictures of each sweep show, in the view `train`."""
    estimates = {
        (row.values["cell_id"], row.values["view"]): row
        for row in _rows("estimates", tables.estimates)
    }
    speedups = iter(_rows("speedups", tables.speedups))
    room, found = MOST_NUMBERS, []
    for place, result in enumerate(derived.sweeps["train"], start=1):
        times = [estimates[e.cell_id, e.view] for e in result.estimates]
        pairs = [next(speedups) for _ in result.speedups]
        kept = times[:room], pairs[: max(0, room - len(times))]
        left = len(times) + len(pairs) - len(kept[0]) - len(kept[1])
        found.append(Numbers(place, result.along, *kept, left))
        room = max(0, room - len(times) - len(pairs))
    return found

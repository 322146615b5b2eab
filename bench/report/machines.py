"""Several machines in one table: machines.csv, placements.csv, machines.md and .html.

A row per machine, the crossovers side by side; then, per case, the node type to go to.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.analysis.machines import Found, Placement
from bench.atomic import write_atomically
from bench.escape import cell
from bench.journal import StoreError
from bench.nouns import Crossover, case_id
from bench.report.cells import written
from bench.report.verdict_page import Document, Section, Table, markdown, page
from bench.report.words import fixed_axis, name, number

QUESTIONS = 6
"""Crossovers side by side in one table."""
MOST_TABLES = 10
MOST_ROWS = 300
MOST_LINES = 20
"""On the terminal."""
CASE = ("samples", "features", "classes", "batch_size", "epochs")
MACHINE = ("node", "run_id", "fingerprint", "hostname", "cpu", "cores", "accelerators")
ANSWER = (
    "view", "metric", "baseline", "challenger", "outcome", "at", "low", "high",
    "confidence", "speedup_smallest", "speedup_largest", "flags",
)  # fmt: skip
PLACEMENT = (
    *CASE, "node", "contender", "median_s", "second", "second_contender", "ratio",
    "low", "high", "confidence", "shown", "also",
)  # fmt: skip
UNPAIRED = (
    "Rounds are paired within a machine alone. Between machines the intervals are "
    "unpaired (Welch's, on each machine's own rounds) and widened by what a process "
    "may be lucky by; what drifted between the machines' runs is not in them."
)


def write_machines(
    found: Sequence[Found], placed: Sequence[Placement], out: Path
) -> None:
    """Write the tables of several machines, and where each case should go.

    Raises:
        StoreError: when the folder cannot be written.
    """
    whole = document(found, placed)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "machines.csv", machines_csv(found))
        write_atomically(out / "placements.csv", placements_csv(placed))
        write_atomically(out / "machines.md", markdown(whole))
        write_atomically(out / "machines.html", page(whole))
    except OSError as error:
        raise StoreError(f"out = {str(out)!r}: {error.strerror}") from error


def terminal_lines(placed: Iterable[Placement]) -> list[str]:
    """Return a line per case that several machines measured: where it should go."""
    lines = [f"{case_id(p.case)}: {where_to(p)}" for p in placed if p.second]
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"and {more:,} cases more"] if more > 0 else [])]


def machines_csv(found: Iterable[Found]) -> str:
    """Return one row per machine and crossover."""
    rows = (
        (*_machine(f), c.axis, *_case(c), *(_field(c, field) for field in ANSWER))
        for f in found
        for c in f.crossovers
    )
    return _csv((*MACHINE, "axis", *CASE, *ANSWER), rows)


def placements_csv(placed: Iterable[Placement]) -> str:
    """Return one row per case."""
    rows = (
        (
            *(getattr(p.case, field) for field in CASE),
            *(_field(p, field) for field in PLACEMENT[len(CASE) :]),
        )
        for p in placed
    )
    return _csv(PLACEMENT, rows)


def _machine(f: Found) -> tuple[object, ...]:
    m = f.machine
    devices = ", ".join(str(a["description"]) for a in m.accelerators)
    return f.node, f.run_id, m.fingerprint, m.hostname, m.cpu, m.cores, devices


def _case(c: Crossover) -> tuple[object, ...]:
    return tuple("" if field == c.axis else getattr(c.case, field) for field in CASE)


def _field(noun: object, field: str) -> object:
    value = getattr(noun, field)
    return ";".join(value) if isinstance(value, tuple) else value


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(map(cell, row) for row in rows)
    return file.getvalue()


def document(found: Sequence[Found], placed: Sequence[Placement]) -> Document:
    """Return machines.md and machines.html in sections."""
    differ = sum(p.shown for p in placed)
    return Document(
        title="Crossovers on several machines",
        question="From which size on does it pay, and on which node type?",
        answer=f"{len(found):,} machines, {len(placed):,} cases; in {differ:,} of them "
        "one node type is shown to be the fastest.",
        reasons=UNPAIRED,
        facts="; ".join(map(_described, found[:MOST_ROWS])),
        sections=(
            Section(
                "crossovers",
                "Crossovers, a row per machine",
                ("Training alone. The interval is in brackets.",),
                tuple(_crossover_tables(found)),
            ),
            Section(
                "where",
                "Which node type should this job go to?",
                (_rest(len(placed), "placements.csv"),),
                (_placement_table(placed),) if placed else (),
            ),
        ),
    )


def _described(f: Found) -> str:
    devices = _machine(f)[-1] or "no accelerator"
    cpu = f"{f.machine.cpu}, {f.machine.cores_text}, {devices}"
    return f"{f.node}: {cpu} ({f.machine.hostname}, run {f.run_id})"


def _rest(count: int, file: str) -> str:
    said = "One row per case: the fastest contender of each machine, training alone."
    if count > MOST_ROWS:
        said += f" The first {MOST_ROWS} of {count:,} rows; all are in {file}."
    return said


def _crossover_tables(found: Sequence[Found]) -> Iterable[Table]:
    asked: dict[tuple[str, str], dict[str, str]] = {}
    for f in found:
        for c in f.crossovers:
            if c.view == "train" and c.metric == "time_s" and "control" not in c.flags:
                pair = f"{name(c.challenger)} against {name(c.baseline)}"
                column = asked.setdefault((fixed_axis(c.axis, c.case), pair), {})
                column[f.node] = _answer(c)
    columns = list(asked.items())[: QUESTIONS * MOST_TABLES]
    for start in range(0, len(columns), QUESTIONS):
        part = columns[start : start + QUESTIONS]
        rows = (
            (f.node, *(cells.get(f.node, "not asked") for _, cells in part))
            for f in found[:MOST_ROWS]
        )
        last = start + len(part)
        left = f"; {len(asked) - last:,} more in machines.csv"
        is_cut = last == len(columns) < len(asked)
        yield Table(
            f"Crossovers {start + 1} to {last}{left if is_cut else ''}",
            ("machine", *(f"{pair}, over {over}" for (over, pair), _ in part)),
            tuple(rows),
        )


def _answer(c: Crossover) -> str:
    outcome = c.outcome.replace("_", " ")
    if c.outcome == "not_measured":
        return "; ".join((outcome, *c.flags[:1]))
    if c.low is None and c.high is None and c.at is None:
        return outcome
    low = "below" if c.low is None else number(c.low)
    high = "above" if c.high is None else number(c.high)
    at = "" if c.at is None else f" {number(c.at)}"
    return f"{outcome}{at} ({low} to {high})"


def _placement_table(placed: Sequence[Placement]) -> Table:
    rows = tuple(
        (
            case_id(p.case),
            where_to(p),
            f"{p.node}, {p.contender}",
            written(p.median_s, "seconds"),
            p.second or "",
            "" if p.ratio is None else _ratio(p),
        )
        for p in placed[:MOST_ROWS]
    )
    head = "case", "go to", "fastest", "its time", "next", "takes so many times as long"
    return Table("Where to go", head, rows)


def _ratio(p: Placement) -> str:
    if p.ratio is None or p.low is None or p.high is None:
        return f"{number(p.ratio or 0)}x (too few rounds for an interval)"
    return f"{number(p.ratio)}x ({number(p.low)} to {number(p.high)})"


def where_to(p: Placement) -> str:
    """Return the answer of one case in words."""
    if p.second is None:
        return f"{p.node} (no other node type measured it)"
    if p.shown:
        return p.node
    return f"no difference shown between {', '.join((p.node, *p.also))}"

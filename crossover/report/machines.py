"""Several machines in one table: machines.csv, placements.csv, machines.md and .html.

A row per machine, the crossovers side by side; then, per case, the node type to go to.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from crossover.analysis.machines import Found, Placement
from crossover.files.atomic import write_atomically
from crossover.files.csv_file import csv_text
from crossover.files.refusals import refusing
from crossover.findings import Answer, Crossover, size_text
from crossover.nouns import field_names
from crossover.report.words.document import Document, Section, markdown, page
from crossover.report.words.names import name
from crossover.report.words.numbers import between, seconds, times
from crossover.report.words.sentences import fixed_axis, headed
from crossover.report.words.table import Table

PAIRS = 4
"""One table has at most this many pairs side by side."""
MOST_TABLES = 30
MOST_ROWS = 300
MOST_LINES = 20
"""The terminal shows at most this many cases."""
MACHINE = ("node", "run_id", "fingerprint", "hostname", "cpu", "cores", "accelerators")
PAIR = "view", "metric", "baseline", "challenger"
ANSWER = tuple(name for name in field_names(Answer) if name != "flags")
PLACEMENT = (
    "node", "contender", "median_s", "second", "second_contender", "ratio",
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
        InputError: when the folder cannot be written.
    """
    whole = document(found, placed)
    with refusing("out", out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "machines.csv", machines_csv(found))
        write_atomically(
            out / "placements.csv", placements_csv(placed, found[0].spec.declared.axes)
        )
        write_atomically(out / "machines.md", markdown(whole))
        write_atomically(out / "machines.html", page(whole))


def terminal_lines(placed: Iterable[Placement]) -> list[str]:
    """Return a line per case that several machines measured: where it should go."""
    lines = [f"{p.case.id}: {where_to(p)}" for p in placed if p.second]
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"and {more:,} cases more"] if more > 0 else [])]


def machines_csv(found: Sequence[Found]) -> str:
    """Return one row per machine and crossover."""
    sizes = found[0].spec.declared.axes
    rows = (
        (
            *_machine(f), c.axis,
            *("" if size == c.axis else c.line[size] for size in sizes),
            *(getattr(c, field) for field in PAIR),
            *(getattr(c.answer, field) for field in ANSWER),
            c.flags,
        )
        for f in found
        for c in f.crossovers
    )  # fmt: skip
    return csv_text((*MACHINE, "axis", *sizes, *PAIR, *ANSWER, "flags"), rows)


def placements_csv(placed: Iterable[Placement], sizes: Sequence[str]) -> str:
    """Return one row per case, whose sizes come first."""
    rows = (
        [*(p.case[size] for size in sizes), *(getattr(p, name) for name in PLACEMENT)]
        for p in placed
    )
    return csv_text((*sizes, *PLACEMENT), rows)


def _machine(f: Found) -> tuple[object, ...]:
    m = f.machine
    devices = ", ".join(str(a["description"]) for a in m.accelerators)
    return f.node, f.run_id, m.fingerprint, m.hostname, m.cpu, m.cores, devices


def document(found: Sequence[Found], placed: Sequence[Placement]) -> Document:
    """Return machines.md and machines.html in sections."""
    differ = sum(p.shown for p in placed)
    tables = _crossover_tables(found)
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
                (
                    "A table per sweep. Training alone; the interval is in brackets."
                    + _first(MOST_TABLES, len(tables), "tables", "machines.csv")
                    + _first(MOST_ROWS, len(found), "machines", "machines.csv"),
                ),
                tuple(tables[:MOST_TABLES]),
            ),
            Section(
                "where",
                "Which node type should this job go to?",
                (
                    "One row per case: the fastest contender of each machine, training "
                    "alone." + _first(MOST_ROWS, len(placed), "rows", "placements.csv"),
                ),
                (_placement_table(placed),) if placed else (),
            ),
        ),
    )


def _described(f: Found) -> str:
    devices = _machine(f)[-1] or "no accelerator"
    cpu = f"{f.machine.cpu}, {f.machine.cores_text}, {devices}"
    return f"{f.node}: {cpu} ({f.machine.hostname}, run {f.run_id})"


def _first(most: int, count: int, what: str, file: str) -> str:
    return f" The first {most} of {count:,} {what}; all are in {file}." * (count > most)


def _crossover_tables(found: Sequence[Found]) -> list[Table]:
    """Return a table per sweep, a row per machine, the compared pairs side by side."""
    sweeps: dict[str, dict[str, dict[str, str]]] = {}
    for f in found:
        for c in f.crossovers:
            if c.view == "train" and c.metric == "time_s" and not c.is_control:
                pair = f"{name(c.challenger)} against {name(c.baseline)}"
                pairs = sweeps.setdefault(fixed_axis(c.axis, c.line), {})
                pairs.setdefault(pair, {})[f.node] = _answer(c)
    return [
        _sweep_table(found, over, list(pairs.items())[start : start + PAIRS])
        for over, pairs in sweeps.items()
        for start in range(0, len(pairs), PAIRS)
    ]


def _sweep_table(
    found: Sequence[Found], over: str, pairs: Sequence[tuple[str, dict[str, str]]]
) -> Table:
    rows = (
        (f.node, *(answers.get(f.node, "not asked") for _, answers in pairs))
        for f in found[:MOST_ROWS]
    )
    return Table(f"Over {over}", ("machine", *(pair for pair, _ in pairs)), tuple(rows))


def _answer(c: Crossover) -> str:
    if c.answer.outcome == "not_measured":
        return "; ".join(("not measured", *c.flags[:1]))
    at = "" if c.answer.at is None else f" {size_text(c.answer.at)}"
    return f"{headed(c)}{at}{_interval(c.answer.low, c.answer.high)}"


def _interval(low: float | None, high: float | None) -> str:
    if low is None:
        return "" if high is None else f" (at most {size_text(high)})"
    if high is None:
        return f" (at least {size_text(low)})"
    return f" ({between(low, high, size_text)})"


def _placement_table(placed: Sequence[Placement]) -> Table:
    rows = tuple(
        (
            p.case.id,
            where_to(p),
            f"{p.node}, {p.contender}",
            seconds(p.median_s),
            p.second or "",
            _ratio(p),
        )
        for p in placed[:MOST_ROWS]
    )
    head = "case", "go to", "fastest", "its time", "next", "times as long"
    return Table("Where to go", head, rows)


def _ratio(p: Placement) -> str:
    if p.ratio is None:
        return ""
    if p.low is None or p.high is None:
        return f"{times(p.ratio)} (too few rounds for an interval)"
    return f"{times(p.ratio)} ({between(p.low, p.high)})"


def where_to(p: Placement) -> str:
    """Return the answer of one case in words."""
    if p.second is None:
        return f"{p.node} (no other node type measured it)"
    if p.shown:
        return p.node
    return f"no difference shown between {', '.join((p.node, *p.also))}"

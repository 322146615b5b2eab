"""The answers of a table as files: CSV, Markdown, a page, and a picture of each group.

In: what `analyse` found. Out: analyse.csv, best.csv, analyse.md, analyse.html, plots.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from crossover.analysis.panels import Grid, GridLine
from crossover.analysis.sweeps import Speedup
from crossover.files.atomic import write_atomically
from crossover.files.csv_file import csv_text
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, printable
from crossover.findings import Answer, size_text
from crossover.nouns import field_names
from crossover.report.words.document import Document, Picture, Section, markdown, page
from crossover.report.words.table import Table
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.best import Best, Curve, Key
from crossover.sources.table.told import Answered, GroupAnswer, line

MOST_PICTURES = 20
"""At most this many groups are drawn."""
MOST_COLUMNS = 12
"""The table of the fastest has at most this many sizes."""
MOST_LINES = 200
"""At most this many groups are listed in the table of the fastest."""


def write_answers(
    out: Path, pairs: Sequence[Answered], curves: dict[Key, list[Curve]],
    best: Sequence[Best], read: str,
) -> None:  # fmt: skip
    """Write what was found.

    Args:
        out: the folder.
        pairs: what was asked of each pair, and its answers.
        curves: the times of all contenders, by group.
        best: the fastest contender at each size of each group.
        read: what the table's columns were taken for.

    Raises:
        InputError: when `out` cannot be written.
    """
    with refusing("out", out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "analyse.csv", _answers_csv(pairs))
        write_atomically(out / "best.csv", _best_csv(pairs, best))
        pictures = tuple(drawn(out, pairs, curves))
        document = _document(pairs, best, pictures, read)
        write_atomically(out / "analyse.md", markdown(document))
        write_atomically(out / "analyse.html", page(document))


def _answers_csv(pairs: Sequence[Answered]) -> str:
    columns = field_names(Answer)
    rows = (
        (
            *map(printable, row.group), asked.axis, asked.baseline, asked.challenger,
            *(getattr(row.answer, column) for column in columns),
            row.sizes, row.sizes_alone,
        )
        for asked, found in pairs
        for row in found
    )  # fmt: skip
    roles = "axis", "baseline", "challenger"
    return csv_text((*pairs[0][0].by, *roles, *columns, "sizes", "sizes_alone"), rows)


def _best_csv(pairs: Sequence[Answered], best: Sequence[Best]) -> str:
    asked = pairs[0][0]
    heads = (*asked.by, asked.axis, "fastest", "median", "second", "ratio")
    rows = (
        (*map(printable, b.group), b.size, b.contender, b.seconds, b.second, b.ratio)
        for b in best
    )
    return csv_text(heads, rows)


def drawn(
    out: Path, pairs: Sequence[Answered], curves: dict[Key, list[Curve]]
) -> list[Picture]:
    """Draw each group, and each pair over two axes, as PNG and SVG."""
    from crossover.report.pictures.figures import save_all

    if (out / "plots").is_symlink():  # of a stranger: it leads anywhere
        raise InputError(f"out = {str(out)!r}: plots is a link; must be a folder")
    (out / "plots").mkdir(exist_ok=True)
    waiting = [*_groups(pairs, curves), *_maps(pairs, curves)]
    return save_all(waiting, out / "plots")


def _groups(
    pairs: Sequence[Answered], curves: dict[Key, list[Curve]]
) -> Iterator[Picture]:
    """Yield what draws each group's times and speedups."""
    from crossover.report.pictures.table import Lead, table_figure

    for number, (group, some) in enumerate([*curves.items()][:MOST_PICTURES], start=1):
        asked = pairs[0][0]
        named = zip(asked.by, group, strict=True)
        title = printable(", ".join(f"{n} = {v}" for n, v in named))
        name = f"times{number}"
        rows = [(row, a) for a, found in pairs for row in found if row.group == group]
        lines = [line(row, a) for row, a in rows]
        leads = [Lead(a.baseline, a.challenger, row.answer) for row, a in rows]
        yield Picture(
            name, title or "Times and speedups", printable("; ".join(lines)),
            "Left the medians with their quartiles, right how many times as fast each "
            "challenger is. Values: analyse.csv, best.csv.",
            draw=partial(table_figure, some, leads, asked.axis, title),
        )  # fmt: skip


def _maps(
    pairs: Sequence[Answered], curves: dict[Key, list[Curve]]
) -> Iterator[Picture]:
    """Yield each pair's speedups over size and a column of groups, if of numbers."""
    from crossover.report.pictures.captions import grid as words
    from crossover.report.pictures.grid import grid_figure

    for number, (asked, found) in enumerate(pairs[:MOST_PICTURES], start=1):
        if (grid := _grid(asked, found, curves)) is not None:
            heading, alt, _ = map(printable, words(grid))
            caption = (
                "Medians; a row a group. Dot: the size from which on the challenger is "
                "ahead; bar: its interval. Values: analyse.csv."
            )
            name = f"map{number}"
            draw = partial(grid_figure, grid)
            yield Picture(name, heading, alt, caption, draw=draw)


def _grid(
    asked: TableAsk, found: Sequence[GroupAnswer], curves: dict[Key, list[Curve]]
) -> Grid | None:
    """Return a pair's speedups over two axes, if its groups are a column of numbers."""
    values = {row.group[0]: _whole(row.group[0]) for row in found if row.group}
    sizes = [z.size for row in found for z in row.answer.zones]
    is_map = len(asked.by) == 1 and 1 < len(values) <= MOST_LINES
    if not is_map or None in values.values() or not all(map(float.is_integer, sizes)):
        return None
    pair = asked.baseline, asked.challenger
    lines = []
    for row in sorted(found, key=lambda row: values[row.group[0]] or 0):
        zones = [z for z in row.answer.zones if z.speedup is not None]
        some = [c for c in curves.get(row.group, ()) if c.contender in pair]
        counts = [dict(zip(c.sizes, c.counts, strict=True)) for c in some]
        points = tuple(
            Speedup(
                int(z.size), *pair, z.speedup or 0.0, z.low, z.high,
                row.answer.confidence or 0.0, min(of.get(z.size, 1) for of in counts),
            )
            for z in zones
        )  # fmt: skip
        if points:
            at = tuple(p.size for p in points)
            lines.append(GridLine(values[row.group[0]] or 0, at, points, row.answer))
    if len(lines) < 2:
        return None
    return Grid(asked.axis, asked.by[0], None, "train", *pair, tuple(lines))


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() and text.isascii() and len(text) < 16 else None


def _document(
    pairs: Sequence[Answered],
    best: Sequence[Best],
    pictures: tuple[Picture, ...],
    read: str,
) -> Document:
    first = pairs[0][0]
    challengers = ", ".join(asked.challenger for asked, _ in pairs)
    rows = [row for _, found in pairs for row in found]
    lines = tuple(printable(line(row, a)) for a, found in pairs for row in found)
    sections = [Section("answers", "Answers", items=lines)]
    if table := fastest_table(pairs, best):
        said = "By the medians alone; the answers above say what is shown."
        sections.append(Section("fastest", "Who is fastest where", (said,), (table,)))
    if pictures:
        sections.append(Section("pictures", "Pictures", pictures=pictures))
    question = f"From which {first.axis} on is {challengers} ahead of {first.baseline}?"
    return Document(
        printable(f"Crossovers of {challengers} against {first.baseline}"),
        printable(question),
        *_in_short(rows, lines),
        facts=read,
        sections=tuple(sections),
    )


def _in_short(rows: Sequence[GroupAnswer], lines: Sequence[str]) -> tuple[str, str]:
    """Return the answer in a few words, and what it rests on."""
    if len(rows) == 1:
        head, _, rest = lines[0].partition(": ")
        return f"{head[:1].upper()}{head[1:]}.", rest
    counts: dict[str, int] = {}
    for row in rows:
        outcome = row.answer.outcome.replace("_", " ")
        counts[outcome] = counts.get(outcome, 0) + 1
    said = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
    return f"{len(rows)} answers: {said}.", ""


def fastest_table(pairs: Sequence[Answered], best: Sequence[Best]) -> Table | None:
    """Return who is fastest, a line for each group, a column for each size."""
    asked = pairs[0][0]
    sizes = sorted({b.size for b in best})
    groups = list(dict.fromkeys(b.group for b in best))
    if not 0 < len(sizes) <= MOST_COLUMNS or len(groups) > MOST_LINES:
        return None
    found = {(b.group, b.size): b.contender for b in best}
    head = (" / ".join(asked.by) or asked.axis, *map(size_text, sizes))
    rows = tuple(
        (
            printable(" / ".join(group)) or "fastest",
            *(printable(found.get((group, size), "")) for size in sizes),
        )
        for group in groups
    )
    caption = f"Fastest by its median, by {' and '.join((*asked.by, asked.axis))}"
    return Table(printable(caption), tuple(map(printable, head)), rows, numbers=False)

"""A table as text -> rows: which character separates the cells, and where it begins.

In: a text, with the columns that it is said to have. Out: its rows; comments, empty
lines and a head that comes again are left out.
"""

import csv
import dataclasses
import io
import itertools
import re
from collections.abc import Iterator, Sequence

from crossover.files.untrusted import Unreadable, listed, printable
from crossover.sources.table.text.grid import MOST_FIELDS, MOST_ROWS, Rows
from crossover.sources.table.text.marks import PLAIN, normal
from crossover.sources.table.text.units import seconds_of

DELIMITERS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    " ": "spaces",
}
SEP_LINE = re.compile(r"\s*\"?sep=(.)\"?[,;\t ]*", re.IGNORECASE)
"""Excel's first line that names the delimiter."""
COMMENTS = ("#", "//", "%%")
LOOKED_AT = 50
"""The delimiter is found in this many lines."""
RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
"""A line of Markdown, or of a text table, below its head."""

Numbered = tuple[int, list[str]]
"""A row with the line of the file on which it ends."""


def laid_out(text: str, wanted: Sequence[str], said: Sequence[str] = ()) -> Rows:
    """Return the rows of a text.

    Not by pandas, which takes a gigabyte for a long line and guesses what is meant by
    rows of another length.

    Raises:
        Unreadable: when it is no table, or too large a one.
    """
    text = text.lstrip("\ufeff")
    if text.count(",") + text.count("\n") > MOST_FIELDS:
        raise Unreadable(f"too many fields; must be at most {MOST_FIELDS:,}")
    try:
        named = SEP_LINE.fullmatch(text.partition("\n")[0].rstrip("\r"))
        skipped = 1 if named else 0
        delimiter = named[1] if named else _delimiter(text, wanted)
        return _rows(text, delimiter, skipped, said)
    except csv.Error as error:
        raise Unreadable(f"not a CSV table: {error}") from error


def _records(text: str, delimiter: str, skipped: int = 0) -> Iterator[Numbered]:
    """Yield the rows that are not empty, with their lines."""
    lines: Iterator[str] = io.StringIO(text, newline="")
    if delimiter == " ":
        lines = (line.strip() + "\n" for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    for row in reader:
        is_empty = not any(cell and not cell.isspace() for cell in row)
        if reader.line_num > skipped and not is_empty:
            yield reader.line_num, row


def _is_comment(row: list[str]) -> bool:
    return row[0].lstrip().startswith(COMMENTS)


def _delimiter(text: str, wanted: Sequence[str]) -> str:
    """Return the character that separates the cells.

    Under it all lines looked at have as many cells, at least two.

    Raises:
        Unreadable: where several do.
    """
    found: dict[str, list[str]] = {}
    starts: dict[str, int] = {}
    for delimiter in DELIMITERS:
        records = itertools.islice(_records(text, delimiter), LOOKED_AT)
        try:
            rows = [row for _, row in records if not _is_comment(row)]
        except csv.Error:
            continue
        if (heads := _heads(rows)) is not None:
            found[delimiter] = [key(head) for head in heads]
            starts[delimiter] = rows.index(heads)
    names = {key(name) for name in wanted}
    known = {d: names & {*heads} for d, heads in found.items()}
    best = max(map(len, known.values()), default=0)
    if best:
        found = {d: heads for d, heads in found.items() if len(known[d]) == best}
    first = min((starts[d] for d in found), default=0)
    found = {d: heads for d, heads in found.items() if starts[d] == first}
    if len(found) > 1:
        # spaces and bars are also part of names; a real delimiter leaves fewer oddities
        plain = [d for d in found if d not in " |"]
        found = {d: found[d] for d in plain} if len(plain) == 1 else found
    if len(found) > 1:
        both = " or ".join(DELIMITERS[d] for d in found)
        raise Unreadable(
            f"cells may be separated by {both}; write sep={next(iter(found))} in a "
            "line of its own before the table"
        )
    return next(iter(found), ",")


def _heads(rows: list[list[str]]) -> list[str] | None:
    """Return the head of rows that have as many cells each; None if they have not."""
    start = _start(rows)
    if start is None:
        return None
    head, rest = rows[start], rows[start + 1 :]
    length = len(head)
    if length < 2 or not all(_fits(row, length) for row in rest):
        return None
    if start and any(PLAIN.fullmatch(cell.strip()) for cell in head):
        return None  # the head stands before, and is shorter
    return head


def _start(rows: list[list[str]]) -> int | None:
    """Return the place of the head: the first row as long as those after it."""
    if not rows:
        return None
    lengths = [len(row) for row in rows[-20:]]
    usual = max(set(lengths), key=lengths.count)
    for place, row in enumerate(rows[:LOOKED_AT]):
        if len(row) == usual or (len(row) == usual - 1 and len(row) > 1):
            return place
        if len(row) > 1:
            return place
    return 0


def _fits(row: list[str], length: int) -> bool:
    """Tell whether a row has a length; R writes the row's name before all cells."""
    is_longer = len(row) > length and not any(row[length:])
    return len(row) in (length, length + 1) or is_longer


def key(name: str) -> str:
    """Return a column's name as it is compared: no case, no hidden characters."""
    return " ".join(normal(name).split()).casefold()


def _rows(text: str, delimiter: str, skipped: int, said: Sequence[str]) -> Rows:
    """Read all rows.

    Raises:
        Unreadable: for a row of another length, and for too many.
    """
    records = _records(text, delimiter, skipped)
    first, begun, notes = _head(records, delimiter)
    heads = [" ".join(printable(normal(head)).split()) for head in first]
    body = _Body(heads)
    for number, row in itertools.chain(begun, records):
        body.add(number, row)
    words = [f"cells between {DELIMITERS.get(delimiter, repr(delimiter))}"]
    told = (*said, *(words if delimiter != "," else ()))
    found = Rows(
        heads, body.rows, body.lines, delimiter, None, told, (*notes, *body.notes)
    )
    return _without_empty(_with_units(found))


def _with_units(rows: Rows) -> Rows:
    """Write the units of a second head, below the names, behind the names."""
    if len(rows.rows) < 2:
        return rows
    units = [cell.strip() for cell in rows.rows[0]]
    known = [seconds_of(cell) is not None and cell != "" for cell in units]
    others = [u for u, is_unit in zip(units, known, strict=True) if u and not is_unit]
    below = [PLAIN.match(cell.strip()) is not None for cell in rows.rows[1]]
    is_head = any(known) and all(b for b, k in zip(below, known, strict=True) if k)
    if not is_head or any(PLAIN.fullmatch(cell) for cell in others):
        return rows
    heads = [
        f"{head} [{unit.strip('()[]')}]" if is_unit else head
        for head, unit, is_unit in zip(rows.heads, units, known, strict=True)
    ]
    rest = rows.only(range(1, len(rows.rows)))
    return dataclasses.replace(rest, heads=heads)


def _head(
    records: Iterator[Numbered], delimiter: str
) -> tuple[list[str], list[Numbered], list[str]]:
    """Return the head, the rows read after it, and what was left out before it.

    A comment is the head if the first row is numbers and the comment is as long.
    """
    before = list(itertools.islice(records, LOOKED_AT))
    comments = [r for r in before if _is_comment(r[1])]
    plain = [r for r in before if not _is_comment(r[1])]
    start = _start([row for _, row in plain]) or 0
    notes = [f"line {n}: before the head of the table" for n, _ in plain[:start]]
    if not plain:
        return [], [], notes
    (number, first), *begun = plain[start:]
    leading = [row for n, row in comments if n < number]
    if leading and any(PLAIN.fullmatch(cell.strip()) for cell in first):
        text = delimiter.join(leading[-1]).lstrip("#/% ")
        named = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
        if len(named) == len(first):
            return named, plain[start:], notes
    return first, begun, notes


class _Body:
    """The rows below the head."""

    def __init__(self, heads: list[str]) -> None:
        self.heads = [key(head) for head in heads]
        self.rows: list[list[str]] = []
        self.lines: list[int] = []
        self.notes: list[str] = []
        self.is_numbered = False
        """Whether each row begins with its number, which the head does not name."""

    def add(self, number: int, row: list[str]) -> None:
        """Add a row, unless it is a comment, a rule, or the head again.

        Raises:
            Unreadable: if it is longer or shorter than the head, or one too many.
        """
        begin = row[0].strip()
        if not begin.strip(":-=+|") and RULE.fullmatch("|".join(row)):
            return
        if _is_comment(row):
            self.notes.append(f"line {number}: a comment")
            return
        is_word = begin and not begin[0].isdigit()
        if is_word and key(begin) == self.heads[0] and self._is_head(number, row):
            self.notes.append(f"line {number}: the head again")
            return
        self.rows.append(self._fitted(number, row))
        self.lines.append(number)
        if len(self.rows) > MOST_ROWS:
            raise Unreadable(f"too many rows; must be at most {MOST_ROWS:,}")

    def _is_head(self, number: int, row: list[str]) -> bool:
        """Tell whether a row is the head again.

        Raises:
            Unreadable: if it is the head of another table.
        """
        keys = [key(cell) for cell in row[: len(self.heads)]]
        if keys == self.heads:
            return True
        if any(cell[:1].isdigit() for cell in keys):
            return False
        raise Unreadable(
            f"line {number} begins another table ({listed(row, 6)}); must be one"
        )

    def _fitted(self, number: int, row: list[str]) -> list[str]:
        """Return a row as long as the head."""
        length = len(self.heads)
        if len(row) == length and not self.is_numbered:
            return row
        if len(row) > length and not any(row[length:]):
            return row[:length]
        is_first = self.is_numbered or not self.rows
        count = str(len(self.rows) + 1)
        if len(row) == length + 1 and is_first and row[0].strip() == count:
            self.is_numbered = True
            return row[1:]
        raise Unreadable(
            f"not a CSV table: line {number} has {len(row)} fields; must have "
            f"{length} as the first"
        )


def _without_empty(rows: Rows) -> Rows:
    """Leave out columns that have neither a name nor a text."""
    empty = [
        i
        for i, head in enumerate(rows.heads)
        if not head and not any(row[i].strip() for row in rows.rows)
    ]
    if not empty or not rows.rows:
        return rows
    kept = [i for i in range(len(rows.heads)) if i not in empty]
    return Rows(
        [rows.heads[i] for i in kept], [[row[i] for i in kept] for row in rows.rows],
        rows.lines, rows.delimiter, rows.decimal, rows.said, rows.left_out,
    )  # fmt: skip


def names_of(rows: Rows) -> str:
    """List the columns of a table for a message."""
    return listed([head or "(no name)" for head in rows.heads])

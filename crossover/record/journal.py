"""measurements.jsonl: each round appended at once, and read back without what was torn.

A kill, a crash of the machine or a full disk can tear the round in flight: a last line
is half written, or some of the round's rows are missing. That round is left out, and
said to be. Any other line that cannot be read is refused, by its number.
"""

import dataclasses
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, Unreadable, decoded
from crossover.nouns import Case, Measurement, Run
from crossover.record import codec
from crossover.record.chain import FIRST, Chain, last_check, sealed
from crossover.record.invariants import breaches

JOURNAL = "measurements.jsonl"
RECOVER = "--recover leaves out its round, and keeps the file as it is beside"
NAMED_SINCE = 3
"""The first schema whose rows all name their run; those of older ones may not."""
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Read:
    """What a journal holds."""

    rows: tuple[Measurement, ...]
    """The measurements of all rounds that are whole."""
    whole_bytes: int
    """Where the last whole round ends in the file."""
    lost: str = ""
    """What was left out, as a sentence; empty if nothing was."""


def _parsed(
    lines: Sequence[bytes], header: Run
) -> Iterator[tuple[int, Measurement | None, str]]:
    """Yield of each line its number, what it holds, and what is wrong with it.

    A line that cannot be read holds nothing. The next one's checksum may follow from
    it, unless it has none itself.
    """
    chain, row_of = Chain(), codec.LineReader(header.spec.declared)
    for number, line in enumerate(lines, start=1):
        text, broken = chain.follow(line)
        try:
            row = row_of(decoded(text, "utf-8"))
        except InputError as error:
            if text == line:  # it has no checksum
                chain.before = None
            yield number, None, str(error)
            continue
        if header.schema < NAMED_SINCE:
            row = dataclasses.replace(row, run_id=header.run_id)
        yield number, row, broken


def read(data: bytes, header: Run) -> Read:
    """Read a run's journal, the round in flight left out where it is torn.

    Args:
        data: the file.
        header: its run.json.

    Raises:
        InputError: naming the line that is garbled, or that contradicts the header or
            those before; or for too many rounds.
    """
    *lines, last = data.removeprefix(_MARK).split(b"\n")
    torn = f"line {len(lines) + 1}" if last else ""
    rows: list[Measurement] = []
    for number, row, why in _parsed(lines, header):
        if row is not None and not why:
            rows.append(row)
        elif row is not None or number < len(lines) or torn:
            is_garbled = " is garbled" if row is None else ""
            raise _refused(number, f"{is_garbled}: {why}")
        else:
            torn = f"line {number}"
    whole = _whole(rows)
    lost = ""
    if torn:
        lost = f"{torn} of {JOURNAL}, its last, is torn: the round in flight is lost"
    elif whole < len(rows):
        lost = f"{JOURNAL} ends within a round, which is lost"
    codec.check_rounds(rows[:whole])
    for at, breach in breaches(header, rows[:whole]):
        raise _refused(at + 1, f": {breach}")
    bytes_ = sum(map(len, lines[:whole])) + whole  # and the end of each line
    mark = len(_MARK) if data.startswith(_MARK) else 0
    return Read(tuple(rows[:whole]), mark + bytes_, lost)


def _refused(number: int, why: str) -> InputError:
    return Unreadable(f"line {number} of {JOURNAL}{why}; {RECOVER}")


def salvage(data: bytes, header: Run) -> tuple[list[Measurement], list[str]]:
    """Return the rows that can be kept, and what was left out, in words.

    They are those of all rounds that are whole and contradict nothing. See `read`.
    """
    *lines, last = data.removeprefix(_MARK).split(b"\n")
    parsed = [*_parsed([*lines, last] if last else lines, header)]
    left_out = [(number, why) for number, _, why in parsed if why]
    rows = [(number, row) for number, row, why in parsed if row and not why]
    have = Counter(_attempt(m) for _, m in rows if m.status == "ok")
    kept = [
        (number, m)
        for number, m in rows
        if m.status != "ok" or have[_attempt(m)] >= (m.in_round or 1)
    ]
    wrong = {at: str(why) for at, why in breaches(header, [m for _, m in kept])}
    left_out += [(kept[at][0], why) for at, why in wrong.items()]
    said = _said(left_out)
    if partial := len(rows) - len(kept):
        said.append(
            f"left out {partial} rows of rounds that are not whole without those"
        )
    return [m for at, (_, m) in enumerate(kept) if at not in wrong], said


def _said(left_out: list[tuple[int, str]]) -> list[str]:
    """Return a sentence about each line, or one about all that are alike."""
    by_field = defaultdict(list)
    for number, why in sorted(left_out):
        by_field[re.split("[ :]", why)[0]].append((number, why))
    said = []
    for field, ((number, why), *more) in by_field.items():
        said.append(f"left out line {number} of {JOURNAL}: {why}")
        if more:
            lines = f"{len(more)} more lines" if len(more) > 1 else "another line"
            said.append(f"left out {lines} for their {field}, the last {more[-1][0]}")
    return said


def _whole(rows: Sequence[Measurement]) -> int:
    """Count the rows of whole rounds: all of them, or those before the last round."""
    if not rows or rows[-1].status != "ok":
        return len(rows)
    start, last = len(rows), rows[-1]
    while start and _same_round(rows[start - 1], last):
        start -= 1
    return start if len(rows) - start < (last.in_round or 1) else len(rows)


def _same_round(one: Measurement, other: Measurement) -> bool:
    return one.status == "ok" and _attempt(one) == _attempt(other)


def _attempt(m: Measurement) -> tuple[Case, int, str, float | None]:
    """Return what tells a round from others: one that was discarded is taken again.

    Attempts that were discarded for the same reason differ in when they were recorded.
    """
    return m.case, m.round, m.discarded, m.elapsed_s if m.discarded else None


class Journal:
    """The journal of a run that is being measured.

    It is kept open: where its folder is deleted, what was recorded can still be read.
    """

    def __init__(self, out: Path) -> None:
        """Open it.

        Raises:
            InputError: when that cannot be done.
        """
        self._out = out
        with refusing("out", out, JOURNAL):
            self._file = open(out / JOURNAL, "r+b", buffering=0)
            self._size = self._file.seek(0, os.SEEK_END)
            self._file.seek(max(0, self._size - codec.MOST_LINE - 2))
            *_, last = (b"\n" + self._file.read().removesuffix(b"\n")).split(b"\n")
        self._before = last_check(last) if last else FIRST

    def append(self, rows: Sequence[Measurement]) -> None:
        """Add a round and wait until the disk has it; leave no half of it.

        Raises:
            InputError: when the disk is full, the folder is gone, or somebody else
                wrote to the journal.
        """
        lines = [*sealed(map(codec.line, rows), self._before)]
        data = "".join(lines).encode()
        with refusing("out", self._out, JOURNAL):
            if not self.is_there():
                raise Unreadable("it is gone, or another file in its place")
            if self._file.seek(0, os.SEEK_END) != self._size:
                raise Unreadable("another program wrote to it")
            try:
                left = memoryview(data)
                while left:
                    left = left[self._file.write(left) :]
                os.fsync(self._file.fileno())
            except BaseException:
                self._file.truncate(self._size)
                raise
        self._size += len(data)
        if lines:
            self._before = last_check(lines[-1].encode().removesuffix(b"\n"))

    def is_there(self) -> bool:
        """Tell whether the file is still where it was opened."""
        try:
            found = (self._out / JOURNAL).stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self._file.fileno()))

    def contents(self) -> bytes:
        """Return all that was recorded, also where the file was deleted since."""
        self._file.seek(0)
        return self._file.read(self._size)

    def close(self) -> None:
        """Close it."""
        self._file.close()

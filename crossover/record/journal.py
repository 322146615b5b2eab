"""measurements.jsonl: each round appended at once, and read back without what was torn.

A kill, a crash of the machine or a full disk can tear the round in flight: a last line
is half written, or some of the round's rows are missing. That round is left out, and
said to be. Any other line that cannot be read is refused, by its number.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossover.files.refusals import refusing
from crossover.files.untrusted import Unreadable, decoded
from crossover.nouns import Case, InputError, Measurement
from crossover.record import codec
from crossover.workloads.workload import Workload

JOURNAL = "measurements.jsonl"
RECOVER = "--recover leaves out its round, and keeps the file as it is beside"
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


def read(data: bytes, workload: Workload) -> Read:
    """Read a workload's journal, the round in flight left out where it is torn.

    Raises:
        InputError: naming the line that is garbled; or for too many rounds.
    """
    *lines, last = data.removeprefix(_MARK).split(b"\n")
    torn = f"line {len(lines) + 1}" if last else ""
    rows: list[Measurement] = []
    ends = [len(data) - len(data.removeprefix(_MARK))]
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(line, workload))
        except InputError as error:
            if number < len(lines) or torn:
                message = f"line {number} of {JOURNAL} is garbled: {error}"
                raise Unreadable(f"{message}; {RECOVER}") from error
            torn = f"line {number}"
        else:
            ends.append(ends[-1] + len(line) + 1)
    whole = _whole(rows)
    lost = ""
    if torn:
        lost = f"{torn} of {JOURNAL}, its last, is torn: the round in flight is lost"
    elif whole < len(rows):
        lost = f"{JOURNAL} ends within a round, which is lost"
    codec.check_rounds(rows[:whole])
    return Read(tuple(rows[:whole]), ends[whole], lost)


def salvage(data: bytes, workload: Workload) -> tuple[list[Measurement], list[str]]:
    """Return the rows of all rounds that are whole, and what was left out, in words."""
    *lines, last = data.removeprefix(_MARK).split(b"\n")
    rows, said = [], []
    for number, line in enumerate([*lines, last] if last else lines, start=1):
        try:
            rows.append(_row(line, workload))
        except InputError as error:
            said.append(f"left out line {number} of {JOURNAL}: {error}")
    have = Counter(_attempt(m) for m in rows if m.status == "ok")
    kept = [
        m for m in rows if m.status != "ok" or have[_attempt(m)] >= (m.in_round or 1)
    ]
    if len(kept) < len(rows):
        n = len(rows) - len(kept)
        said.append(f"left out {n} rows of rounds that are not whole without those")
    return kept, said


def _row(line: bytes, workload: Workload) -> Measurement:
    return codec.read_line(decoded(line, "utf-8"), workload)


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


def _attempt(m: Measurement) -> tuple[Case, int, str]:
    """Return what tells a round from others: one that was discarded is taken again."""
    return m.case, m.round, m.discarded


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

    def append(self, rows: Sequence[Measurement]) -> None:
        """Add a round and wait until the disk has it; leave no half of it.

        Raises:
            InputError: when the disk is full, the folder is gone, or somebody else
                wrote to the journal.
        """
        data = "".join(map(codec.line, rows)).encode()
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

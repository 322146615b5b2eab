"""The checksum that ends each line of measurements.jsonl, chained to the line before.

It is the CRC-32 of the line's text, begun with that of the line before: a line that was
edited, left out, moved or put in between breaks it. Older versions wrote lines without,
which may come before those with one, not after.
"""

import zlib
from collections.abc import Iterable, Iterator

from crossover.files.untrusted import Unreadable

CHECK = "check"
FIRST = 0
"""What the first line's checksum begins with."""
_MARK = f', "{CHECK}": "'.encode()
_HEX, _END = 8, b'"}'
_LONG = len(_MARK) + _HEX + len(_END)


def sealed(lines: Iterable[str], before: int = FIRST) -> Iterator[str]:
    """Yield lines as `codec.line` writes them, each with its checksum."""
    for line in lines:
        text = line.removesuffix("}\n")
        before = zlib.crc32(text.encode(), before)
        yield f'{text}, "{CHECK}": "{before:08x}"}}\n'


def unsealed(line: bytes) -> bytes:
    """Return a line without its checksum, and without the end of the line."""
    return line[:-_LONG] + b"}" if is_sealed(line) else line


def is_sealed(line: bytes) -> bool:
    """Tell whether a line ends in a checksum."""
    return line[-_LONG : -_HEX - len(_END)] == _MARK and line.endswith(_END)


class Chain:
    """Follows the lines of a journal, and tells where the chain is broken."""

    def __init__(self, before: int | None = FIRST) -> None:
        self.before = before
        """The checksum of the line before; None where that line cannot be read."""
        self._has_begun = False

    def follow(self, line: bytes) -> None:
        """Go on to a line, also where it is refused.

        Raises:
            Unreadable: when it does not follow the line before.
        """
        if not is_sealed(line):
            self.before = None if self._has_begun else zlib.crc32(line)
            if self._has_begun:
                raise Unreadable(f"{CHECK}: missing; must be there, as in lines before")
            return
        before, self._has_begun = self.before, True
        text, said = line[:-_LONG], line[-_HEX - len(_END) : -len(_END)]
        if before is not None:
            self.before = zlib.crc32(text, before)
            if said == b"%08x" % self.before:
                return
        try:
            self.before = int(said, 16)
        except ValueError:
            self.before = None
        if before is not None:
            raise Unreadable(
                f"{CHECK} = {said.decode(errors='replace')!r}: must follow from the "
                "line and the one before; one was edited, moved or taken out"
            )

    def skip(self, line: bytes) -> None:
        """Go on to a line that cannot be read, and say nothing of it."""
        try:
            self.follow(line)
        except Unreadable:
            return
        if not is_sealed(line):
            self.before = None


def last_check(line: bytes) -> int:
    """Return what the checksum of the line after this one begins with."""
    chain = Chain(None)
    chain.follow(line)
    return chain.before or 0

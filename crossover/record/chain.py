"""The checksum that ends each line of measurements.jsonl, chained to the line before.

It is the CRC-32 of the line's text, begun with that of the line before: a line that was
edited, left out, moved or put in between breaks it. Older versions wrote lines without,
which may come before those with one, not after.
"""

import zlib
from collections.abc import Iterable, Iterator

CHECK = "check"
FIRST = 0
"""What the first line's checksum begins with."""
_MARK = f', "{CHECK}": "'
_SEAL = _MARK.encode() + b'%08x"}'
_END = len('01234567"}')
_LONG = len(_MARK) + _END


def sealed(lines: Iterable[str], before: int = FIRST) -> Iterator[str]:
    """Yield lines as `codec.line` writes them, each with a checksum of this chain."""
    for line in lines:
        text = unsealed(line.removesuffix("\n"))[:-1]
        before = zlib.crc32(text.encode(), before)
        yield f"{text}{(_SEAL % before).decode()}\n"


def unsealed(line: str) -> str:
    """Return a line without its checksum, if it has one."""
    return f"{line[:-_LONG]}}}" if line[-_LONG:-_END] == _MARK else line


class Chain:
    """Follows the lines of a journal, and tells where the chain is broken."""

    def __init__(self, before: int | None = FIRST) -> None:
        self.before = before
        """The checksum of the line before; None where that is not known."""
        self._has_begun = False

    def follow(self, line: bytes) -> tuple[bytes, str]:
        """Go on to a line; return what it says, and why it does not follow, if so."""
        text, seal, before = line[:-_LONG], line[-_LONG:], self.before
        if before is not None:
            check = zlib.crc32(text, before)
            if seal == _SEAL % check:
                self.before, self._has_begun = check, True
                return text + b"}", ""
        if seal[:-_END] != _MARK.encode():
            self.before = None if self._has_begun else zlib.crc32(line)
            missing = f"{CHECK}: missing; must be there, as in lines before"
            return line, missing if self._has_begun else ""
        self._has_begun, said = True, seal[-_END:-2].decode(errors="replace")
        try:
            self.before = int(said, 16)
        except ValueError:
            self.before = None
        broken = (
            f"{CHECK} = {said!r}: must follow from the line and the one before; one "
            "was edited, moved or taken out"
        )
        return text + b"}", "" if before is None else broken


def last_check(line: bytes) -> int:
    """Return what the checksum of the line after this one begins with."""
    chain = Chain(None)
    chain.follow(line)
    return chain.before or FIRST

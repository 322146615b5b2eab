"""Sizes in any spelling -> numbers: `4K`, `32x32`, `2^10`, `1e4`, `n=1024`, `64 KiB`.

In: the texts of the axis. Out: their numbers, what they were taken for in words, and
those that are none.
"""

import math
import re
from collections.abc import Iterable

from crossover.files.untrusted import InputError, shown
from crossover.findings import size_text
from crossover.sources.table.text.marks import SHAPE, normal, number
from crossover.spec.bounds import LARGEST

PREFIXES = {"k": 1, "m": 2, "g": 3, "b": 3, "t": 4}
"""Thousands or 1,024s, by their power; 1B is a billion."""
ATOM = re.compile(
    r"(?P<base>[-+0-9.,]*[0-9.,](?:[eE][-+]?[0-9]+)?)"
    r"(?:\s*(?:\^|\*\*)\s*(?P<power>[0-9]+))?"
    r"(?:\s*(?P<prefix>[kKmMgGtT]|B)(?P<binary>i)?(?P<byte>[bB]|[bB]ytes?)?)?"
)
TIMES = re.compile(r"\s*(?:[x\u00d7X]|(?<!\*)\*(?!\*))\s*")
AROUND = re.compile(r"(?P<before>[^\d.,]*?)(?P<size>[-+]?[.,]?[0-9].*?)(?P<after>\D*)")
LONGEST = 60
SMALLEST = 1e-18
NICE = (1.0, 2.0, 5.0, 2.5, 1.5)


class Sizes:
    """The numbers of an axis, by how they are written."""

    def __init__(self, head: str, texts: Iterable[str], decimal: str) -> None:
        self.head, self.decimal = head, decimal
        self.said: list[str] = []
        """What spellings were taken for."""
        plain = {text: normal(text) for text in dict.fromkeys(texts)}
        known = {t: number(p, decimal) for t, p in plain.items()}
        others = [t for t, value in known.items() if value is None and plain[t]]
        if others:
            bare = _without_words([plain[t] for t in others])
            parts = dict(zip(others, map(self._factors, bare), strict=True))
            self._check_thousands(parts, known)
            known |= {t: self._size(found) for t, found in parts.items()}
            self._say(parts, known)
        self.numbers = {
            text: value
            for text, value in known.items()
            if value is not None and SMALLEST <= value <= LARGEST
        }
        """Only of texts that are sizes."""

    def _factors(self, text: str) -> list[re.Match[str]] | None:
        """Return the factors of a size such as `32x32`; None if it is none."""
        if len(text) > LONGEST:
            return None
        if SHAPE.fullmatch(text):
            text = "x".join(re.findall("[0-9]+", text))
        found = [ATOM.fullmatch(part) for part in TIMES.split(text)]
        return None if None in found else [part for part in found if part]

    def _check_thousands(
        self,
        parts: dict[str, list[re.Match[str]] | None],
        plain: dict[str, float | None],
    ) -> None:
        """Decide whether K is 1,024 or 1,000: powers of two, or 1, 2 and 5 times ten.

        Raises:
            InputError: where neither is all of them.
        """
        atoms = [a for found in parts.values() for a in found or ()]
        named = [a for a in atoms if a["prefix"] not in (None, "B")]
        self.thousand = 1024
        if all(a["binary"] for a in named):
            return
        numbers = [number(a["base"], self.decimal) for a in atoms]
        every = [n for n in (*numbers, *plain.values()) if n]
        if all(math.log2(n).is_integer() for n in every if n > 0):
            return
        self.thousand = 1000
        if not all(map(_is_nice, every)):
            text = next(
                t for t, f in parts.items() if f and any(a["prefix"] for a in f)
            )
            self.thousand = 1024
            binary = self._size(parts[text])
            self.thousand = 1000
            raise InputError(
                f"{self.head} = {shown(text)}: may be {size_text(binary or 0)} or "
                f"{size_text(self._size(parts[text]) or 0)}; write the sizes as numbers"
            )

    def _size(self, factors: list[re.Match[str]] | None) -> float | None:
        found = [self._value(a) for a in factors or ()]
        values = [value for value in found if value is not None]
        return math.prod(values) if values and len(values) == len(found) else None

    def _value(self, atom: re.Match[str]) -> float | None:
        value = number(atom["base"], self.decimal)
        if value is None:
            return None
        if atom["power"]:
            power = int(atom["power"][:4])
            if abs(value) < 1 or power * math.log10(max(abs(value), 1)) > 300:
                return None
            value = value**power
        if atom["prefix"]:
            power = PREFIXES[atom["prefix"].casefold()]
            is_billion = atom["prefix"] == "B"
            thousand = 1000 if is_billion else self.thousand
            value *= (1024 if atom["binary"] else thousand) ** power
        return value

    def _say(
        self,
        parts: dict[str, list[re.Match[str]] | None],
        known: dict[str, float | None],
    ) -> None:
        """Say once for each spelling what it was taken for."""
        kinds: dict[str, str] = {}
        for text, found in parts.items():
            value = known[text]
            if not found or value is None:
                continue
            kind = "product" if len(found) > 1 else ""
            if any(a["prefix"] for a in found):
                kind += " thousands"
            if any(a["power"] for a in found):
                kind += " powers"
            product = " (the product)" if len(found) > 1 else ""
            if kind:
                kinds.setdefault(kind, f"{text} = {size_text(value)}{product}")
        self.said += kinds.values()


def _is_nice(value: float) -> bool:
    """Tell whether a number is 1, 1.5, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return False
    first = value / 10 ** math.floor(math.log10(value) + 1e-9)
    return any(math.isclose(first, nice) for nice in NICE)


def _without_words(texts: list[str]) -> list[str]:
    """Leave out words around the numbers that all texts share: `n=`, ` rows`."""
    found = [AROUND.fullmatch(text[: LONGEST + 1]) for text in texts]
    around = {(m["before"], m["after"]) for m in found if m}
    if None in found or len(around) != 1 or len(texts) < 2 or SHAPE.fullmatch(texts[0]):
        return texts
    before, after = around.pop()
    is_spelling = after.strip().casefold() in ("", *PREFIXES, "kib", "mib", "kb", "mb")
    end = "" if is_spelling else after
    return [text.removeprefix(before).removesuffix(end).strip() for text in texts]


def are_sizes(texts: list[str]) -> bool:
    """Tell whether most texts are sizes, however they are written."""
    plain = [normal(text) for text in texts]
    if not re.match(r"\w*[^\W\d_][0-9]", plain[0]):  # fp16 is no size
        plain = _without_words(plain)
    plain = ["1" if SHAPE.fullmatch(text) else text for text in plain]
    parts = [TIMES.split(text) for text in plain if len(text) <= LONGEST]
    read = sum(all(map(ATOM.fullmatch, of)) for of in parts)
    return read > 0.5 * len(texts)

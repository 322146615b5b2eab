"""Texts in a figure: what the font can draw, names that fit, n and bands in words."""

import textwrap
import unicodedata
from collections.abc import Sequence

from matplotlib import font_manager

from crossover.analysis.sweeps import SweepResult
from crossover.report.pictures.styles import FONTS, Pair
from crossover.report.words.numbers import reached, spanned

LONGEST_NAME = 30
LONGEST_LABEL = 46


def drawable(text: str) -> str:
    """Return a text of which the font can draw every character.

    An emoji is replaced by its name, what else has no glyph by `?`.
    """
    return "".join(map(_drawable, text)).strip() or "?"


def _drawable(char: str) -> str:
    kind = unicodedata.category(char)
    if char.isspace() or kind == "Cc":
        return " "
    if kind in ("Cf", "Mn"):  # joiners and variation selectors
        return ""
    font = font_manager.get_font(font_manager.findfont(FONTS[0]))
    if char.isascii() or font.get_char_index(ord(char)):
        return char
    return f":{unicodedata.name(char, '?').lower()}:" if kind == "So" else "?"


def plain(text: str) -> str:
    """Return a drawable text that is not read as mathematics, nor left out of legends.

    Matplotlib does the one for `$`, the other for a `_` in front.
    """
    shown = drawable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def name_of(contender: str) -> str:
    """Return a contender's name for a label: `best` in words, a long one shortened."""
    text = drawable(contender.replace("/best", "'s best"))
    if len(text) > LONGEST_NAME:
        half = (LONGEST_NAME - 1) // 2
        text = f"{text[:half]}\u2026{text[-half:]}"
    return plain(text)


def pair_label(pair: Pair) -> str:
    """Return `challenger against baseline`, in two lines where it is long."""
    one, other = name_of(pair[1]), name_of(pair[0])
    between = "\n" if len(one) + len(other) > LONGEST_LABEL else " "
    return f"{one}{between}against {other}"


def wrapped(text: str, width: int) -> str:
    """Return a plain text in lines of at most `width` characters."""
    return "\n".join(map(plain, textwrap.wrap(drawable(text), width)))


def band_words(rounds: Sequence[int], confidences: Sequence[float], of: str) -> str:
    """Say how many rounds there are and what the band is, for a title."""
    band = reached(min(confidences, default=0.0))
    return f"median of n = {spanned(rounds)} {of}, band: {band}"


def nothing(result: SweepResult) -> str:
    """Say that a sweep was not measured, and why."""
    return ": ".join(
        ["not measured", *filter(None, ["; ".join(result.not_measured()[:3])])]
    )

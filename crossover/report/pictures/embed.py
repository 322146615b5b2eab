"""Pictures in the page: small enough, with their size and a link to their numbers."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

from crossover.report.pictures.styles import SAVING

MOST_BYTES = 2_500_000
"""Of all pictures in a page; those beyond it are linked."""
COLOURS = 128
"""Of a PNG: flat areas and text need few."""
TARGETS = {
    "break_even": ("#break-even", "the break-even table"),
    "phases": ("#times", "the times in all three ways to count"),
    "warm_up": ("measurements.csv", "measurements.csv, column warmup_s"),
    "control": ("#crossovers", "the crossovers with the flag control"),
    "grid": ("#pictures", "the numbers of its sweeps, above"),
}
"""Where the exact values of a picture are, by a part of its name."""


@dataclass(frozen=True)
class Shown:
    """A picture that is saved in plots/, with the words around it."""

    name: str
    heading: str
    alt: str
    caption: str
    png: bytes


@dataclass(frozen=True)
class Embedded:
    """A picture as it stands in the page."""

    picture: Shown
    data: str | None
    """Base64; None where there is no room for it."""
    width: int
    height: int
    sweep: int | None
    """Whose numbers stand below it."""
    target: tuple[str, str]
    """A link to its exact values, and the words for it."""


def embedded(pictures: Sequence[Shown]) -> list[Embedded]:
    """Return pictures with their bytes, while they fit."""
    shown: list[Embedded] = []
    room = MOST_BYTES
    for picture in pictures:
        data = base64.b64encode(picture.png).decode()
        room -= len(data)
        # width and height stand in a PNG's header
        width, height = (int.from_bytes(picture.png[i : i + 4]) for i in (16, 20))
        own = re.fullmatch(r"sweep(\d+)-[a-z_]+", picture.name)
        shown.append(
            Embedded(
                picture,
                data if room >= 0 else None,
                width,
                height,
                int(own[1]) if own else None,
                _target(picture.name),
            )
        )
    return shown


def _target(name: str) -> tuple[str, str]:
    for part, target in TARGETS.items():
        if part in name:
            return target
    sweep = re.match(r"sweep(\d+)", name)
    return (f"#numbers-{sweep[1]}" if sweep else "#pictures"), "the numbers below"


def small_png(figure: Figure) -> bytes:
    """Return a figure as a PNG with a palette: a quarter of the bytes, and faster."""
    pixels, file = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(SAVING):
        figure.savefig(pixels, format="rgba")
    size = figure.canvas.get_width_height(physical=True)
    flat = (
        Image.frombytes("RGBA", size, pixels.getvalue())
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    )
    flat.save(file, "PNG")
    return file.getvalue()

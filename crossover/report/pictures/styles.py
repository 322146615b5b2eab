"""How every figure looks: a contender's colour, marker and line; seaborn's style."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crossover.report.pictures.drawing import mpl, sns

Colour = tuple[float, float, float]
Line = str | tuple[int, tuple[float, ...]]
Pair = tuple[str, str]
"""A pair is (baseline, challenger)."""

ORDER = (0, 1, 2, 4, 3, 9, 5, 7)
"""The colours of seaborn's `colorblind` in an order in which neighbours are far apart;
its yellow and pink are left out, as they are too pale on white."""
MARKERS = "osD^vP*X<"
LINES: tuple[Line, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)))
SMALL = 11
"""All texts but titles have this many points; they can be read at half the size."""
FONTS = ["DejaVu Sans", "Verdana", "Arial", "sans-serif"]
"""The first comes with matplotlib; the others are as wide, for who opens an SVG."""
SAVING: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "crossover",
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "font.family": "sans-serif",
    "font.sans-serif": FONTS,
}
"""Settings for `savefig`: text stays text, and the same figure gives the same bytes."""


@dataclass(frozen=True)
class Look:
    """How one contender is drawn, in every figure."""

    colour: Colour
    marker: str
    line: Line

    def turned(self, turns: int) -> "Look":
        """Return another marker and other dashes in the same colour."""
        marker = MARKERS[(MARKERS.index(self.marker) + turns) % len(MARKERS)]
        line = LINES[(LINES.index(self.line) + turns) % len(LINES)]
        return Look(self.colour, marker, line)


UNKNOWN = Look((0.35, 0.35, 0.35), "o", "-")


def looks(contenders: Iterable[str]) -> dict[str, Look]:
    """Give each contender its look; no two of the first 72 have the same.

    A copy, measured for the A/A control, looks as what it is a copy of.
    """
    palette = sns.color_palette("colorblind", 10)
    names = dict.fromkeys(original(name) for name in contenders)
    return {
        name: Look(
            palette[ORDER[i % len(ORDER)]],
            MARKERS[i % len(MARKERS)],
            LINES[i // len(ORDER) % len(LINES)],
        )
        for i, name in enumerate(names)
    }


def original(contender: str) -> str:
    """Return the contender that a copy, `cpu/resident@1#1`, is a copy of."""
    head, mark, tail = contender.rpartition("#")
    return head if mark and tail.isdigit() else contender


def look_of(palette: Mapping[str, Look], contender: str) -> Look:
    """Return a contender's look; grey for one that the palette does not know."""
    return palette.get(original(contender), UNKNOWN)


def pair_looks(pairs: Sequence[Pair], palette: Mapping[str, Look]) -> list[Look]:
    """Return the look of each pair: its challenger's, turned where that is taken."""
    seen: dict[str, int] = {}
    found = []
    for _, challenger in pairs:
        turn = seen.get(challenger, 0)
        seen[challenger] = turn + 1
        found.append(look_of(palette, challenger).turned(turn))
    return found


@contextmanager
def theme() -> Iterator[None]:
    """Set seaborn's style, on white, while a figure is made; nothing stays set."""
    white = {"axes.facecolor": "white", "figure.facecolor": "white"}
    sizes: dict[Any, Any] = {
        "font.size": SMALL, "axes.titlesize": SMALL + 1, "axes.labelsize": SMALL + 1,
        "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "legend.fontsize": SMALL,
        "figure.titlesize": SMALL + 2, "hatch.linewidth": 0.6,
        "font.family": "sans-serif", "font.sans-serif": FONTS,
    }  # fmt: skip
    with (
        sns.axes_style("whitegrid", rc=white),
        sns.plotting_context("notebook"),
        mpl.rc_context(sizes),
    ):
        yield

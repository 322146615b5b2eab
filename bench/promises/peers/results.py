"""Turn rounds of seconds into rows with ratios and bounds, as CSV and Markdown.

All functions are pure, and no peer is loaded.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from crossover.files import csv_file
from crossover.nouns import field_names
from crossover.report.words.numbers import number
from crossover.report.words.table import Table, markdown_lines

SAME_STEPS, SAME_LOSS = "same steps", "same loss"
HEAD = (
    "case", "peer", "compared by", "peer, ms", "fused, ms", "times as long as fused",
    "range of the rounds", "bound", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One peer on one case, compared with `fused`; None if nothing was measured.

    `seconds` and `fused_s` are medians of an epoch, or of the time to the loss; `low`
    and `high` are the smallest and the largest ratio in a round; `least` is the bound.
    """

    case: str
    peer: str
    compared: str
    rounds: int = 0
    seconds: float | None = None
    fused_s: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    least: float | None = None
    notes: str = ""

    @property
    def broken(self) -> bool:
        """Whether a bound exists and the ratio is below it or was not measured."""
        return self.least is not None and (self.ratio or 0.0) < self.least


def row_of(
    case: str,
    peer: str,
    compared: str,
    seconds: Sequence[float],
    fused_s: Sequence[float],
    least: float | None = None,
    notes: str = "",
) -> Row:
    """Return the row of a peer from its seconds and those of `fused`, round by round.

    Raises:
        ValueError: when the series differ in length or are empty.
    """
    if len(seconds) != len(fused_s) or not seconds:
        raise ValueError(f"{len(seconds)} rounds and {len(fused_s)} of fused")
    ratios = [a / b for a, b in zip(seconds, fused_s, strict=True)]
    own, fused = statistics.median(seconds), statistics.median(fused_s)
    return Row(
        case, peer, compared, len(seconds), own, fused, own / fused,
        min(ratios), max(ratios), least, notes,
    )  # fmt: skip


def not_measured(
    case: str, peer: str, compared: str, reason: str, least: float | None = None
) -> Row:
    """Return the row of a peer without numbers; the reason says why."""
    return Row(case, peer, compared, least=least, notes=reason)


def fewest(loss_of: Callable[[int], float], target: float, most: int) -> int | None:
    """Return the fewest passes after which the loss is at most `target`.

    The count is doubled, then the gap halved: the loss must fall with the passes. The
    result is None when `most` passes do not reach the target.
    """
    low, high = 0, 1
    while loss_of(high) > target:
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        if loss_of(middle) > target:
            low = middle
        else:
            high = middle
    return high


def csv_text(rows: Sequence[Row]) -> str:
    """Return all rows as CSV; None is empty."""
    lines = ((*astuple(row), row.broken) for row in rows)
    return csv_file.csv_text((*field_names(Row), "broken"), lines)


def markdown(rows: Sequence[Row]) -> str:
    """Return all rows as a Markdown table."""
    lines = []
    for row in rows:
        bound = "" if row.least is None else f">= {row.least:g}"
        bound += ": BROKEN" if row.broken else ""
        spread = f"{_short(row.low)} to {_short(row.high)}" if row.low else ""
        lines.append((
            row.case, row.peer, row.compared, _ms(row.seconds), _ms(row.fused_s),
            "not measured" if row.ratio is None else _short(row.ratio),
            spread, bound, row.notes,
        ))  # fmt: skip
    return "\n".join(markdown_lines(Table("", HEAD, tuple(lines), False))) + "\n"


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else number(seconds * 1e3)


def _short(ratio: float | None) -> str:
    return "" if ratio is None else number(ratio)

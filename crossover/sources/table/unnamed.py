"""What a column that nobody named holds: a setting, a measured number, or a label.

`unlike` refuses rows that differ in a setting. docs/sources.md has the rules.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossover.sources.table.file import Rows
from crossover.sources.table.units import RATES, SECONDS, TIMES, is_rate, words

Codes = NDArray[np.int64]
REPETITION = {
    "rep", "reps", "repeat", "repeats", "repetition", "replicate", "trial", "run",
    "round", "attempt", "iter", "iteration", "sample", "seed", "measurement", "index",
    "idx", "id", "uuid", "no", "nr", "num", "number", "row", "line", "pid",
}  # fmt: skip
"""Words of a column that numbers repetitions or rows; `n` and `iterations` do not."""
MOMENT = {"timestamp", "datetime", "date", "utc", "started", "finished", "created"}
OF_MOMENT = {"at", "start", "end", *TIMES, *SECONDS}
STATISTIC = {
    "mean", "avg", "average", "median", "min", "max", "minimum", "maximum", "std",
    "stddev", "stdev", "sd", "variance", "var", "cv", "iqr", "q1", "q3", "sem", "mad",
    "err", "error", "noise", "ci", "low", "high", "lower", "upper", "outliers", "user",
    "system", "sys", "cpu", "gpu", "real", "total", "rel", "relative", "percent",
}  # fmt: skip
"""Words of a column that holds another time or a statistic of the same row."""
COMMENT = {
    "note", "notes", "comment", "comments", "remark", "remarks", "flags", "message",
    "warning", "warnings",
}  # fmt: skip
EMPTY = {"", "nan", "NaN"}
NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
MEASURED = re.compile(rf"[<>~±]?{NUMBER} ?[%A-Za-zµμ/]*(?:[;,|±] ?{NUMBER})*")
"""A number, perhaps with a unit, or several."""
DATE = re.compile(r"[0-9]{4}-?[01][0-9]-?[0-3][0-9]([T _-]?[0-9:.,]{4,}.*)?")
LABEL = re.compile(r"[A-Za-z _.#-]*[0-9]+")
"""A number, perhaps after a word: run-3."""
ENOUGH_CELLS = 3
"""Numbers are taken for measured only if this many cells have several of them."""


@dataclass(frozen=True)
class Column:
    """A column that nobody named."""

    head: str
    texts: list[str]
    codes: Codes
    """Equal where the values are: 32 and 32.0 are one value."""
    is_number: bool

    @property
    def numbers_repetitions(self) -> bool:
        """Whether it counts repetitions or rows, by its name and its values."""
        said = {*words(self.head)} - {"per", "of", "the"}
        by_name = bool(said) and said <= REPETITION
        return by_name and all(map(LABEL.fullmatch, {*self.texts} - {""}))

    @property
    def counts(self) -> bool:
        """Whether its values are 0, 1, 2 ... or 1, 2, 3 ..."""
        numbers = pd.to_numeric(pd.Series(self.texts), errors="coerce").unique()
        if len(numbers) < 2 or not np.isfinite(numbers).all():
            return False
        start = numbers.min()
        return start in (0, 1) and {*numbers} == {*start + np.arange(len(numbers))}

    @property
    def is_moment(self) -> bool:
        """Whether it says when a row was measured."""
        said = {*words(self.head)}
        if said & MOMENT and said <= MOMENT | OF_MOMENT:
            return True
        return all(map(DATE.fullmatch, {*self.texts} - {""}))

    @property
    def is_statistic(self) -> bool:
        """Whether it is called a time, a rate or a spread.

        `learning_rate` and `max_depth` are not, nor is `freq_ghz`.
        """
        said = words(self.head)
        is_physical = is_rate(" ".join(w for w in said if w not in RATES))
        if is_physical and not any(w.endswith("hz") for w in said):
            return True
        rest = {*said} - STATISTIC - {*SECONDS} - TIMES - RATES
        return not rest and said not in (["cpu"], ["gpu"])

    @property
    def grows(self) -> bool:
        """Whether it grows from row to row, as a number of the row does."""
        numbers = pd.to_numeric(pd.Series(self.texts), errors="coerce").to_numpy()
        return bool((np.diff(numbers) > 0).all())


def differing(rows: Rows, place: int, cells: Codes) -> Column | None:
    """Return a column if it holds several values in some cell."""
    texts = rows.column(place)
    codes, known = pd.factorize(np.array(texts, object))
    if not differs(codes, cells):
        return None
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce")
    if numbers.notna().all():
        codes, _ = pd.factorize(numbers.to_numpy())
        if not differs(codes, cells):
            return None
    is_number = all(MEASURED.fullmatch(text) for text in known if text not in EMPTY)
    return Column(rows.heads[place], texts, codes, is_number)


def differs(codes: Codes, cells: Codes) -> bool:
    """Tell whether there are several values in some cell."""
    _, first, cell = np.unique(cells, return_index=True, return_inverse=True)
    return bool((codes != codes[first][cell]).any())


def within(cells: Codes, codes: Codes) -> Codes:
    """Split cells by the values of a column."""
    found: Codes = cells * (codes.max() + 1) + codes
    return np.unique(found, return_inverse=True)[1]


def is_setting(column: Column, cells: Codes, rounds: Codes | None) -> bool:
    """Tell whether a column says what was measured, rather than what came out or when.

    A number that was measured hardly occurs twice; a setting comes again at other sizes
    or for the other contender. A text is a setting unless it is a moment or a label of
    the repetition. Between named rounds only texts are looked at, as numbers there are
    mostly an order or an index.

    Args:
        column: one that differs within cells.
        cells: the number of each row's group, size and contender.
        rounds: the number of each row's round; None: no rounds are named.
    """
    if column.numbers_repetitions or column.is_moment:
        return False
    in_round = cells if rounds is None else within(cells, rounds)
    differs_in_round = differs(column.codes, in_round)
    if not column.is_number:
        if differs_in_round or rounds is None:
            return True
        is_comment = bool({*words(column.head)} & COMMENT)
        return not is_comment and not _relabels(column.codes, rounds)
    if not differs_in_round or column.is_statistic or column.grows:
        return False
    return not _is_measured(column.codes, cells)


def _is_measured(codes: Codes, cells: Codes) -> bool:
    """Tell whether most values occur in one cell only, where enough cells tell."""
    pairs = pd.DataFrame({"value": codes, "cell": cells})
    several = pairs[pairs.groupby("cell").value.transform("nunique") > 1]
    in_cells = pairs.drop_duplicates().value.value_counts()
    again = several.value.map(in_cells) > 1
    return several.cell.nunique() >= ENOUGH_CELLS and bool(again.mean() < 0.5)


def _relabels(codes: Codes, rounds: Codes) -> bool:
    """Tell whether a column is another name of the round."""
    pairs = pd.DataFrame({"value": codes, "round": rounds}).drop_duplicates()
    return bool(pairs["value"].is_unique and pairs["round"].is_unique)

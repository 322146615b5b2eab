"""Rows that would be taken for repetitions of one measurement, and are not.

In: the rows of both contenders. A column that nobody named holds a setting, a measured
number, or a label (docs/analyse.md has the rules). Out: nothing where none is a
setting, or a refusal that names the columns, the values that differ and the option to
add.
"""

import re
import shlex
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossover.files.untrusted import InputError, listed
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.units import RATES, SECONDS, TIMES, is_rate, words
from crossover.sources.table.times import unit_columns

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
    """A number for each value; 32 and 32.0 are one value."""
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


def refuse_unlike(rows: Rows, table: pd.DataFrame, asked: TableAsk) -> None:
    """Refuse rows of one cell that differ in an unnamed column that is a setting.

    Args:
        rows: as texts.
        table: the same rows, sizes as numbers.
        asked: which columns are named.

    Raises:
        InputError: with the columns, the values, and the option to add.
    """
    cells = np.asarray(table.groupby(list(asked.cell), sort=False).ngroup())
    if len(np.unique(cells)) == len(cells):
        return
    units = unit_columns(rows, asked)
    columns = [
        column
        for place in rows.unnamed(asked)
        if place not in units and (column := differing(rows, place, cells)) is not None
    ]
    rounds = None if asked.round is None else pd.factorize(table[asked.round])[0]
    groups = [c.head for c in columns if _makes_groups(c, table, asked)]
    chosen = _telling(columns, groups, cells, rounds)
    if not chosen:
        return
    in_turns, turns = chosen, None
    for column in columns if rounds is None else []:
        if column.numbers_repetitions or column.counts:
            fewer = _telling(columns, groups, cells, column.codes)
            if len(fewer) < len(in_turns):
                in_turns, turns = fewer, column.head
    is_in_round = rounds is not None and all(
        differs(c.codes, within(cells, rounds)) for c in chosen
    )
    shared = [*asked.cell, *([str(asked.round)] if is_in_round else [])]
    differ = [f"{c.head} ({_values(c, cells)})" for c in chosen]
    raise InputError(
        f"rows that share {_joined(shared)} differ in {_joined(differ)}: "
        + ", or ".join(_options(chosen, in_turns, turns, groups, asked))
    )


def _telling(
    columns: list[Column], groups: list[str], cells: Codes, rounds: Codes | None
) -> list[Column]:
    """Return the settings that tell the rows of a cell apart.

    One that tells no more than those before it is left out. Those that make groups
    come first: a row's full name tells all apart, too, and makes none.
    """
    chosen: list[Column] = []
    settings = [c for c in columns if is_setting(c, cells, rounds)]
    for column in sorted(settings, key=lambda c: c.head not in groups):
        of = cells
        if column.is_number and rounds is not None:
            of = within(cells, rounds)
        for other in chosen:
            of = within(of, other.codes)
        if differs(column.codes, of):
            chosen.append(column)
    return chosen


def _makes_groups(column: Column, table: pd.DataFrame, asked: TableAsk) -> bool:
    """Tell whether some value of a column has both contenders at two sizes.

    Or at one size, if there is only one.
    """
    value = "\0value"
    keys = table[[*asked.cell]].assign(**{value: column.codes}).drop_duplicates()
    by = [*asked.by, value]
    contenders = keys.groupby([*by, asked.axis], sort=False)[asked.contender].nunique()
    sizes = (contenders == 2).groupby(level=by, sort=False).sum()
    return bool((sizes >= min(2, table[asked.axis].nunique())).any())


def _options(
    chosen: list[Column],
    in_turns: list[Column],
    turns: str | None,
    groups: list[str],
    asked: TableAsk,
) -> list[str]:
    """Say what can be done, in words ready to copy."""
    heads = [c.head for c in chosen]
    name_round = f"--round {_option(turns)} if the contenders took turns in each"
    alone = [head for head in (c.head for c in in_turns) if head not in groups]
    by = _option(*asked.by, *(c.head for c in in_turns))
    found = []
    if alone:
        found.append(
            f"leave the rows of one {alone[0]} in the file (none has both "
            f"{asked.baseline} and {asked.challenger} at two values of {asked.axis})"
        )
    elif in_turns:
        also = f" and {name_round}" if turns else ""
        found.append(f"add --by {by} for an answer each{also}")
    elif turns:
        found.append(f"add {name_round}")
    pool = _option(*asked.pool, *heads)
    add = "" if found and found[0].startswith("add") else "add "
    found.append(f"{add}--pool {pool} to take them for repetitions of one measurement")
    return found


def _values(column: Column, cells: Codes) -> str:
    """Name the values in the first cell that has several."""
    several = pd.Series(column.codes).groupby(cells).transform("nunique") > 1
    cell = cells[np.flatnonzero(several)[0]]
    texts = pd.Series(column.texts)[cells == cell]
    return listed([text or "empty" for text in dict.fromkeys(texts)], 4)


def _option(*names: str | None) -> str:
    return shlex.quote(",".join(filter(None, names)))


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

"""The column of times as numbers: seconds if a unit is known; of a rate, 1 / rate.

In: the rows of both contenders. Out: their times and bounds, who failed, and what is no
time at all.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crossover.files.untrusted import InputError, listed, shown
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.text.cells import Cell, read_cell
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.text.units import (
    TIMES,
    is_rate,
    is_unit_column,
    named_unit,
    seconds_of,
    words,
)
from crossover.spec.bounds import LARGEST

SMALLEST = 1e-18
Numbers = NDArray[np.float64]
Cells = list[Cell | None]


@dataclass
class Times:
    """What the rows of a table say of times, by the place of the row."""

    seconds: "pd.DataFrame"
    """Columns `place`, `time` and `is_bound`; several rows where a cell has several."""
    failed: dict[int, str] = field(default_factory=dict)
    """Why there is no time."""
    bad: dict[int, str] = field(default_factory=dict)
    """What is no time."""
    said: list[str] = field(default_factory=list)
    """What the cells were taken for."""
    has_unit: bool = False


def read_times(rows: Rows, asked: TableAsk, decimal: str) -> Times:
    """Return the times of a table: seconds, or 1 / rate.

    Raises:
        InputError: for units that do not go together, and for a rate without
            `higher_is_better`.
    """
    texts = rows.column(rows.heads.index(asked.time))
    cells = _cells(texts, decimal)
    has_value = np.array([c is not None and bool(c.values) for c in cells], bool)
    of_column = _column_units(rows, asked, has_value)
    own = np.array([_unit(c) for c in cells], float)
    _check_meaning(asked, cells, own, of_column)
    unit = _units(rows, asked, cells, own, of_column)
    found = _times(texts, cells, unit, asked)
    found.has_unit = of_column is not None or bool(np.isfinite(own).any())
    return found


def _units(
    rows: Rows, asked: TableAsk, cells: Cells, own: Numbers, of_column: Numbers | None
) -> Numbers:
    """Return the seconds of each row's unit; 1 where none is known.

    Raises:
        InputError: where some cells have a unit and others have none.
    """
    named = named_unit(asked.time)
    unknown = np.nan if named is None else named
    has_own = np.isfinite(own)
    is_bound = np.array([c is not None and c.is_bound for c in cells], bool)
    if of_column is None and not (has_own & ~is_bound).any():
        # as they are written: what rounding hides shows in the digits
        return np.where(has_own, own / unknown, 1.0)
    other = np.full(len(own), unknown) if of_column is None else of_column
    unit: Numbers = np.where(has_own, own, other)
    bare = np.array([c is not None and bool(c.values) for c in cells], bool)
    if (lacking := np.flatnonzero(bare & ~is_bound & np.isnan(unit))).size:
        at, first = int(lacking[0]), int(np.flatnonzero(has_own & ~is_bound)[0])
        texts = rows.column(rows.heads.index(asked.time))
        raise InputError(
            f"{asked.time} = {shown(texts[at])} in line {rows.lines[at]}: "
            f"must have a unit, as {shown(texts[first])} has"
        )
    return unit


def _cells(texts: list[str], decimal: str) -> Cells:
    """Read all cells; plain numbers, which most are, at once."""
    numbers = np.full(len(texts), np.nan)
    if decimal == ".":
        column = pd.Series(texts, dtype=str)
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(
            float, na_value=np.nan
        )
    is_plain = (numbers >= SMALLEST) & (numbers <= LARGEST)
    known: dict[str, Cell | None] = {}
    cells: Cells = []
    for text, is_number, value in zip(
        texts, is_plain.tolist(), numbers.tolist(), strict=True
    ):
        if is_number:
            cells.append(Cell((value,)))
            continue
        if text not in known:
            known[text] = read_cell(text, decimal)
        cells.append(known[text])
    return cells


def _unit(cell: Cell | None) -> float:
    return np.nan if cell is None or cell.unit is None else cell.unit


def _times(texts: list[str], cells: Cells, unit: Numbers, asked: TableAsk) -> Times:
    """Gather the times, the failures and what is neither."""
    places: list[int] = []
    values: list[float] = []
    bounds: list[bool] = []
    result = Times(pd.DataFrame())
    kinds: dict[str, str] = {}
    for place, (text, cell) in enumerate(zip(texts, cells, strict=True)):
        if cell is None:
            result.bad[place] = text
        elif cell.failed:
            result.failed[place] = cell.failed
        elif cell.is_bound and (np.isnan(unit[place]) or asked.higher_is_better):
            result.failed[place] = text
        elif not all(SMALLEST <= v <= LARGEST for v in cell.values):
            result.bad[place] = text
        else:
            places += [place] * len(cell.values)
            values += cell.values
            bounds += [cell.is_bound] * len(cell.values)
            if len(cell.values) > 1:
                kinds.setdefault("several", "several times in a cell are repetitions")
            if cell.is_mean:
                kinds.setdefault("mean", "the mean counts in a cell with its spread")
    numbers = np.array(values, float) * unit[places] if places else np.array([])
    if asked.higher_is_better and len(numbers):
        numbers = 1 / np.array(values, float)
    result.seconds = pd.DataFrame(
        {
            "place": np.array(places, int),
            "time": numbers,
            "is_bound": np.array(bounds, bool),
        }
    )
    result.said += kinds.values()
    return result


def unit_columns(rows: Rows, asked: TableAsk) -> list[int]:
    """Return the places of the columns that hold the units of the times.

    Those that are called so, and any that holds several units of time and nothing else.
    """
    found = []
    for place in rows.unnamed(asked):
        if is_unit_column(rows.heads[place], asked.time):
            found.append(place)
            continue
        values = set(rows.column(place)) if rows.rows else set()
        if 1 < len(values) < 10 and None not in {seconds_of(v) for v in values}:
            found.append(place)
    return found


def _column_units(
    rows: Rows, asked: TableAsk, has_value: NDArray[np.bool_]
) -> Numbers | None:
    """Return the seconds of each row's unit; None where no column tells.

    Rows without a time need no unit.

    Raises:
        InputError: for several units of which one is no unit of time.
    """
    told: list[pd.Series[float]] = []
    timed = rows.only(np.flatnonzero(has_value).tolist())
    for place in unit_columns(rows, asked):
        head, texts = rows.heads[place], timed.column(place)
        present = list(dict.fromkeys(texts))
        units = {text: seconds_of(text) for text in present}
        if None not in units.values():
            _check_name(asked, head, units)
            every = pd.Series(rows.column(place), dtype=object)
            told.append(every.map(seconds_of).astype(float))
        elif len(present) > 1:
            text = next(text for text, unit in units.items() if unit is None)
            raise InputError(
                f"{head} = {shown(text)} in line {timed.lines[texts.index(text)]}: "
                "must be a unit of time such as ns, us, ms or s, as the other rows "
                f"differ ({listed(present, 4)})"
            )
        elif is_rate(present[0]) and asked.higher_is_better is None:
            raise InputError(_rate(f"{head} = {shown(present[0])}"))
    alike = [t[has_value] for t in told]
    if len(told) > 1 and not all(np.array_equal(alike[0], t) for t in alike[1:]):
        raise InputError(
            f"columns = {[rows.heads[i] for i in unit_columns(rows, asked)]}: only one "
            "must hold the unit of the times; name the other with --pool"
        )
    return np.asarray(told[0], float) if told else None


def _check_name(asked: TableAsk, head: str, units: dict[str, float | None]) -> None:
    said = named_unit(asked.time)
    if said is not None and len({*units.values()}) > 1:
        raise InputError(
            f"{asked.time} names a unit and {head} holds {listed(list(units), 4)}: add "
            f"--pool {head} if that is not the unit of {asked.time}"
        )


def _check_meaning(
    asked: TableAsk, cells: Cells, own: Numbers, of_column: Numbers | None
) -> None:
    """Refuse a rate taken for a time, and a time taken for a rate."""
    if asked.higher_is_better is None and is_rate(asked.time):
        raise InputError(_rate(f"time = {asked.time!r}"))
    if asked.higher_is_better is None and any(c and c.is_rate for c in cells):
        raise InputError(_rate(f"time = {asked.time!r}, by the units of its cells"))
    is_time = named_unit(asked.time) is not None or any(
        word in TIMES for word in words(asked.time)
    )
    has_unit = of_column is not None or np.isfinite(own).any()
    if asked.higher_is_better and (has_unit or (is_time and not is_rate(asked.time))):
        raise InputError(
            f"time = {asked.time!r}: is a time, of which less is better; leave out "
            "--higher-is-better"
        )


def _rate(what: str) -> str:
    return (
        f"{what}: is a rate, of which more is better; add --higher-is-better, or "
        "--lower-is-better if it is a time all the same"
    )

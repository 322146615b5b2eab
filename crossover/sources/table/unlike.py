"""Rows that would be taken for repetitions of one measurement, and are not.

In: the rows of both contenders. Out: nothing, or a refusal that names the columns, the
values that differ and the option to add.
"""

import shlex

import numpy as np
import pandas as pd

from crossover.nouns import InputError
from crossover.sources.table.file import Rows, TableAsk, listed
from crossover.sources.table.times import unit_columns
from crossover.sources.table.unnamed import (
    Codes,
    Column,
    differing,
    differs,
    is_setting,
    within,
)


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

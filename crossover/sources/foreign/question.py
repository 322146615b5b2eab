"""Which rows of a file are one answer: its axis, its contenders, its groups.

In: what was read, and the columns that the user named. Out: a frame of the rows with
groups, each of which has one size and one contender a row, or a refusal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from crossover.files.untrusted import InputError, check_known, listed, refused
from crossover.sources.foreign.held import BENCHMARK, NAMES, WHERE, Held, Row, size_of

AXIS, WHO, ROW = "\0axis", "\0who", "\0row"
MOST_CONTENDERS = 50
"""A column with more values holds no contenders that anybody compares."""
Groups = list[str]


@dataclass(frozen=True)
class HeldAsk:
    """What was asked of a file: columns by their names, contenders by theirs."""

    axis: str | None = None
    contender: str | None = None
    time: str | None = None
    baseline: str | None = None
    challengers: tuple[str, ...] = ()
    round: str | None = None
    by: tuple[str, ...] | None = None
    """The columns that make groups; None: all that can."""
    pool: tuple[str, ...] = ()
    bench: str | None = None
    """A regular expression that the benchmark's name must hold."""
    higher_is_better: bool | None = None


@dataclass(frozen=True)
class Question:
    """The rows that are asked for, and the columns that make groups of them."""

    axis: str
    contender: tuple[str, ...]
    by: tuple[str, ...]
    round: str | None
    rows: pd.DataFrame
    """A row for each of the file's: `AXIS`, `WHO`, `ROW` and its columns as texts."""
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Texts of the axis that are no sizes."""


def cells_of(rows: Sequence[Row], others: Sequence[str] = ()) -> pd.DataFrame:
    """Return the columns of rows as texts, "" where one has no such column.

    Args:
        rows: what was read.
        others: columns that count as the user named them.
    """
    names = dict.fromkeys(name for row in rows for name in row.keys)
    data = {name: [row.keys.get(name, "") for row in rows] for name in names}
    for name in others:
        if name not in data:
            data[name] = [row.others.get(name, "") for row in rows]
    # As objects: texts of Arrow take several times as long to make and to group.
    frame = pd.DataFrame(data, index=range(len(rows)), dtype=object)
    return frame.assign(**{ROW: range(len(rows))})


def selected(held: Held, bench: str | None) -> tuple[Row, ...]:
    """Return the rows whose benchmark's name holds a regular expression.

    Raises:
        InputError: when it is none, or no name holds it.
    """
    if bench is None:
        return held.rows
    try:
        pattern = re.compile(bench)
    except re.error as error:
        raise refused("bench", bench, f"be a regular expression: {error}") from error
    names = dict.fromkeys(row.keys.get(BENCHMARK, "") for row in held.rows)
    kept = {name for name in names if pattern.search(name)}
    if not kept:
        raise refused("bench", bench, f"be found in one of {listed([*names], 8)}")
    return tuple(row for row in held.rows if row.keys.get(BENCHMARK, "") in kept)


def column(held: Held, known: Sequence[str], field: str, name: str) -> str:
    """Return the column that a name means.

    Raises:
        InputError: listing the columns there are.
    """
    if name not in known:
        name = held.synonyms.get(f"{field} {name}", held.synonyms.get(name, name))
    shown = [c for c in known if not c.startswith("\0")]
    check_known(field, name, shown)
    return name


def question(
    held: Held,
    rows: Sequence[Row],
    ask: HeldAsk,
    known_cells: pd.DataFrame | None = None,
) -> Question:
    """Find the rows and groups that answer what is asked.

    Args:
        held: what was read.
        rows: those of it that are meant.
        ask: what is asked.
        known_cells: their `cells_of`, where several questions are asked of them.

    Raises:
        InputError: for a column that is not there, and for rows that would be mixed.
    """
    whole = cells_of(rows) if known_cells is None else known_cells
    own = _columns(whole)
    others = dict.fromkeys(name for row in rows for name in row.others)
    known = [*own, *(name for name in others if name not in own)]
    axis = column(held, known, "axis", str(ask.axis))
    contender = tuple(
        column(held, known, "contender", name) for name in str(ask.contender).split(",")
    )
    if axis in contender:
        raise refused("contender", axis, "not be the axis")
    given = None
    if ask.by is not None:
        given = tuple(column(held, known, "by", name) for name in ask.by)
    pool = {column(held, known, "pool", name) for name in ask.pool}
    turns = None if ask.round is None else column(held, known, "round", ask.round)
    named = dict.fromkeys(filter(None, [axis, *contender, *(given or ()), turns]))
    cells = whole if {*named} <= {*own} else cells_of(rows, [*named])
    cells = cells[(cells[[axis, *contender]] != "").all(axis=1)]
    left_out = _no_sizes(cells, axis)
    cells = _of_contenders(cells, axis, contender)
    if cells[WHO].nunique() < 2:
        only = listed(cells[WHO].unique().tolist())
        must = f"hold two contenders at least, not only {only or 'empty cells'}"
        raise refused("contender", ",".join(contender), must)
    free = [c for c in _columns(cells) if c not in {axis, *contender, *pool, turns}]
    timed = cells[[bool(rows[i].times) for i in cells[ROW]]]
    codes = timed.drop(columns=[ROW]).apply(lambda one: pd.factorize(one)[0])
    by = list(given) if given is not None else _groups(codes, free)
    rest = [c for c in free if c not in by]
    _refuse_mixed(timed, codes, by, rest, ask)
    if not {*contender} & {*WHERE}:  # each benchmark has a version of its own
        rest = [c for c in rest if c != "version"]
    notes = _notes(timed, codes, by, rest)
    cells = cells.assign(**{name: cells[name].replace("", "none") for name in by})
    return Question(axis, contender, tuple(by), turns, cells, notes, left_out)


def _columns(cells: pd.DataFrame) -> list[str]:
    return [c for c in cells.columns if not c.startswith("\0")]


def _of_contenders(
    cells: pd.DataFrame, axis: str, contender: tuple[str, ...]
) -> pd.DataFrame:
    """Keep the rows whose axis is a size, and join the columns of the contender."""
    sizes = {text: size_of(text) for text in cells[axis].unique()}
    cells = cells[[sizes[text] is not None for text in cells[axis]]]
    who = cells[contender[0]]
    for name in contender[1:]:
        who = who + "/" + cells[name]
    return cells.assign(**{AXIS: cells[axis].map(sizes).astype(float), WHO: who})


def _no_sizes(cells: pd.DataFrame, axis: str) -> tuple[str, ...]:
    """Name the texts of the axis that are no sizes, with their rows.

    Raises:
        InputError: when none is a size.
    """
    counts = cells[axis].value_counts(sort=False).to_dict()
    wrong = {str(text): n for text, n in counts.items() if size_of(str(text)) is None}
    if counts and len(wrong) == len(counts):
        raise refused("axis", axis, f"hold numbers > 0, not {listed([*wrong], 4)}")
    return tuple(f"{axis} = {text} is no size ({n} rows)" for text, n in wrong.items())


def _groups(cells: pd.DataFrame, free: Sequence[str]) -> Groups:
    """Return the columns that split the rows into groups which can be answered.

    A column that no more than renames the size, the contender or the group does not.
    """
    by: Groups = []
    wanted = _most_sizes(cells, by)
    for name in free:
        if cells[name].nunique() < 2:
            continue
        if by and cells.groupby(by, sort=False)[name].nunique().max() < 2:
            continue
        if _most_sizes(cells, [*by, name]) >= min(2, max(wanted, 1)):
            by.append(name)
    return by


def _most_sizes(cells: pd.DataFrame, by: Groups) -> int:
    """Return the most sizes that two contenders share in any group."""
    pairs = cells[[*by, AXIS, WHO]].drop_duplicates()
    shared = pairs.groupby([*by, AXIS], sort=False).size() > 1
    if not by:
        return int(shared.sum())
    return int(shared.groupby(level=by, sort=False).sum().max()) if len(shared) else 0


def _notes(
    cells: pd.DataFrame, codes: pd.DataFrame, by: Groups, rest: Sequence[str]
) -> tuple[str, ...]:
    """Say in which settings the contenders differ throughout."""
    notes = []
    for name in rest:
        if name in NAMES or codes[name].nunique() < 2:
            continue
        if codes.groupby([*by, WHO], sort=False)[name].nunique().max() > 1:
            continue
        said = cells.drop_duplicates([WHO, name])[[name, WHO]].to_numpy().tolist()
        if len(said) == cells[WHO].nunique() and name not in ("file", "device"):
            told = listed([f"{value or 'none'} for {who}" for value, who in said], 4)
            notes.append(f"{name} differs: {told}")
    return tuple(notes)


def _refuse_mixed(
    cells: pd.DataFrame, codes: pd.DataFrame, by: Groups, rest: Sequence[str],
    ask: HeldAsk,
) -> None:  # fmt: skip
    """Refuse rows of one contender that differ in what does not make groups.

    Args:
        cells: the rows.
        codes: the same with a number for each text.
        by: the columns that make groups.
        rest: the others.
        ask: what was asked.

    Raises:
        InputError: naming the column and its values.
    """
    for name in rest:
        is_where = name in WHERE and name not in ("file", "version")
        place = [*by, WHO] if is_where else [*by, AXIS, WHO]
        if codes[name].nunique() < 2:
            continue
        several = codes.groupby(place, sort=False)[name].transform("nunique") > 1
        if not several.any():
            continue
        key = codes.loc[several, place].iloc[0]
        mine = cells[(codes[place] == key).all(axis=1)]
        values = [value or "empty" for value in mine[name].unique()]
        at = "" if is_where else f" at {ask.axis} = {mine[AXIS].iloc[0]:g}"
        who = mine[WHO].iloc[0]
        raise InputError(
            f"the rows of {who}{at} differ in {name} ({listed(values, 4)}): add "
            f"--contender {ask.contender},{name} for a contender each, or leave one "
            f"out (--bench, or one commit, machine or file)"
        )

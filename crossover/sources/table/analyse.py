"""Anybody's long table of times -> crossovers, one per group of rows.

In: a CSV file and the names of its columns. Both contenders' times are paired round by
round (docs/sources.md has the rules). Out: answers, lines to print, and analyse.csv and
analyse.md. `crossover analyse` calls it.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from crossover.crossing.answer import NOT_MEASURED, Settings, answer, point_answer
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.stability import are_cold
from crossover.files.untrusted import InputError, printable
from crossover.findings import Answer
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.pairs import MOST_ROUNDS, NUMBER, paired
from crossover.sources.table.rows import Table, read_table
from crossover.sources.table.told import GroupAnswer, line, write_answers

MOST_COLD = 0.2
"""Up to this share of the rounds is left out if they are cold."""
MOST_GROUPS = 10_000
"""A table has at most this many groups: each takes hundredths of a second."""
NO_PAIR = "no size has both contenders"
MOST_SIZES = 1000
"""A group has at most this many sizes."""


def analyse_file(
    path: Path, asked: TableAsk, out: Path | None, margin: float | None = None
) -> list[str]:
    """Read a table, find its crossovers, write them to `out` and return the lines.

    Args:
        path: the table.
        asked: what its columns are.
        out: the folder to write to, if any.
        margin: share by which a contender must be faster to be ahead; None: as usual.

    Raises:
        InputError: as `read_table` and `write_answers` do.
    """
    settings = Settings() if margin is None else Settings(margin=margin)
    found = analyse(read_table(path, asked), asked, settings)
    if out is not None:
        write_answers(out, found, asked)
    return [printable(line(row, asked)) for row in found]


def analyse(table: Table, asked: TableAsk, settings: Settings) -> list[GroupAnswer]:
    """Find the crossover of each group of the `by` columns, in the table's order.

    Rows that share group, size, contender and round are one round: their median
    counts. Only sizes with both contenders count.
    """
    pairs = paired(table.rows, asked)
    _check_sizes(table.rows, pairs.rounds, asked)
    points, rounds = (_groups(rows, asked) for rows in (pairs.points, pairs.rounds))
    every = table.rows[list(asked.by)].drop_duplicates()
    names = [tuple(map(str, name)) for name in every.itertuples(index=False, name=None)]
    found = []
    for name in names if asked.by else [()]:
        result = _answer(points.get(name), rounds.get(name), asked, settings)
        is_single = {"no_rounds", NO_PAIR} & {*result.flags}
        unpaired = (
            [f"unpaired: {pairs.unpaired}"] if pairs.unpaired and not is_single else []
        )
        flags = (*unpaired, *result.flags, *table.notes)
        found.append(GroupAnswer(name, dataclasses.replace(result, flags=flags)))
    return found


def _groups(rows: pd.DataFrame, asked: TableAsk) -> dict[tuple[str, ...], pd.DataFrame]:
    if not asked.by:
        return {(): rows}
    groups = rows.groupby(list(asked.by), sort=False)
    return {tuple(map(str, key)): members for key, members in groups}


def _check_sizes(table: pd.DataFrame, rounds: pd.DataFrame, asked: TableAsk) -> None:
    """Refuse more than can be computed in minutes and a gigabyte."""
    by = list(asked.by)
    groups = len(table[by].drop_duplicates()) if by else 1
    sizes = rounds[[*by, asked.axis]].value_counts(sort=False)
    most_rounds = int(sizes.max()) if len(sizes) else 0
    of_group = sizes.groupby(level=by, sort=False).size() if by else [len(sizes)]
    for what, reached, most in (
        ("groups", groups, MOST_GROUPS),
        (f"values of {asked.axis} in a group", max(of_group, default=0), MOST_SIZES),
        (f"rounds at a value of {asked.axis}", most_rounds, MOST_ROUNDS),
    ):
        if reached > most:
            raise InputError(f"{what} = {reached:,}: must be at most {most:,}")


def _answer(
    points: pd.DataFrame | None,
    rounds: pd.DataFrame | None,
    asked: TableAsk,
    settings: Settings,
) -> Answer:
    """Find a group's crossover, without an interval where rounds are too few.

    They are if no size has enough, or, where nobody named them, if some size has not:
    it would be left out.
    """
    if points is None or points.empty or rounds is None:
        return Answer(NOT_MEASURED, flags=(NO_PAIR,))
    rounds, cold = _without_cold(rounds, asked)
    sizes, times, starts = _arrays(rounds, asked)
    counts = np.diff([*starts, len(times)])
    least = max(counts, default=0) if asked.round else min(counts, default=0)
    if least >= FEWEST_ROUNDS:
        baseline_s, challenger_s = (np.split(times[:, i], starts[1:]) for i in (0, 1))
        work = _work(sizes, asked)
        found = answer(sizes, baseline_s, challenger_s, work, settings)
        return dataclasses.replace(found, flags=(*cold, *found.flags))
    sizes, times, _ = _arrays(points, asked)
    work = _work(sizes, asked)
    found = point_answer(sizes, times[:, 0], times[:, 1], work, settings.margin)
    if max(counts, default=0) == 1 and asked.round is None:
        return found
    few = f"fewer than {FEWEST_ROUNDS} {'rounds' if asked.round else 'repetitions'}"
    others = (flag for flag in found.flags if flag != "no_rounds")
    return dataclasses.replace(found, flags=(few, *others))


def _without_cold(
    rounds: pd.DataFrame, asked: TableAsk
) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the few rounds that a contender's start made slow at every size.

    Return the flag that names them, too, if there are any.
    """
    named = NUMBER if NUMBER in rounds else asked.round
    at, sizes = pd.factorize(rounds[asked.axis])
    number, names = pd.factorize(rounds[named])
    is_cold, said = np.zeros(len(names), bool), []
    for contender in (asked.baseline, asked.challenger) if len(sizes) else ():
        seconds = np.full((len(sizes), len(names)), np.nan)
        seconds[at, number] = rounds[contender]
        if (cold := are_cold(seconds)).any():
            is_cold |= cold
            listed = ", ".join(
                str(n + 1 if named == NUMBER else n) for n in names[cold]
            )
            said.append(f"{listed} of {contender}")
    left = len(names) - is_cold.sum()
    if not said or is_cold.mean() > MOST_COLD or left < FEWEST_ROUNDS:
        return rounds, []
    return rounds[~is_cold[number]], [f"cold_round: {' and '.join(said)}"]


def _arrays(rows: pd.DataFrame, asked: TableAsk) -> tuple[Array, Array, list[int]]:
    """Return the sizes, both contenders' times in their order, and where each starts.

    Groups are small and many: numpy splits them faster than pandas.
    """
    axis = rows[asked.axis].to_numpy(float)
    order = np.argsort(axis, kind="stable")
    times = rows[[asked.baseline, asked.challenger]].to_numpy(float)[order]
    sizes, starts = np.unique(axis[order], return_index=True)
    return sizes, times, starts.tolist()


def _work(sizes: Array, asked: TableAsk) -> Array:
    """Return what cost curves are fitted to: a constant, and the size.

    Of a rate nobody knows how the work grows: no curve that crosses is fitted.
    """
    one = np.ones(len(sizes))
    return one[:, None] if asked.higher_is_better else np.column_stack([one, sizes])

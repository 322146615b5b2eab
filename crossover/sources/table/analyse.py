"""Anybody's long table of times -> crossovers, one per group of rows.

In: a CSV file and the names of its columns. Both contenders' times are paired round by
round (docs/analyse.md has the rules). Out: answers, lines to print, and analyse.csv and
analyse.md. `crossover analyse` calls it.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from crossover.crossing.answer import (
    NOT_MEASURED,
    Settings,
    answer,
    point_answer,
    unlocated,
)
from crossover.crossing.decide import FEWEST_ROUNDS, Array
from crossover.crossing.stability import are_cold
from crossover.files.untrusted import InputError, printable
from crossover.findings import Answer
from crossover.sources.table.ask import TableAsk, Wanted
from crossover.sources.table.best import Best, Curve, Key, curves, fastest, merged
from crossover.sources.table.doubts import (
    Lacks,
    covers_fewer,
    flags_of,
    is_turned,
    lacks_of,
    turned_flag,
    units_apart,
    with_bounds,
)
from crossover.sources.table.pairs import MOST_ROUNDS, NUMBER, paired
from crossover.sources.table.paper import write_answers
from crossover.sources.table.roles import settle
from crossover.sources.table.rows import Table, read_table
from crossover.sources.table.text.file import read_file, rows_of
from crossover.sources.table.text.grid import Rows
from crossover.sources.table.told import Answered, GroupAnswer, line

MOST_COLD = 0.2
"""Up to this share of the rounds is left out if they are cold."""
MOST_GROUPS = 10_000
"""A table has at most this many groups: each takes hundredths of a second."""
NO_PAIR = "no size has both contenders"
MOST_SIZES = 1000
"""A group has at most this many sizes."""


@dataclass(frozen=True)
class Analysed:
    """The answers of a table, and what was made of it."""

    pairs: tuple[Answered, ...]
    """What was asked of each pair, and its answer for each group."""
    read: str
    """What each column was taken for, in a line."""
    notes: tuple[str, ...] = ()
    """What of the file is no row."""
    left_out: tuple[str, ...] = ()
    """Which rows of the pairs hold no size or no time."""
    curves: dict[Key, list[Curve]] = field(default_factory=dict)
    """The times of all contenders, by group."""
    tables: tuple[Table, ...] = ()
    """The rows that each pair was answered by."""

    @property
    def answers(self) -> list[GroupAnswer]:
        """All answers, pair by pair."""
        return [row for _, found in self.pairs for row in found]

    @property
    def best(self) -> list[Best]:
        """Who is fastest at each size of each group."""
        return [b for group, some in self.curves.items() for b in fastest(group, some)]

    @property
    def lines(self) -> list[str]:
        """A line for each answer."""
        return [
            printable(line(row, asked)) for asked, found in self.pairs for row in found
        ]

    def write(self, out: Path) -> None:
        """Write the answers to a folder, with a page and pictures.

        Raises:
            InputError: when it cannot be written.
        """
        write_answers(out, self.pairs, self.curves, self.best, self.read)

    @property
    def is_whole(self) -> bool:
        """Whether every row of the pairs has a time."""
        lacks = (f for row in self.answers for f in row.answer.flags)
        return not self.left_out and not any(f.startswith("failed: ") for f in lacks)


def analyse_file(
    path: Path, wanted: Wanted, out: Path | None, margin: float | None = None
) -> Analysed:
    """Read a table, find its crossovers, and write them to `out`.

    Args:
        path: the table; `-` is standard input.
        wanted: what is said of its columns.
        out: the folder to write to, if any.
        margin: share by which a contender must be faster to be ahead; None: as usual.

    Raises:
        InputError: as `read_file`, `analyse_rows` and `write_answers` do.
    """
    found = analyse_rows(read_file(path, wanted.columns), wanted, margin)
    if out is not None:
        found.write(out)
    return found


def analyse_frame(
    frame: pd.DataFrame, wanted: Wanted, margin: float | None = None
) -> Analysed:
    """Find the crossovers of a table of pandas; see `analyse_rows`."""
    return analyse_rows(rows_of(frame), wanted, margin)


def analyse_rows(rows: Rows, wanted: Wanted, margin: float | None = None) -> Analysed:
    """Find out which column is what, and the crossovers of each pair.

    Raises:
        InputError: as `settle` and `read_table` do.
    """
    settings = Settings() if margin is None else Settings(margin=margin)
    settled = settle(rows, wanted)
    pairs, drawn, said = [], [], dict.fromkeys(settled.said)
    left_out: dict[str, None] = {}
    tables = []
    for asked in settled.asked:
        table = read_table(settled.rows, asked)
        pairs.append((asked, tuple(analyse(table, asked, settings))))
        drawn.append(curves(table.rows, asked))
        said |= dict.fromkeys(table.said)
        left_out |= dict.fromkeys(table.left_out)
        tables.append(table)
    _check_any(pairs, wanted)
    read = f"Read: {'; '.join(said)}."
    return Analysed(
        tuple(pairs), printable(read), settled.rows.left_out, (*left_out,),
        merged(drawn), tuple(tables),
    )  # fmt: skip


def _check_any(pairs: Sequence[Answered], wanted: Wanted) -> None:
    """Refuse what was found out if no pair then has a size in common.

    Raises:
        InputError: with the options that say it.
    """
    is_told = wanted.axis is not None and wanted.contender is not None
    if is_told or any(NO_PAIR not in a.answer.flags for _, of in pairs for a in of):
        return
    asked = pairs[0][0]
    raise InputError(
        f"no {asked.axis} has times of {asked.baseline} and {asked.challenger}: say "
        "which column is the size with --axis, and who ran with --contender"
    )


def analyse(table: Table, asked: TableAsk, settings: Settings) -> list[GroupAnswer]:
    """Find the crossover of each group of the `by` columns, in the table's order.

    Rows that share group, size, contender and round are one round: their median
    counts. Only sizes with both contenders count.
    """
    pairs = paired(table.rows, asked)
    _check_sizes(table.rows, pairs.rounds, asked)
    points, rounds = (_groups(rows, asked) for rows in (pairs.points, pairs.rounds))
    apart = _groups(pairs.apart, asked) if len(pairs.apart) else {}
    lacking = lacks_of(table, asked)
    every = table.rows[list(asked.by)].drop_duplicates()
    names = [tuple(map(str, name)) for name in every.itertuples(index=False, name=None)]
    found = []
    for name in names if asked.by else [()]:
        one = _Group(points.get(name), rounds.get(name), lacking.get(name, Lacks()))
        result = _whole_answer(one, asked, settings)
        is_single = {"no_rounds", NO_PAIR} & {*result.flags}
        why = (
            f"no {asked.round} has both contenders" if name in apart else pairs.unpaired
        )
        unpaired = [f"unpaired: {why}"] if why and not is_single else []
        odd = [] if table.has_unit else units_apart(result, asked)
        flags = (
            *unpaired,
            *result.flags,
            *flags_of(one.lacks, asked),
            *odd,
            *table.notes,
        )
        answered = dataclasses.replace(result, flags=flags)
        sizes = len(one.lacks.both), one.lacks.counted
        found.append(GroupAnswer(name, answered, *sizes))
    return found


@dataclass(frozen=True)
class _Group:
    """One group's pairs, and what it lacks."""

    points: pd.DataFrame | None
    rounds: pd.DataFrame | None
    lacks: Lacks


def _whole_answer(group: _Group, asked: TableAsk, settings: Settings) -> Answer:
    """Find a group's answer, with what bounds settle, and what is odd about it."""
    found = _answer(group.points, group.rounds, asked, settings)
    if group.points is not None and len(group.points):
        found = with_bounds(found, group.points, group.lacks, asked, settings.margin)
    if covers_fewer(found, group.lacks, asked):
        found = unlocated(found)
    if is_turned(found):
        other = dataclasses.replace(
            asked, baseline=asked.challenger, challenger=asked.baseline
        )
        turned = _answer(group.points, group.rounds, other, settings)
        found = dataclasses.replace(
            found, flags=(*turned_flag(turned, asked), *found.flags)
        )
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
            is_ours = named == NUMBER
            listed = ", ".join(_round_name(name, is_ours) for name in names[cold])
            said.append(f"{listed} of {contender}")
    left = len(names) - is_cold.sum()
    if not said or is_cold.mean() > MOST_COLD or left < FEWEST_ROUNDS:
        return rounds, []
    return rounds[~is_cold[number]], [f"cold_round: {' and '.join(said)}"]


def _round_name(name: object, is_ours: bool) -> str:
    """Return the name of a round; those that we numbered begin with 1."""
    return (
        f"{int(str(name)) + 1}" if is_ours and not isinstance(name, str) else str(name)
    )


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

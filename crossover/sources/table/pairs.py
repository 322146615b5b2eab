"""The times of two contenders -> pairs, by the named rounds or else by their number.

`analyse` calls it; docs/analyse.md says when pairs are known to be measured in turns.
"""

from dataclasses import dataclass

import pandas as pd

from crossover.sources.table.ask import TableAsk

MOST_ROUNDS = 1000
"""A size has at most this many rounds; more repetitions are thinned evenly."""
NUMBER = "\0number"
NOBODY_SAYS = "no --round says that the contenders took turns"
IN_BLOCKS = "the table lists each contender's rounds in a block"


@dataclass(frozen=True)
class Paired:
    """Both contenders' times, a column each, with the columns of group and size."""

    rounds: pd.DataFrame
    """One row for each round."""
    points: pd.DataFrame
    """One row for each size: the medians of all repetitions."""
    unpaired: str
    """Why the rounds are not known to be measured in turns; "" if they are."""
    apart: pd.DataFrame
    """Groups where rounds have no partner at some size: numbered, and not in turns."""


def paired(table: pd.DataFrame, asked: TableAsk) -> Paired:
    """Pair the times by the named rounds, or else by the number of the repetition."""
    points = _side_by_side(table, [*asked.by, asked.axis], asked)
    by = list(asked.by)
    if asked.round is None:
        return Paired(_by_number(table, asked), points, NOBODY_SAYS, points[by].head(0))
    rounds = _side_by_side(table, [*by, asked.axis, asked.round], asked)
    is_in_turns = _took_turns(table, asked, asked.round)
    apart = _apart(points, rounds, asked)
    why = "" if is_in_turns else IN_BLOCKS
    if len(apart) == 0:  # `empty` is also said of a row without columns
        return Paired(rounds, points, why, apart)
    numbered = _by_number(_of_groups(table, apart, by), asked)
    rounds = _of_groups(rounds, apart, by, others=True)
    rounds = rounds.rename(columns={asked.round: NUMBER})
    return Paired(pd.concat([rounds, numbered]), points, why, apart)


def _apart(points: pd.DataFrame, rounds: pd.DataFrame, asked: TableAsk) -> pd.DataFrame:
    """Return the groups with a size where no round has both contenders.

    Without groups, a table of one row and no columns.
    """
    keys = [*asked.by, asked.axis]
    met = rounds[keys].drop_duplicates().assign(met=True)
    lacking = points[keys].merge(met, how="left", on=keys)["met"].isna().to_numpy()
    found = points.loc[lacking, list(asked.by)]
    return found.drop_duplicates() if asked.by else found.head(1)


def _of_groups(
    rows: pd.DataFrame, groups: pd.DataFrame, by: list[str], others: bool = False
) -> pd.DataFrame:
    """Return the rows of some groups, or of all others."""
    if not by:
        return rows.head(0) if others else rows
    is_of = pd.MultiIndex.from_frame(rows[by]).isin(pd.MultiIndex.from_frame(groups))
    return rows[~is_of if others else is_of]


def _side_by_side(
    table: pd.DataFrame, keys: list[str], asked: TableAsk
) -> pd.DataFrame:
    times = table.groupby([*keys, asked.contender], sort=False)[asked.time].median()
    wide = times.unstack(asked.contender).reindex(
        columns=[asked.baseline, asked.challenger]
    )
    return wide.dropna().reset_index()


def _by_number(table: pd.DataFrame, asked: TableAsk) -> pd.DataFrame:
    """Number the repetitions of each cell and pair them by that.

    A contender with more repetitions than the other has them taken evenly.
    """
    cells = table.groupby(list(asked.cell), sort=False)[asked.time]
    counts, number = cells.transform("size"), cells.cumcount()
    sizes = counts.groupby([table[c] for c in (*asked.by, asked.axis)], sort=False)
    least = sizes.transform("min").clip(upper=MOST_ROUNDS)
    # the j-th that is kept is repetition j * counts // least
    kept = -(-number * least // counts)
    is_kept = (kept < least) & (kept * counts // least == number)
    chosen = table[is_kept].assign(**{NUMBER: kept[is_kept]})
    return _side_by_side(chosen, [*asked.by, asked.axis, NUMBER], asked)


def _took_turns(table: pd.DataFrame, asked: TableAsk, named: str) -> bool:
    """Tell whether the contenders alternate in the order of the rows.

    In turns, each round brings at least one change from one contender to the other; in
    blocks a size has one change, however many rounds it has.
    """
    keys = [table[c] for c in (*asked.by, asked.axis)]
    is_challenger = (table[asked.contender] == asked.challenger).astype(int)
    changes = is_challenger.groupby(keys, sort=False).diff().abs()
    changed = changes.groupby(keys, sort=False).sum()
    rounds = table.groupby([*asked.by, asked.axis], sort=False)[named].nunique()
    several = rounds > 1
    return bool(changed[several].sum() >= rounds[several].sum() / 2)

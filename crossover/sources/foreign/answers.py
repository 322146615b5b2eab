"""The crossovers of what was read from another tool's files, or what can be asked.

In: a `Held` and what the user asked of it. Out: lines to print, what was left out, and
analyse.csv and analyse.md.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence

import pandas as pd

from crossover.crossing.answer import Settings
from crossover.files.untrusted import (
    InputError,
    check_known,
    listed,
    printable,
    refused,
)
from crossover.findings import size_text
from crossover.sources.foreign.held import DEVICE_WORD, Held, Row
from crossover.sources.foreign.question import (
    AXIS,
    MOST_CONTENDERS,
    ROW,
    WHO,
    HeldAsk,
    Question,
    question,
    selected,
)
from crossover.sources.table.analyse import NO_PAIR, Analysed, analyse
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.best import curves, merged
from crossover.sources.table.rows import Table
from crossover.sources.table.text.units import is_rate
from crossover.sources.table.told import GroupAnswer

TIME = "\0time"
STATISTICS = ("median", "mean", "min", "max")
_GAPS = tuple(map(re.compile, (r"[^\w.+-]+", r"\W+", r"[\W_]+")))
"""What stands between the words of a name, from rare to usual."""
MOST_NAMED = 5
"""At most this many rows that were left out are named one by one."""
Pair = tuple[str, str]
Key = tuple[str, ...]


def answers(held: Held, ask: HeldAsk, margin: float | None = None) -> Analysed:
    """Find the crossovers of every group, of each contender against the baseline.

    Raises:
        InputError: for a column, time or contender that is not there, and for rows
            that would be mixed.
    """
    rows = selected(held, ask.bench)
    if not rows:
        raise InputError(f"{held.source}: must hold a benchmark that was timed")
    asked = question(held, rows, ask)
    metric = _metric(held, [rows[i] for i in asked.rows[ROW]], ask)
    is_higher = _is_higher(metric, ask)
    times, failed = _times(asked, rows, metric, is_higher)
    settings = Settings() if margin is None else Settings(margin=margin)
    pairs, drawn, tables = [], [], []
    compared = _pairs(asked, ask)
    for pair, keys in compared.items():
        table_ask = TableAsk(
            asked.axis, TIME, WHO, *pair, asked.round, asked.by,
            higher_is_better=is_higher or None,
        )  # fmt: skip
        mine, lacking = (_of_pair(of, asked, pair, keys) for of in (times, failed))
        notes = (*asked.notes, *_statistics(rows, mine, metric))
        table = Table(mine, lacking.head(0), lacking, notes, has_unit=True)
        pairs.append((table_ask, _said(held, analyse(table, table_ask, settings))))
        drawn.append(curves(mine, table_ask))
        tables.append(table)
    named = {who for pair in compared for who in pair}
    if all(NO_PAIR in row.answer.flags for _, found in pairs for row in found):
        raise InputError(_nothing(asked, named))
    lacks = _left_out(asked, rows, named, metric)
    left = tuple(map(printable, (*held.left_out, *asked.left_out, *lacks)))
    read = _read(held, asked, metric)
    return Analysed(tuple(pairs), read, (), left, merged(drawn), tuple(tables))


def _read(held: Held, asked: Question, metric: str) -> str:
    """Say what the file and its columns were taken for."""
    groups = f"; groups = {' and '.join(asked.by)}" if asked.by else ""
    chosen = "".join(f"; {note}" for note in held.notes)
    return printable(
        f"Read: {held.source} as {held.tool}{chosen}; time = {metric}; "
        f"axis = {asked.axis}; contender = {','.join(asked.contender)}{groups}."
    )


def _metric(held: Held, rows: Sequence[Row], ask: HeldAsk) -> str:
    """Return what is taken for the time.

    Raises:
        InputError: when no row has what is asked for, or none has a time.
    """
    there = dict.fromkeys(name for row in rows for name in row.times)
    if ask.time is not None:
        name = ask.time if ask.time in there else held.synonyms.get(ask.time, ask.time)
        check_known("time", name, [*there])
        return name
    timed = [row for row in rows if row.times]
    for name in held.metrics:
        if timed and all(name in row.times for row in timed):
            return name
    if not timed:
        why = next((f": {row.why}" for row in rows if row.why), "")
        raise InputError(f"{held.source}: no row asked for has a time{why}")
    raise refused("time", None, f"be named, as no row has all: {listed([*there])}")


def _is_higher(metric: str, ask: HeldAsk) -> bool:
    if is_rate(metric) and ask.higher_is_better is None:
        raise InputError(
            f"time = {metric!r}: is a rate, of which more is better; add "
            "--higher-is-better, or --lower-is-better if it is a time all the same"
        )
    if ask.higher_is_better and not is_rate(metric):
        raise InputError(
            f"time = {metric!r}: is a time, of which less is better; leave out "
            "--higher-is-better"
        )
    return bool(ask.higher_is_better)


def _times(
    asked: Question, rows: Sequence[Row], metric: str, is_higher: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row for every time, and one for each row that has none, with why."""
    values = [rows[i].times.get(metric, ()) for i in asked.rows[ROW]]
    frame = asked.rows.assign(**{TIME: values})
    is_empty = frame[TIME].map(len) == 0
    whys = [rows[i].why or f"no {metric}" for i in frame.loc[is_empty, ROW]]
    failed = frame[is_empty].assign(**{TIME: whys}).reset_index(drop=True)
    timed = frame[~is_empty].explode(TIME).reset_index(drop=True)
    timed[TIME] = timed[TIME].astype(float)
    if is_higher:
        timed[TIME] = 1 / timed[TIME]
    return timed, failed


def _of_pair(
    times: pd.DataFrame, asked: Question, pair: Pair, keys: list[Key]
) -> pd.DataFrame:
    """Return the times of two contenders in some groups, the sizes as numbers."""
    mine = times[times[WHO].isin(pair)].drop(columns=[asked.axis])
    if asked.by:
        wanted = pd.DataFrame(keys, columns=[*asked.by], dtype=object)
        mine = mine.merge(wanted, on=[*asked.by])
    return mine.rename(columns={AXIS: asked.axis})


def _pairs(asked: Question, ask: HeldAsk) -> dict[Pair, list[Key]]:
    """Return who is compared with whom, and in which groups.

    Raises:
        InputError: for a contender that is not there, and for too many.
    """
    every = list(asked.rows[WHO].unique())
    baseline = _who("baseline", ask.baseline, every)
    wanted = [_who("challenger", name, every) for name in ask.challengers]
    if baseline is not None and baseline in wanted:
        raise refused("challenger", baseline, "not be the baseline")
    groups: dict[Key, list[str]] = {}
    if asked.by:
        for key, mine in asked.rows.groupby([*asked.by], sort=False):
            groups[tuple(map(str, key))] = list(mine[WHO].unique())
    else:
        groups[()] = every
    pairs: dict[Pair, list[Key]] = {}
    for key, who in groups.items():
        first = baseline or baseline_of([w for w in who if w not in wanted])
        others = [w for w in who if w != first and (not wanted or w in wanted)]
        if len(others) > MOST_CONTENDERS:
            raise InputError(
                f"contender = {ask.contender!r}: holds {len(others) + 1:,} in a group; "
                f"must be at most {MOST_CONTENDERS}: name --baseline and --challenger, "
                "or --bench"
            )
        for other in others if first in who else ():
            pairs.setdefault((str(first), other), []).append(key)
    if not pairs:
        raise InputError(_nothing(asked, {w for w in (baseline, *wanted) if w}))
    return pairs


def baseline_of(contenders: Sequence[str]) -> str | None:
    """Return whom the others are to beat: the first on a CPU, else the first."""
    on_cpu = (who for who in contenders if _device(who) in ("cpu", "numpy"))
    return next(on_cpu, next(iter(contenders), None))


def _device(who: str) -> str:
    words = DEVICE_WORD.findall(who)
    return words[0].lower() if len(words) == 1 else ""


def _who(field: str, name: str | None, every: Sequence[str]) -> str | None:
    """Return the contender that a name means: its own, or a word of one alone."""
    if name is None or name in every:
        return name
    near = [who for who in every if name in _words(who)]
    if len(near) == 1:
        return near[0]
    check_known(field, name, every)
    return name


def _words(who: str) -> set[str]:
    """Return the words of a name: of `a.time_cpu`, also `time_cpu` and `cpu`."""
    return {word for gap in _GAPS for word in gap.split(who)}


def _statistics(rows: Sequence[Row], times: pd.DataFrame, metric: str) -> list[str]:
    """Say which statistics stand in the place of single times."""
    is_one = metric in STATISTICS
    told = {metric if is_one else rows[i].statistic for i in times[ROW].unique()}
    return [f"{word} of times that were not kept" for word in sorted(told) if word]


def _said(held: Held, found: Sequence[GroupAnswer]) -> tuple[GroupAnswer, ...]:
    """Let the flag of what was not measured in turns name the tool."""
    why = f"unpaired: {held.tool}, where nothing says that contenders took turns"
    return tuple(
        dataclasses.replace(row, answer=dataclasses.replace(row.answer, flags=flags))
        for row in found
        for flags in [
            tuple(why if f.startswith("unpaired") else f for f in row.answer.flags)
        ]
    )


def _nothing(asked: Question, named: Iterable[str]) -> str:
    who = " and ".join(sorted(named)) or "two contenders"
    groups = f" in one group of {' and '.join(asked.by)}" if asked.by else ""
    return f"axis = {asked.axis!r}: must have a size with {who}{groups}"


def _left_out(
    asked: Question, rows: Sequence[Row], named: set[str], metric: str
) -> list[str]:
    """Name what the contenders that were compared have no time for."""
    lacks = {i for i, row in enumerate(rows) if row.why or metric not in row.times}
    cells = asked.rows[asked.rows[ROW].isin(lacks) & asked.rows[WHO].isin(named)]
    found = []
    for _, cell in cells.head(MOST_NAMED).iterrows():
        group = "".join(f", {name} = {cell[name]}" for name in asked.by)
        at = f"{cell[WHO]} at {asked.axis} = {size_text(cell[AXIS])}{group}"
        found.append(f"{at}: {rows[cell[ROW]].why or f'no {metric}'}")
    if len(cells) > MOST_NAMED:
        found.append(f"{len(cells) - MOST_NAMED:,} more rows without a time")
    return found

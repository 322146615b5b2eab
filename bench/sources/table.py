"""Anybody's long table of times -> crossovers, one per group of rows.

In: a CSV file and the names of its columns. Out: answers, lines to print, and
analyse.csv and analyse.md. `crossover analyse` calls it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.analysis.answer import NOT_MEASURED, Answer, Settings, answer, point_answer
from bench.nouns import InputError, field_names
from bench.spec import near
from bench.store import write_atomically


@dataclass(frozen=True)
class Asked:
    """Which column holds what, and which two contenders to compare."""

    axis: str
    time: str
    contender: str
    baseline: str
    challenger: str
    round: str | None = None
    """None: the table has one time per size, and no interval can be given."""
    by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column used."""
        rounds = (self.round,) if self.round is not None else ()
        return (self.axis, self.time, self.contender, *rounds, *self.by)


@dataclass(frozen=True)
class GroupAnswer:
    """The crossover of one group: the values of the `by` columns, and the answer."""

    group: tuple[str, ...]
    answer: Answer


def analyse_file(path: Path, asked: Asked, out: Path | None) -> list[str]:
    """Read a table, find its crossovers, write them to `out` and return the lines.

    Raises:
        InputError: as `read_table` and `write_answers` do.
    """
    found = analyse(read_table(path, asked), asked, Settings())
    if out is not None:
        write_answers(out, found, asked)
    return [line(row, asked) for row in found]


def read_table(path: Path, asked: Asked) -> pd.DataFrame:
    """Read the columns asked for; sizes and times as numbers.

    Raises:
        InputError: for a file that is no table, a missing column (with the nearest
            name), a time or size that is no positive number (with its line), and a
            contender that the table does not hold.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise InputError(f"file = {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"file = {str(path)!r}: not a CSV table: {reason}") from error
    known = tuple(map(str, table.columns))
    for column in asked.columns:
        if column not in known:
            raise InputError(
                f"column = {column!r}: must be one of {', '.join(known)}"
                f"{near(column, known)}"
            )
    if len(set(asked.columns)) < len(asked.columns):
        raise InputError(f"columns = {asked.columns}: each must be named only once")
    table = table[list(asked.columns)]
    for column in (asked.axis, asked.time):
        table = table.assign(**{column: _positive(table[column])})
    present = tuple(table[asked.contender].unique())
    for name in (asked.baseline, asked.challenger):
        if name not in present:
            raise InputError(
                f"contender = {name!r}: must be one of {', '.join(present[:20])}"
                f"{near(name, present)}"
            )
    return table[table[asked.contender].isin([asked.baseline, asked.challenger])]


def _positive(column: "pd.Series[str]") -> "pd.Series[float]":
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers > 0)))
    if len(bad):
        line = int(bad[0]) + 2  # the header is line 1
        raise InputError(
            f"{column.name} = {column.iloc[bad[0]]!r} in line {line}: "
            "must be a number > 0"
        )
    return numbers


def analyse(table: pd.DataFrame, asked: Asked, settings: Settings) -> list[GroupAnswer]:
    """Find the crossover of each group of the `by` columns, in the table's order.

    Rows that share group, size, contender and round are one round: their median
    counts. Rounds are paired by their name. Only sizes with both contenders count.
    """
    keys = [*asked.by, asked.axis, *([asked.round] if asked.round else [])]
    medians = table.groupby([*keys, asked.contender], sort=False)[asked.time].median()
    wide = medians.unstack(asked.contender)
    paired = wide[[asked.baseline, asked.challenger]].dropna().reset_index()
    groups: dict[tuple[str, ...], pd.DataFrame] = {}
    if asked.by:
        for key, rows in paired.groupby(list(asked.by), sort=False):
            groups[tuple(map(str, key))] = rows
    else:
        groups[()] = paired
    every = table[list(asked.by)].drop_duplicates().itertuples(index=False, name=None)
    names = [tuple(map(str, name)) for name in every] if asked.by else [()]
    return [
        GroupAnswer(name, _answer(groups.get(name), asked, settings)) for name in names
    ]


def _answer(rows: pd.DataFrame | None, asked: Asked, settings: Settings) -> Answer:
    if rows is None or rows.empty:
        return Answer(NOT_MEASURED, flags=("no size has both contenders",))
    # groups are small and many: numpy splits them faster than pandas
    axis = rows[asked.axis].to_numpy(float)
    order = np.argsort(axis, kind="stable")
    times = rows[[asked.baseline, asked.challenger]].to_numpy(float)[order]
    sizes, starts = np.unique(axis[order], return_index=True)
    work = np.column_stack([np.ones(len(sizes)), sizes])
    if asked.round is None:
        return point_answer(sizes, times[:, 0], times[:, 1], work, settings.margin)
    baseline_s, challenger_s = (np.split(times[:, i], starts[1:]) for i in (0, 1))
    return answer(sizes, baseline_s, challenger_s, work, settings)


def line(found: GroupAnswer, asked: Asked) -> str:
    """Say a group's answer in one line."""
    a = found.answer
    group = ", ".join(f"{n} = {v}" for n, v in zip(asked.by, found.group, strict=True))
    text = {
        "found": f"{asked.challenger} overtakes {asked.baseline} "
        f"from {asked.axis} {a.at or 0:.4g}{_interval(a)}",
        "always": f"{asked.challenger} is ahead at every {asked.axis}",
        "never": f"{asked.challenger} is still behind at the largest {asked.axis}",
        "not_monotone": "more than one crossing, or ahead only at small sizes",
        "inconclusive": f"inconclusive{_interval(a)}",
        NOT_MEASURED: "not measured",
    }[a.outcome]
    flags = f" [{'; '.join(a.flags)}]" if a.flags else ""
    return f"{group}: {text}{flags}" if group else f"{text}{flags}"


def _interval(a: Answer) -> str:
    if a.confidence is None:
        return " (no interval)"
    low = "below the smallest size" if a.low is None else f"{a.low:.4g}"
    high = "above the largest size" if a.high is None else f"{a.high:.4g}"
    return f" ({a.confidence:.0%} interval: {low} to {high})".replace("%", " %")


def write_answers(out: Path, found: list[GroupAnswer], asked: Asked) -> None:
    """Write analyse.csv and analyse.md.

    Raises:
        InputError: when `out` cannot be written.
    """
    columns = field_names(Answer)
    records = []
    for row in found:
        fields = {n: getattr(row.answer, n) for n in columns}
        fields["flags"] = ";".join(row.answer.flags)
        group = dict(zip(asked.by, row.group, strict=True))
        pair = {"baseline": asked.baseline, "challenger": asked.challenger}
        records.append({**group, "axis": asked.axis, **pair, **fields})
    heads = [*asked.by, "axis", "baseline", "challenger", *columns]
    table = pd.DataFrame(records, columns=heads)
    lines = [f"# Crossovers of {asked.challenger} against {asked.baseline}", ""]
    lines += [f"- {line(row, asked)}" for row in found]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "analyse.csv", table.to_csv(index=False))
        write_atomically(out / "analyse.md", "\n".join(lines) + "\n")
    except OSError as error:
        raise InputError(f"out = {str(out)!r}: {error.strerror}") from error

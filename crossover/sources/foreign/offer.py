"""What can be asked of other tools' files: the axes and contenders that they hold.

In: a `Held`. Out: lines that list them, each question with a command to copy.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from crossover.files.untrusted import InputError, listed, printable
from crossover.sources.foreign.held import (
    COMMAND,
    DEVICE,
    DEVICE_WORD,
    NAMES,
    WHERE,
    Held,
    Row,
    size_of,
)
from crossover.sources.foreign.question import (
    AXIS,
    MOST_CONTENDERS,
    WHO,
    HeldAsk,
    cells_of,
    question,
)

MOST_OFFERS = 12
"""At most this many commands are listed."""
SAID = 6


@dataclass(frozen=True)
class Offer:
    """A question that has an answer, and how well it fits what is usually asked."""

    axis: str
    contender: str
    rank: tuple[int, ...]


def offers(held: Held, rows: Sequence[Row]) -> list[Offer]:
    """Return every axis and contender that share two sizes, the likeliest first."""
    rows = [row for row in rows if row.times]
    cells = cells_of(rows)
    names = [c for c in cells.columns if not c.startswith("\0")]
    names.sort(key=lambda name: name == COMMAND)  # a parameter says it shorter
    axes = [name for name in names if _is_axis(cells[name])]
    found = []
    for place, contender in enumerate(names):
        values = [v for v in cells[contender].unique() if v]
        if not 2 <= len(values) <= MOST_CONTENDERS:
            continue
        if any(_renames(cells, other, contender) for other in names[:place]):
            continue
        for axis in (a for a in axes if a != contender):
            if _shared_sizes(cells, axis, contender) > 1:
                rank = _rank(contender, values, axes)
                found.append(Offer(axis, contender, (*rank, place)))
    found.sort(key=lambda offer: offer.rank)
    likely = found[: 2 * MOST_OFFERS]
    return [offer for offer in likely if _is_answered(held, rows, offer, cells)]


def _is_answered(
    held: Held, rows: Sequence[Row], offer: Offer, cells: pd.DataFrame
) -> bool:
    try:
        question(held, rows, HeldAsk(offer.axis, offer.contender), cells)
    except InputError:
        return False
    return True


def _is_axis(column: "pd.Series[str]") -> bool:
    values = [value for value in column.unique() if value]
    sizes = [value for value in values if size_of(value) is not None]
    is_where = column.name in (*WHERE, *NAMES)
    return not is_where and len(sizes) > max(1, len(values) / 2)


def _renames(cells: pd.DataFrame, other: str, name: str) -> bool:
    """Tell whether two columns split the rows alike."""
    pairs = cells[[other, name]].drop_duplicates()
    return bool(pairs[other].is_unique and pairs[name].is_unique)


def _shared_sizes(cells: pd.DataFrame, axis: str, contender: str) -> int:
    """Return at how many sizes of some group two contenders were measured."""
    have = cells[(cells[axis] != "") & (cells[contender] != "")]
    have = have.rename(columns={axis: AXIS, contender: WHO})
    pairs = have[[AXIS, WHO]].drop_duplicates()
    return int((pairs.groupby(AXIS).size() > 1).sum())


def _rank(contender: str, values: list[str], axes: Sequence[str]) -> tuple[int, ...]:
    """Return a number that is the lower the likelier a column holds contenders."""
    on_devices = sum(DEVICE_WORD.search(value) is not None for value in values)
    return (
        contender in WHERE,
        contender in axes,
        -int(2 * on_devices > len(values) or contender == DEVICE),
    )


def completed(held: Held, ask: HeldAsk) -> HeldAsk:
    """Return a question with what was left out, if only one can be meant."""
    if ask.axis is not None and ask.contender is not None:
        return ask
    fitting = [
        offer
        for offer in offers(held, held.rows)
        if ask.axis in (None, offer.axis) and ask.contender in (None, offer.contender)
    ]
    if len(fitting) != 1:
        return ask
    return replace(ask, axis=fitting[0].axis, contender=fitting[0].contender)


def command(held: Held, offer: Offer) -> str:
    """Return the command that asks a question, to be copied."""
    return " ".join(
        [
            held.command,
            "--axis", shlex.quote(offer.axis),
            "--contender", shlex.quote(offer.contender),
        ]
    )  # fmt: skip


def listing(held: Held, rows: Sequence[Row]) -> tuple[list[str], bool]:
    """List what files hold, and what can be asked of it; tell whether anything can."""
    found = offers(held, rows)
    cells = cells_of(rows)
    timed = sum(1 for row in rows if row.times)
    said = ["; ".join([f"{held.source}: {held.tool}, {timed:,} timed", *held.notes])]
    for title, names in (
        ("Axes", dict.fromkeys(offer.axis for offer in found)),
        ("Contenders", dict.fromkeys(offer.contender for offer in found)),
    ):
        said += [f"{title}:"] if names else []
        said += [f"  {name}: {_values(cells[name])}" for name in names]
    if not found:
        every = [c for c in cells.columns if not c.startswith("\0")]
        said += [f"  {name}: {_values(cells[name])}" for name in every[:MOST_OFFERS]]
        return list(map(printable, said)), False
    for name in (n for n in WHERE if n in cells and cells[n].nunique() > 1):
        said.append(f"Answered for each {name}: {_values(cells[name])}")
    said.append("Ask one of these:")
    said += [f"  {command(held, offer)}" for offer in found[:MOST_OFFERS]]
    if len(found) > MOST_OFFERS:
        said.append(f"  ... and {len(found) - MOST_OFFERS:,} more")
    return list(map(printable, said)), True


def _values(column: "pd.Series[str]") -> str:
    values = [value for value in column.unique() if value]
    if _is_axis(column):
        values.sort(key=lambda value: size_of(value) or 0.0)
    return listed(values, SAID)

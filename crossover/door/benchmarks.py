"""The crossovers in the benchmarks of one session of pytest.

In: what pytest-benchmark timed of anybody's tests. Out: lines for the plugin to print.
Nothing of it took turns, and all of it is from one process, which each line says.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from numbers import Real

import pandas as pd

from crossover.crossing.answer import Settings
from crossover.files.untrusted import InputError, check_known, listed, printable, shown
from crossover.sources.table.analyse import analyse
from crossover.sources.table.ask import TableAsk
from crossover.sources.table.rows import Table
from crossover.sources.table.told import GroupAnswer, line

TEST = "benchmark"
"""The column of tests: no parameter is called like pytest-benchmark's fixture."""
FUNCTION = "function"
"""As the contender, means the functions of the tests."""
TIME = "seconds of a call"
ADVICE = (
    "Each benchmark was measured in a block of its own, all in one process, and "
    "nothing compared their results: use `crossover run` for a decision."
)


@dataclass(frozen=True)
class Timed:
    """One benchmark: the test's name, its parameters, and seconds of each round."""

    test: str
    params: dict[str, object]
    seconds: tuple[float, ...]


def answered(
    timed: Iterable[Timed], axis: str, contender: str, baseline: str | None = None
) -> Iterator[str]:
    """Yield a line for each answer, and last what all of them lack.

    Args:
        timed: the benchmarks.
        axis: the parameter of sizes.
        contender: the parameter that says who is timed, or `function`.
        baseline: who others are compared with; None: the first one timed.

    Raises:
        InputError: naming a parameter, its value and what is allowed.
    """
    found = [one for one in timed if axis in one.params]
    named = [one for one in found if contender in one.params]
    is_by_function = not named and contender == FUNCTION
    if not is_by_function:
        found = named
    if not found:
        raise InputError(
            f"axis = {axis!r}, contender = {contender!r}: must be parameters of "
            "benchmarks that were measured"
        )
    columns = dict.fromkeys([TEST, *(name for one in found for name in one.params)])
    by = tuple(name for name in columns if name not in (axis, contender))
    rows = pd.DataFrame(_rows(found, axis, contender, is_by_function, by))
    who = tuple(rows[contender].unique())
    if baseline is not None:
        check_known("baseline", baseline, who)
    first = who[0] if baseline is None else baseline
    if len(who) < 2:
        raise InputError(
            f"contender = {contender!r}: must have more than {listed(who)}"
        )
    for other in (name for name in who if name != first):
        asked = TableAsk(axis, TIME, contender, first, other, by=by)
        pair = rows[rows[contender].isin((first, other))].reset_index(drop=True)
        none = pair.head(0)
        table = Table(pair, none, none, ("one_process",), has_unit=True)
        for one in analyse(table, asked, Settings()):
            yield printable(line(_in_blocks(one), asked))
    yield ADVICE


def _rows(
    found: Iterable[Timed], axis: str, contender: str, is_by_function: bool,
    by: tuple[str, ...],
) -> Iterator[dict[str, object]]:  # fmt: skip
    for one in found:
        values = {name: _text(value) for name, value in one.params.items()}
        values[TEST] = one.test
        if is_by_function:
            values[TEST], _, values[contender] = one.test.rpartition("::")
        fixed = {name: values.get(name, "") for name in by}
        head = {**fixed, axis: _size(axis, one.params[axis])}
        for seconds in one.seconds:
            yield {**head, contender: values[contender], TIME: seconds}


def _size(axis: str, value: object) -> float:
    """Return a size.

    Raises:
        InputError: for what is no number above 0.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, Real)
        or not 0 < float(value) < math.inf
    ):
        raise InputError(f"axis {axis} = {shown(value)}: must be a number > 0")
    return float(value)


def _text(value: object) -> str:
    """Return a parameter's value as text; a function's name."""
    return str(getattr(value, "__name__", value))


def _in_blocks(one: GroupAnswer) -> GroupAnswer:
    """Return an answer without the options of another command in its flags."""
    flags = tuple(
        "unpaired" if flag.startswith("unpaired") else flag for flag in one.answer.flags
    )
    return replace(one, answer=replace(one.answer, flags=flags))

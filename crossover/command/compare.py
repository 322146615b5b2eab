"""The job behind `compare`: what changed from one run to others; is it a failure?"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.command.ask import parse_margin, parse_share
from crossover.command.reports import INCOMPLETE
from crossover.command.state import say_state
from crossover.files.atomic import write_atomically
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, refused
from crossover.measure.environment import ENVIRONMENT, say_lost

if TYPE_CHECKING:
    from crossover.gate.changes import Limits

FACTOR = re.compile(r"\d+(\.\d+)?x?")
LARGEST_FACTOR = 1e6


def parse_factor(text: str | None) -> float | None:
    """Read a factor such as `1.25`; None where none is given.

    Raises:
        InputError: for anything else, and for one that is not more than 1.
    """
    if text is None:
        return None
    must = "be a factor of more than 1, such as 1.25"
    if not FACTOR.fullmatch(text.strip()):
        raise refused("fail_moved", text, must)
    factor = float(text.strip().removesuffix("x"))
    if not 1 < factor < LARGEST_FACTOR:
        raise refused("fail_moved", text, must)
    return factor


def limits_of(
    margin: str | None,
    fail_slower: str | None,
    fail_moved: str | None,
    only: str | None,
) -> "Limits":
    """Return the limits that texts give.

    Raises:
        InputError: for a text that is none.
    """
    from crossover.gate.changes import Limits

    return Limits(
        parse_margin(margin),
        None if fail_slower is None else parse_share("fail_slower", fail_slower),
        parse_factor(fail_moved),
        only,
    )


def do_compare(
    names: Sequence[str],
    limits: "Limits",
    json: bool = False,
    summary: Path | None = None,
    plot: Path | None = None,
) -> int:
    """Print what changed from the first run to the others; return the exit code.

    The code is 1 when a limit is broken, else 3 when a run is incomplete or something
    that has a limit could not be judged.

    Args:
        names: of the runs, as `run_named` reads them.
        limits: what must not be exceeded.
        json: print the comparison as JSON, and nothing else.
        summary: the file for a summary in Markdown.
        plot: the file for a picture, .svg or .png.

    Raises:
        InputError: when a run cannot be read, or a file not be written.
    """
    from crossover.gate import words
    from crossover.gate.changes import compare
    from crossover.sources.find_runs import run_named

    if len(names) < 2:
        raise InputError("runs: must be two at least, BEFORE AFTER")
    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise refused("plot", str(plot), "end in .svg or .png")
    runs = [run_named(name) for name in names]
    say_state([Path(name) for name in names], ENVIRONMENT.say)
    for name, run in zip(names, runs, strict=True):
        say_lost(name, run)
    found = compare(runs, names, limits)
    if all(run.spec.name == "asv" for run in runs):
        ENVIRONMENT.say(
            "asv measures each contender in a block of its own: what the machine "
            "drifted from block to block counts as a change, unless the commits were "
            "measured with asv run --interleave-rounds"
        )
    if json:
        print(found.model_dump_json(indent=2))
    else:
        for said in words.lines(found):
            print(said)
    if summary is not None:
        with refusing("markdown", summary):
            write_atomically(summary, words.summary(found))
    if plot is not None:
        from crossover.gate.history import drawn

        picture = drawn(found, plot.suffix.removeprefix("."))
        with refusing("plot", plot):
            write_atomically(plot, picture)
    if found.failed:
        return 1
    return INCOMPLETE if found.incomplete else 0

"""The jobs behind `pick` and `export`: use what a run found."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossover.command.ask import parse_words
from crossover.files.atomic import write_atomically
from crossover.files.refusals import refusing
from crossover.files.untrusted import InputError, check_known, shown
from crossover.measure.environment import say_lost


def do_pick(name: str, words: Sequence[str], view: str, extrapolate: bool) -> None:
    """Print whom to use for the case that words give, and how sure that is.

    Raises:
        InputError: naming a size, its value and what was measured.
    """
    from crossover.choose.export import picked
    from crossover.choose.shipped.choice import Choice

    other, given = parse_words(words)
    if other is not None:
        raise InputError(f"{shown(other)}: must be NAME=SIZE, such as hidden=512")
    sizes = {size: _value(text) for size, text in given.items()}
    print(picked(Choice(_data(name, view)), sizes, extrapolate))


def do_export(name: str, form: str, view: str, out: Path | None) -> None:
    """Print a file to ship, or write it.

    Raises:
        InputError: for another form, or when it cannot be written.
    """
    from crossover.choose.export import FORMS, exported

    check_known("to", form, FORMS)
    text = exported(_data(name, view), form)
    if out is None:
        sys.stdout.write(text)
        return
    with refusing("out", out):
        write_atomically(out, text)
    print(f"Wrote {out}")


def _data(name: str, view: str) -> dict[str, Any]:
    from crossover.choose.of_run import data_of_run
    from crossover.sources.find_runs import run_named

    run = run_named(name)
    say_lost(Path(name), run)
    return data_of_run(run, view)


def _value(text: str) -> int | float | str:
    """Return a size as a number; a setting that is none as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

"""The job behind `analyse`: anybody's table, or what another tool wrote."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossover.command.ask import parse_margin
from crossover.command.foreign import analyse_held
from crossover.command.reports import INCOMPLETE
from crossover.sources.table.analyse import analyse_file
from crossover.sources.table.ask import Wanted
from crossover.sources.table.text.marks import parse_decimal
from crossover.sources.table.told import say_left_out


def do_analyse(options: Mapping[str, Any]) -> int:
    """Print the crossovers of a file; return the exit code.

    Args:
        options: values by the names of the command's parameters.
    """
    file: Path = options["file"]
    out: Path | None = options["out"]
    groups, pooled, columns = (
        tuple(options[name].split(",")) if options[name] else ()
        for name in ("by", "pool", "wide")
    )
    wanted = Wanted(
        axis=options["axis"],
        time=options["time"],
        contender=options["contender"],
        baseline=options["baseline"],
        challengers=tuple(options["challenger"] or ()),
        round=options["round_"],
        by=groups,
        pool=pooled,
        higher_is_better=options["higher_is_better"],
        wide=columns,
        decimal=parse_decimal(options["decimal"]),
    )
    code = analyse_held(file, wanted, out, options["margin"])
    if code is not None:
        return code
    found = analyse_file(file, wanted, out, parse_margin(options["margin"]))
    for said in (*found.lines, found.read):
        print(said)
    for said in say_left_out(found.notes, found.left_out):
        print(f"crossover: {said}", file=sys.stderr)
    return 0 if found.is_whole else INCOMPLETE

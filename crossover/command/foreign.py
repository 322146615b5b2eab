"""Other tools' results of any benchmark: what they hold, or what they answer.

`report` and `analyse` call it. In: what was asked. Out: lines, and an exit code.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.command.ask import parse_margin
from crossover.command.reports import INCOMPLETE, ReportAsk
from crossover.files.untrusted import InputError, file_name
from crossover.measure.environment import ENVIRONMENT

if TYPE_CHECKING:
    from crossover.sources.foreign.held import Held
    from crossover.sources.foreign.question import HeldAsk
    from crossover.sources.table.ask import Wanted


def is_foreign(ask: ReportAsk) -> bool:
    """Tell whether a report is asked of benchmarks that are none of ours.

    Raises:
        InputError: when runs of ours are asked, too.
    """
    named = {"axis": ask.axis, "contender": ask.contender, "bench": ask.bench,
             "baseline": ask.baseline}  # fmt: skip
    given = [name for name, value in named.items() if value is not None]
    if given and (ask.runs or not (ask.from_asv or ask.from_pytest_benchmark)):
        raise InputError(
            f"{given[0]} = {named[given[0]]!r}: goes with --from-asv and "
            "--from-pytest-benchmark only"
        )
    return bool(given)


def report_held(ask: ReportAsk) -> int:
    """Answer what is asked of asv's or pytest-benchmark's results, or list it.

    Returns the exit code.

    Raises:
        InputError: when nothing can be read, or no question is asked.
    """
    from crossover.sources.find_runs import RESULTS
    from crossover.sources.foreign.asv_store import read_store
    from crossover.sources.foreign.pytest_files import read_files
    from crossover.sources.foreign.question import HeldAsk

    for name in ("prices", "good_enough", "latex", "parquet", "recover"):
        if getattr(ask, name):
            raise InputError(f"{name.removesuffix('s')}: goes with runs of ours only")
    held_ask = HeldAsk(ask.axis, ask.contender, baseline=ask.baseline, bench=ask.bench)
    codes = []
    for option, names in (
        ("--from-asv", ask.from_asv),
        ("--from-pytest-benchmark", tuple(map(str, ask.from_pytest_benchmark))),
    ):
        if not names:
            continue
        command = "crossover report " + " ".join(
            f"{option} {shlex.quote(name)}" for name in names
        )
        if ask.bench is not None:
            command += f" --bench {shlex.quote(ask.bench)}"
        held = (
            read_store(names, command)
            if option == "--from-asv"
            else read_files([*map(Path, names)], command)
        )
        out = None
        if not ask.show:
            tool = option.removeprefix("--from-")
            name = f"{tool}-{file_name(Path(names[0]).resolve().name)}"
            out = ask.out or RESULTS / name
        codes.append(answer_held(held, held_ask, out, ask.margin))
    return max(codes)


def answer_held(
    held: "Held", ask: "HeldAsk", out: Path | None, margin: str | None
) -> int:
    """Print the answers to a question, or the questions that can be asked.

    Returns the exit code: 3 where anything was left out.

    Raises:
        InputError: when it must be asked, as several questions can be.
    """
    from crossover.sources.foreign.answers import answers
    from crossover.sources.foreign.offer import listing
    from crossover.sources.foreign.question import selected

    share = parse_margin(margin)
    if ask.axis is None or ask.contender is None:
        said, is_any = listing(held, selected(held, ask.bench))
        for line in said:
            print(line)
        for line in held.left_out:
            ENVIRONMENT.say(f"left out: {line}")
        if not is_any:
            raise InputError(
                f"{held.source}: must hold a parameter that is a number, and one of "
                "which two values were timed at two of those numbers"
            )
        missing = "axis" if ask.axis is None else "contender"
        raise InputError(f"{missing}: missing; name --axis and --contender as above")
    found = answers(held, ask, share)
    for line in (*found.lines, found.read):
        print(line)
    for line in found.left_out:
        ENVIRONMENT.say(f"left out: {line}")
    if out is not None:
        found.write(out)
        print(f"Report: {out / 'analyse.html'}")
    return 0 if found.is_whole else INCOMPLETE


def analyse_held(
    file: Path, wanted: "Wanted", out: Path | None, margin: str | None
) -> int | None:
    """Answer what is asked of a file that another tool wrote; None if none did.

    Args:
        file: any file.
        wanted: what is said of it; the rest is found out, if only one can be meant.
        out: the folder to write to, if any.
        margin: as it is typed.
    """
    from crossover.sources.foreign.offer import completed
    from crossover.sources.foreign.question import HeldAsk
    from crossover.sources.foreign.recognise import recognised

    command = f"crossover analyse {shlex.quote(str(file))}"
    held = None if wanted.wide else recognised(file, command)
    if held is None:
        return None
    ask = HeldAsk(
        wanted.axis, wanted.contender, wanted.time, wanted.baseline, wanted.challengers,
        wanted.round, wanted.by or None, wanted.pool,
        higher_is_better=wanted.higher_is_better,
    )  # fmt: skip
    return answer_held(held, completed(held, ask), out, margin)

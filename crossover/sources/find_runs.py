"""What a user points at -> runs: run folders, asv's results, pytest-benchmark's files.

The commands `report` and `compare` call it.
"""

from collections.abc import Iterable
from pathlib import Path

from crossover.files.untrusted import InputError, file_name
from crossover.nouns import Run
from crossover.record import run_folder
from crossover.sources.asv import read_asv
from crossover.sources.json_file import read_object
from crossover.sources.pytest_benchmark import read_pytest_benchmark, read_saved

RESULTS = Path("results")


def runs_given(
    folders: Iterable[Path],
    from_asv: Iterable[str],
    from_pytest_benchmark: Iterable[Path],
    out: Path | None,
    left_out: list[str] | None = None,
) -> list[tuple[Run, Path]]:
    """Read runs, each with the folder its report goes to.

    A single run goes to `out` itself, several to a folder each in it. Without `out` a
    run folder is its own, and other tools' runs go to results/.

    `left_out` gets in words which files of a folder cannot be read; None: refused.

    Raises:
        InputError: when nothing is given or anything of it cannot be read.
    """
    own = [(run_folder.load(folder), folder) for folder in folders]
    others = [run for reference in from_asv for run in read_asv(reference, left_out)]
    for path in from_pytest_benchmark:
        others += read_saved(path, left_out)
    runs = [run for run, _ in own] + others
    if not runs:
        raise InputError(
            "runs: missing; give a run folder, --from-asv or --from-pytest-benchmark"
        )
    if out is not None and len(runs) == 1:
        return [(runs[0], out)]
    named: dict[Path, Run] = {} if out is not None else {f: run for run, f in own}
    taken = {str(folder).casefold() for folder in named}
    for run in runs if out is not None else others:
        name = file_name(run.run_id)
        folder, n = (out or RESULTS) / name, 1
        while str(folder).casefold() in taken:  # some file systems know no case
            n += 1
            folder = folder.with_name(f"{name}-{n}")
        taken.add(str(folder).casefold())
        named[folder] = run
    return [(run, folder) for folder, run in named.items()]


def run_named(text: str) -> Run:
    """Read the one run that a text names.

    A run folder, a file of pytest-benchmark or of asv, or asv's results folder with
    @COMMIT.

    Raises:
        InputError: when it names none, or several.
    """
    path = Path(text)
    if path.is_file():
        is_asv = "results" in read_object(path)
        return read_asv(text)[0] if is_asv else read_pytest_benchmark(path)
    if (path / run_folder.HEADER).exists() or not (path.exists() or "@" in text):
        return run_folder.load(path)
    found = read_asv(text)
    if len(found) > 1:
        names = ", ".join(run.run_id for run in found[:8])
        raise InputError(
            f"run = {text!r}: holds {len(found)}: {names}; must be one: add @ and how "
            "its file's name begins"
        )
    return found[0]

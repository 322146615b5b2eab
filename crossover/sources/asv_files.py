"""Which files of asv's a user means, and whether they are in a format that is known.

`asv` reads our own cells from them, `foreign` those of any suite.
"""

from pathlib import Path
from typing import Any

from crossover.files.untrusted import InputError
from crossover.sources.json_file import wrong

VERSIONS = (1, 2)
MACHINE = "machine.json"


def result_files(reference: str) -> tuple[list[Path], str]:
    """Return the result files that a reference names, and how their commit begins.

    Raises:
        InputError: when it names none.
    """
    path, _, commit = (
        (reference, "", "") if Path(reference).exists() else reference.rpartition("@")
    )
    files = _files(Path(path or reference))
    named = [file for file in files if file.stem.startswith(commit[:8])]
    if not named:
        raise unknown_commit(commit, reference, files)
    return named, commit


def unknown_commit(commit: str, reference: str, files: list[Path]) -> InputError:
    """Return the error that no file is of a commit."""
    known = ", ".join(sorted({file.stem for file in files})[:8])
    return InputError(
        f"commit = {commit!r} in {reference!r}: must begin one of {known}"
    )


def _files(folder: Path) -> list[Path]:
    """List the result files of a results folder, of a machine's, or the one given."""
    if folder.is_file():
        return [folder]
    if not folder.exists():
        raise InputError(f"from_asv = {str(folder)!r}: must be a folder that exists")
    pattern = "*.json" if (folder / MACHINE).exists() else "*/*.json"
    files = sorted(file for file in folder.glob(pattern) if file.name != MACHINE)
    if not files:
        raise InputError(
            f"from_asv = {str(folder)!r}: holds no MACHINE/COMMIT-ENVIRONMENT.json; "
            "must be asv's results_dir, such as .asv/results"
        )
    return files


def check_version(file: Path, fields: dict[str, Any]) -> None:
    """Check that a file is one of asv's results, in a format that is known.

    Raises:
        InputError: naming file, field and what is allowed.
    """
    for name in ("results", "commit_hash"):
        if name not in fields:
            raise InputError(f"{file}: {name}: missing; must be a result file of asv")
    version = fields.get("version")
    if version not in VERSIONS or isinstance(version, bool):
        raise wrong(file, "version", version, "must be 1 or 2: asv up to 0.6 is read")

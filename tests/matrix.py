"""Install the wheel in clean environments, run what must work there, print a table.

    python tests/matrix.py [--here] [--torch VERSION ...] [--torch-index URL]

Python 3.11 to 3.13, each with the pinned torch, the oldest that is allowed, and none.
On Linux only builds for the CPU are taken, since those for CUDA are gigabytes. What
cannot be had is "not available", with the reason. Exit code 1: something failed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "tests/installed_suite.py"
PINS = ROOT / "constraints.txt"
PYTHONS = "3.11", "3.12", "3.13"
OLDEST_TORCH = "2.7.1"
NO_TORCH = "none"
COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")
NOT = "not available"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
PROGRAMS = "Scripts" if sys.platform == "win32" else "bin"
SAYS = (
    "import sys; from importlib.metadata import version as v; "
    "print(f'Python {sys.version.split()[0]}, NumPy {v(\"numpy\")}')"
)


@dataclass(frozen=True)
class Row:
    """One environment, and what came of it."""

    python: str
    torch: str
    found: dict[str, int]
    said: str = ""

    @property
    def has_failed(self) -> bool:
        return bool(self.found.keys() & {"failed", "error"})

    def __str__(self) -> str:
        counts = ", ".join(f"{n} {what}" for what, n in self.found.items())
        return f"| {self.python} | {self.torch} | {counts or NOT} | {self.said} |"


class NotAvailableError(Exception):
    """Why an environment cannot be had here."""


def pinned(name: str) -> str:
    """Return the version that a package is pinned to."""
    found = re.search(rf"^{name}==(\S+)$", PINS.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def interpreter(version: str) -> str:
    """Return a Python of a version: from the path, by uv, or from pyenv."""
    if version == HERE:
        return sys.executable
    if found := shutil.which(f"python{version}"):
        asked = subprocess.run([found, "--version"], capture_output=True, check=False)
        if asked.returncode == 0:  # pyenv's own name for it may lead to none
            return found
    if shutil.which("uv"):
        done = said_by("uv", "python", "find", version)
        if done.returncode == 0:
            return done.stdout.strip()
    own = Path.home() / ".pyenv/versions"
    for path in sorted(own.glob(f"{version}.*/bin/python{version}"), reverse=True):
        return str(path)
    raise NotAvailableError(f"no Python {version} is installed")


def said_by(
    *command: str, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", errors="replace",
        check=False,
    )  # fmt: skip


def last_line(text: str) -> str:
    lines = [s for s in text.splitlines() if s.strip() and not s.startswith("WARNING")]
    return (lines or ["no last words"])[-1].strip()[:100]


def build(out: Path) -> Path:
    """Build the wheel."""
    done = said_by(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out),
        str(_copied(out / "source")),
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"matrix: the wheel is not built: {last_line(done.stderr)}")
    return next(out.glob("*.whl"))


def _copied(target: Path) -> Path:
    """Copy what the wheel is built from, so that no build folder is left here."""
    target.mkdir(parents=True)
    for name in ("crossover", "softmax_core"):
        left = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, target / name, ignore=left)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    return target


def measured(wheel: Path, python: str, torch: str, index: str, is_quiet: bool) -> Row:
    """Install the wheel for a Python and a torch, and run the suite there."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            own = installed(wheel, python, torch, index, Path(folder))
            shutil.copy(SUITE, folder)
            (Path(folder) / "pytest.ini").write_text("[pytest]\n", "utf-8")
            run = "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", SUITE.name
            done = said_by(own, *run, cwd=Path(folder))
            said = said_by(own, "-c", SAYS).stdout.strip()
    except NotAvailableError as why:
        return Row(python, torch, {}, str(why))
    if not is_quiet:
        print(done.stdout, file=sys.stderr)
    counts = {what: int(n) for n, what in COUNTS.findall(last_line(done.stdout))}
    return Row(python, torch, counts or {"error": 1}, said)


def installed(wheel: Path, python: str, torch: str, index: str, folder: Path) -> str:
    """Return the Python of a new environment that holds the wheel.

    The pins are one Python's and one torch's: others take the newest that fits them.

    Raises:
        NotAvailableError: when something of it cannot be had.
    """
    _run(interpreter(python), "-m", "venv", str(folder / "env"))
    own = str(folder / "env" / PROGRAMS / "python")
    pins = folder / "pins.txt"
    build = f"{torch}+cpu" if sys.platform.startswith("linux") else torch
    is_pinned = (python, torch) == (HERE, pinned("torch"))
    pins.write_text(PINS.read_text("utf-8") if is_pinned else "", "utf-8")
    more = ["--extra-index-url", index] if index else []
    install = own, "-m", "pip", "install", "--quiet", "--constraint", str(pins), *more
    if torch == NO_TORCH:
        _run(*install, *without_torch(), "pytest")
        _run(*install, "--no-deps", str(wheel))
    else:
        done = said_by(*install, "--no-deps", f"torch=={build}")
        if done.returncode:  # before anything else is downloaded
            raise NotAvailableError(f"no torch=={build} for this Python on this index")
        _run(*install, str(wheel), "pytest", f"torch=={build}")
    return own


def without_torch() -> list[str]:
    """Return what the wheel requires, except torch."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [one for one in project["dependencies"] if not one.startswith("torch>")]


def _run(*command: str) -> None:
    done = said_by(*command)
    if done.returncode:
        raise NotAvailableError(last_line(done.stderr))


def main() -> int:
    """Print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--here", action="store_true", help="this Python, pinned torch")
    parser.add_argument("--torch", action="append", default=[], help="more versions")
    parser.add_argument("--torch-index", default="", help="where torch is taken from")
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    options = parser.parse_args()
    torches = [pinned("torch"), OLDEST_TORCH, *options.torch, NO_TORCH]
    cells = [(python, torch) for python in PYTHONS for torch in torches]
    if options.here:
        cells = [(HERE, pinned("torch")), (HERE, NO_TORCH)]
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        more = options.torch_index, options.quiet
        rows = [measured(wheel, *cell, *more) for cell in cells]
    print("| Python | torch | tests | |\n| --- | --- | --- | --- |")
    print(*rows, sep="\n")
    return int(any(row.has_failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())

"""Install the wheel in clean environments, run what must work there, print a table.

    python tests/matrix.py [--here] [--cuda] [--torch-index URL]

Python 3.11 to 3.13, each with the pinned torch and with the oldest that is allowed.
What cannot be had is "not available", with the reason. Exit code 1: something failed.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "tests/installed_suite.py"
PINS = ROOT / "constraints.txt"
PYTHONS = "3.11", "3.12", "3.13"
OLDEST_TORCH = "2.7.1"
COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")
NOT = "not available"


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


class Missing(Exception):
    """Why an environment cannot be had here."""


def pinned(name: str) -> str:
    """Return the version that a package is pinned to."""
    found = re.search(rf"^{name}==(\S+)$", PINS.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def interpreter(version: str) -> str:
    """Return a Python of a version: from the path, from pyenv, or by uv."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
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
    raise Missing(f"no Python {version} is installed")


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


def measured(wheel: Path, python: str, torch: str, options: argparse.Namespace) -> Row:
    """Install the wheel for a Python and a torch, and run the suite there."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measured(wheel, python, torch, options, Path(folder))
    except Missing as why:
        return Row(python, torch, {}, str(why))


def _measured(
    wheel: Path, python: str, torch: str, options: argparse.Namespace, folder: Path
) -> Row:
    done = said_by(interpreter(python), "-m", "venv", str(folder / "env"))
    if done.returncode:
        raise Missing(last_line(done.stderr))
    own = str(
        folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    )
    pins = folder / "pins.txt"
    is_pinned = torch == pinned("torch")
    # The pins are one Python's and one torch's: others take what fits them.
    same = python == f"{sys.version_info[0]}.{sys.version_info[1]}" and is_pinned
    pins.write_text(PINS.read_text("utf-8") if same else f"torch=={torch}\n", "utf-8")
    index = ["--extra-index-url", options.torch_index] if options.torch_index else []
    install = [
        own,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        str(pins),
        *index,
    ]
    if not options.cuda:
        _refuse_cuda(install, torch)
    done = said_by(*install, str(wheel), "pytest", cwd=folder)
    if done.returncode:
        raise Missing(last_line(done.stderr))
    shutil.copy(SUITE, folder)
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    done = said_by(own, "-m", "pytest", "-q", "-ra", SUITE.name, cwd=folder)
    if not options.quiet:
        print(done.stdout, file=sys.stderr)
    counts = {what: int(n) for n, what in COUNTS.findall(last_line(done.stdout))}
    known = said_by(own, "-c", "from importlib.metadata import version as v; import sys; "
                    "print(sys.version.split()[0], 'numpy', v('numpy'))")  # fmt: skip
    return Row(python, torch, counts, known.stdout.strip())


def _refuse_cuda(install: list[str], torch: str) -> None:
    """Refuse a torch of which only a build for CUDA, of gigabytes, is to be had."""
    done = said_by(
        *install, "--dry-run", "--ignore-installed", "--report", "-", f"torch=={torch}"
    )
    if done.returncode:
        raise Missing(last_line(done.stderr))
    whole = json.loads(done.stdout)["install"]
    names = [part["metadata"]["name"].lower() for part in whole]
    if any(name.startswith("nvidia-") for name in names):
        raise Missing(f"torch {torch} only as a build for CUDA, of gigabytes: --cuda")


def main() -> int:
    """Print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--here", action="store_true", help="this Python, pinned torch")
    parser.add_argument("--cuda", action="store_true", help="also builds for CUDA")
    parser.add_argument("--torch-index", default="", help="where torch is taken from")
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    options = parser.parse_args()
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    cells = [(p, t) for p in PYTHONS for t in (pinned("torch"), OLDEST_TORCH)]
    if options.here:
        cells = [(mine, pinned("torch"))]
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        rows = [measured(wheel, *cell, options) for cell in cells]
    print("| Python | torch | tests | |\n| --- | --- | --- | --- |")
    print(*rows, sep="\n")
    return int(any(row.has_failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())

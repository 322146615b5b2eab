"""Find the packages that this Python lacks for `gpu_check`, by importing all of ours.

The import happens in a process of its own: `python -m bench.promises.gpu_imports`.
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
IMPORT_S = 120.0
"""Seconds that importing all modules may take."""
NOT_NEEDED = (
    "crossover/__main__", "crossover/suites/", "softmax_core/trainers/fused_cuda/",
)  # fmt: skip
"""Modules not imported: one that would run, asv's, and those of an optional package."""
DISTRIBUTIONS = {"PIL": "pillow"}
"""Names on the package index that differ from the module's name."""


def modules() -> list[str]:
    """Return the names of the modules that the steps of `gpu_check` may import."""
    paths = [*ROOT.glob("softmax_core/**/*.py"), *ROOT.glob("crossover/**/*.py")]
    names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in paths]
    ours = [n for n in names if not n.startswith(NOT_NEEDED)]
    return sorted(n.removesuffix("/__init__").replace("/", ".") for n in ours)


def missing() -> list[str]:
    """Return the packages of others that an import misses, by a process of its own."""
    command = [sys.executable, "-m", "bench.promises.gpu_imports"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=IMPORT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SystemExit(f"gpu-check: imports take over {IMPORT_S:g} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no last words"])[-1]
        raise SystemExit(f"gpu-check: imports fail: {last}")
    return done.stdout.split()


def pins(names: list[str]) -> list[str]:
    """Return what to install for modules: `NAME==VERSION` where we pin one."""
    text = (ROOT / "constraints.txt").read_text("utf-8")
    found = []
    for module in names:
        name = DISTRIBUTIONS.get(module, module)
        loose = re.escape(name).replace("_", "[-_]")
        pin = re.search(rf"^{loose}==\S+", text, re.MULTILINE | re.IGNORECASE)
        found.append(pin[0] if pin else name)
    return found


def advice(names: list[str]) -> str:
    """Say what is missing, and how to bring it to a machine without a network."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = " ".join(pins(names))
    return (
        f"this Python lacks {', '.join(names)}. Where there is a network: "
        f"python3 -m pip download --only-binary=:all: --python-version {version} "
        f"-d wheels {wanted}; here: python3 -m pip install --no-index --find-links "
        f"wheels --target site {wanted} && export PYTHONPATH=$PWD/site"
    )


def main() -> None:
    """Import everything; print the top-level name of each package that is not there."""
    lacking: dict[str, None] = {}
    for name in [*modules(), "pytest"]:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            top = (error.name or name).partition(".")[0]
            if top in ("crossover", "softmax_core"):
                raise
            lacking[top] = None
    print(*lacking)


if __name__ == "__main__":
    main()

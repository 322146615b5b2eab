"""Write docs/licences.md: the licence of every package that constraints.txt pins.

From the packages' own metadata: `.venv/bin/python docs/licences.py`. It fails where one
is not known to be compatible with distribution under MIT.
"""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "licences.md"
ALLOWED = (
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause",
    "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0",
    "Zlib",
)  # fmt: skip
"""None asks more of who uses a package unchanged than to keep its notices."""
NAMES = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
UNSAID = {"atheris": "Apache-2.0"}
"""What a package's metadata leave to its LICENSE file."""
FOR_CUDA = {"numba-cuda": "BSD-2-Clause", "nvidia-ml-py": "BSD"}
"""What the extras for CUDA bring, which need not be installed here."""
PROPRIETARY = "proprietary"
FOR_KERNELS = {
    "numba-cuda": "BSD-2-Clause",
    "cuda-bindings": "Apache-2.0",
    "cuda-core": "Apache-2.0",
    "cuda-pathfinder": "Apache-2.0",
    "nvidia-cuda-cccl": PROPRIETARY,
    "nvidia-cuda-cuobjdump": PROPRIETARY,
    "nvidia-cuda-nvrtc": PROPRIETARY,
    "nvidia-cuda-runtime": PROPRIETARY,
    "nvidia-nvjitlink": PROPRIETARY,
    "nvidia-nvvm": PROPRIETARY,
}
"""What `make kernels` installs in an environment of its own (tests/gpu)."""
HEAD = """\
# Licences of the dependencies

Of every package that `constraints.txt` pins, by its own metadata. Written by
`docs/licences.py`; `tests/test_supply.py` compares it with what is installed. None of
them is part of what this project distributes, which is under MIT. Each of these
licences allows to use the package beside MIT code. A torch with CUDA, such as `make
compiled-offline` installs, brings Triton, which is under MIT, and NVIDIA's libraries,
which are proprietary: they are neither pinned nor distributed here.

| package | licence | needed to |
| --- | --- | --- |
"""
KERNELS = """
`make kernels`, which tests the GPU's kernels without a GPU, installs these in
`.venv-gpu`, as `tests/gpu/requirements.txt` pins them. NVIDIA's compilers are
proprietary: they are used there and not distributed.

| package | licence | needed to |
| --- | --- | --- |
"""


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> list[str]:
    """Return the names in constraints.txt, in order."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line.partition("==")[0] for line in lines if "==" in line]


def licence(name: str) -> str:
    """Return a package's licence: an SPDX expression where it gives one.

    Raises:
        ValueError: when its metadata name none that is known.
    """
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        if canonical(name) in FOR_CUDA:
            return FOR_CUDA[canonical(name)]
        raise
    if expression := about.get("License-Expression"):
        return str(expression)
    first = (about.get("License") or "").partition("\n")[0].partition("   ")[0].strip()
    classifiers = about.get_all("Classifier") or []
    classified = [c.rpartition(" :: ")[2] for c in classifiers if "License ::" in c]
    for text in (first, *classified):
        known = NAMES.get(text, text)
        if known in ALLOWED:
            return known
    if canonical(name) in UNSAID:
        return UNSAID[canonical(name)]
    raise ValueError(f"{name}: licence = {[first, *classified]}: must be a known one")


def parts(expression: str) -> list[str]:
    """Return the licences that an expression names."""
    return re.split(r" (?:AND|OR) ", expression.replace("(", "").replace(")", ""))


def needed_to_run() -> set[str]:
    """Return the canonical names of all that a plain installation brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, found = [Requirement(text) for text in project["dependencies"]], set[str]()
    while waiting:
        requirement = waiting.pop()
        marker = requirement.marker
        name = canonical(requirement.name)
        if name in found or (marker and not marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in metadata.requires(name) or ()]
    return found


def main() -> None:
    """Write the table."""
    to_run, rows = needed_to_run(), []
    for name in sorted(pinned(), key=canonical):
        text = licence(name)
        wrong = [part for part in parts(text) if part not in ALLOWED]
        if wrong:
            sys.exit(f"{name}: licence = {text}: {wrong[0]} is not in ALLOWED")
        what = "run" if canonical(name) in to_run else "develop"
        what = "use CUDA" if canonical(name) in FOR_CUDA else what
        rows.append(f"| {name} | {text} | {what} |")
    added = [f"| {n} | {text} | test kernels |" for n, text in FOR_KERNELS.items()]
    TABLE.write_text("\n".join([HEAD + rows[0], *rows[1:], KERNELS + added[0],
                                *added[1:], ""]))  # fmt: skip


if __name__ == "__main__":
    main()

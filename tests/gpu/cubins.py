"""What a kernel's machine code takes of a multiprocessor, as `cuobjdump` reads it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ARCHITECTURES = {
    "sm_75": (7, 5, ""),
    "sm_80": (8, 0, ""),
    "sm_86": (8, 6, ""),
    "sm_89": (8, 9, ""),
    "sm_90a": (9, 0, "a"),
    "sm_100a": (10, 0, "a"),
    "sm_120a": (12, 0, "a"),
}
"""Names, and how numba-cuda asks for them on a device of that capability."""
USED = re.compile(r"REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)")


@dataclass(frozen=True)
class Usage:
    """Registers of a thread; bytes: `shared` of a block without the dynamic ones."""

    registers: int
    stack: int
    shared: int
    local: int


def usage(cubin, kernel, folder):
    """Return what a kernel takes.

    Args:
        cubin: the machine code, bytes.
        kernel: its name there.
        folder: for a file.
    """
    import nvidia

    (path,) = nvidia.__path__
    tool = next(Path(path).glob("cu*/bin/cuobjdump"))
    file = folder / "kernel.cubin"
    file.write_bytes(cubin)
    said = subprocess.run(
        [tool, "-res-usage", file], capture_output=True, text=True, check=True
    ).stdout
    lines = said.splitlines()
    (at,) = (i for i, line in enumerate(lines) if f"Function {kernel}:" in line)
    return Usage(*map(int, USED.search(lines[at + 1]).groups()))

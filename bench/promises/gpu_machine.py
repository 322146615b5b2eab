"""Print a machine's driver, compilers and packages, without loading torch.

This is the first step of `gpu_check`; each question is a command bounded in time.

    python -m bench.promises.gpu_machine
"""

import os
import platform
import subprocess
import sys
from importlib import metadata

ASK_S = 5.0
"""Seconds that one command may take."""
ASKED = (
    ("nvidia-smi",),
    (
        "nvidia-smi",
        "--query-gpu=name,driver_version,compute_cap,compute_mode,mig.mode.current,"
        "persistence_mode,clocks.max.sm,clocks.max.mem,power.limit,pcie.link.gen.max,"
        "pcie.link.width.max",
        "--format=csv",
    ),
    ("lscpu",),
    ("nvcc", "--version"),
    ("cc", "--version"),
    ("compute-sanitizer", "--version"),
)
PREFIXES = (
    "CUDA", "CUBLAS", "KMP", "MKL", "NUMBA", "NVIDIA", "OMP", "PYTORCH", "TORCH",
    "TRITON",
)  # fmt: skip
"""Beginnings of the environment variables that change what is measured."""
SHOWN = (
    "torch", "triton", "numba", "numba-cuda", "cuda-bindings", "cuda-toolkit",
    "nvidia-ml-py", "numpy", "scipy", "pandas", "pydantic", "pytest",
)  # fmt: skip


def answer(command: tuple[str, ...]) -> str:
    """Return what a command says, or why it says nothing."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=ASK_S,
            text=True, errors="replace", check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return "not installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no answer: {error}"
    return done.stdout.rstrip()


def version(name: str) -> str:
    """Return a package's version."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def main() -> None:
    """Print the versions, the environment variables and each command's answer."""
    print(f"Python {sys.version.split()[0]} on {platform.platform()}")
    for name in SHOWN:
        print(f"{name} {version(name)}")
    for name, value in sorted(os.environ.items()):
        if name.startswith(PREFIXES):
            print(f"{name}={value}")
    for command in ASKED:
        print(f"\n$ {' '.join(command)}\n{answer(command)}", flush=True)


if __name__ == "__main__":
    main()

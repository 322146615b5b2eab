"""Install this project with the build of torch that this machine can use.

`make install` calls it, by the Python of the environment that it fills; standard
library only. On the package index, torch for Linux is a build for CUDA 13, which needs
driver 580 or newer.

    .venv/bin/python install.py [--constraints FILE] [--torch-index URL]
    .venv/bin/python install.py --extras   # what this torch needs for CUDA
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
CUDA13_DRIVER, CUDA12_DRIVER = 580, 525
"""The oldest drivers that run programs built for CUDA 13, and for CUDA 12."""
FOR_CUDA12 = "torch==2.10.0"
"""The last release whose build on the package index is for CUDA 12."""
FIRST_FOR_CUDA13 = (2, 11)
TORCH = re.compile(r"^torch==(?P<version>(\d+)\.(\d+)\S*)$", re.MULTILINE)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SMI_S = 20.0
PYTHON = sys.executable


@dataclass(frozen=True)
class Choice:
    """How torch is installed here."""

    tool: str
    """`pip` or `uv`."""
    options: tuple[str, ...]
    """Options of the tool's `install`, beside constraints and requirements."""
    torch: str
    """The line that replaces torch's pin; "" leaves the pin as it is."""
    says: str
    """Which build is taken, and why, in one line."""


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver: the first part of its version, None if no driver answers."""

    major: int | None
    says: str


NO_DRIVER = Driver(None, "no NVIDIA driver")


def read_driver(code: int, text: str) -> Driver:
    """Return the driver that nvidia-smi names.

    Args:
        code: the exit code of nvidia-smi.
        text: the output of `nvidia-smi --query-gpu=driver_version
            --format=csv,noheader`: a line for each GPU, or an error.
    """
    found = re.search(r"^\s*((\d{3,})(?:\.\d+)+)\s*$", text, re.MULTILINE)
    if found and code == 0:
        return Driver(int(found[2]), f"NVIDIA driver {found[1]}")
    first = (text.strip().splitlines() or [f"exit code {code}"])[0].strip()
    return Driver(None, f"nvidia-smi names no driver ({first[:120]})")


def choose(driver: Driver, has_uv: bool, index: str, constraints: str) -> Choice:
    """Choose the build of torch.

    Args:
        driver: the driver of this machine's GPUs.
        has_uv: whether uv is installed, which knows PyTorch's own indexes.
        index: the index that the user chose for torch; "" if none.
        constraints: the text of the constraints file.
    """
    pin = TORCH.search(constraints)
    pinned, said, major = pin[0] if pin else "torch", driver.says, driver.major
    if index:
        options = ("--extra-index-url", index)
        return Choice("pip", options, "", f"{pinned} from {index}, as asked")
    old = major is not None and major < CUDA13_DRIVER and _is_for_cuda13(pin)
    if has_uv:
        # PyTorch's indexes for older drivers end at older releases.
        loose = f"torch<{pin[2]}.{int(pin[3]) + 1}" if old and pin else ""
        options = ("--torch-backend=auto",)
        return Choice("uv", options, loose, f"{said}: uv chooses the build for it")
    if major is None:
        note = f"a build for the CPU alone is smaller: TORCH_INDEX={CPU_INDEX}"
        return Choice("pip", (), "", f"{said}: {pinned} of the package index; {note}")
    if major < CUDA12_DRIVER:
        why = (
            f"too old for CUDA 12 ({CUDA12_DRIVER} or newer): only the CPU is measured"
        )
        return Choice("pip", (), "", f"{said} is {why}; {pinned} of the package index")
    if old:
        why = f"older than CUDA 13 needs ({CUDA13_DRIVER}): {FOR_CUDA12}, for CUDA 12"
        return Choice("pip", (), FOR_CUDA12, f"{said} is {why}")
    build = "for CUDA 13" if _is_for_cuda13(pin) else "as pinned"
    return Choice("pip", (), "", f"{said}: {pinned}, {build}")


def _is_for_cuda13(pin: re.Match[str] | None) -> bool:
    """Tell whether a pin, or no pin, takes a build for CUDA 13 from the index."""
    if pin is None:
        return True
    release = int(pin[2]), int(pin[3])
    return "+" not in pin["version"] and release >= FIRST_FOR_CUDA13


def extra_for(cuda: str | None) -> str:
    """Return our extra for a `torch.version.cuda`; "" if there is none."""
    major = (cuda or "").partition(".")[0]
    return f"cuda{major}" if major in ("12", "13") else ""


def command(choice: Choice, constraints: Path, wanted: Sequence[str]) -> list[str]:
    """Return the command that installs requirements as chosen."""
    pip = [PYTHON, "-m", "pip", "install"]
    uv = ["uv", "pip", "install", "--python", PYTHON]
    tool = uv if choice.tool == "uv" else pip
    return [
        *tool,
        "--quiet",
        "--constraint",
        str(constraints),
        *choice.options,
        *wanted,
    ]


def ask_driver() -> Driver:
    """Ask nvidia-smi for the driver."""
    query = ("--query-gpu=driver_version", "--format=csv,noheader")
    try:
        done = subprocess.run(
            ("nvidia-smi", *query), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=SMI_S, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return NO_DRIVER
    except (OSError, subprocess.TimeoutExpired) as error:
        return read_driver(1, str(error))
    return read_driver(done.returncode, done.stdout)


def with_torch(line: str, constraints: str) -> str:
    """Return the constraints with torch's pin replaced, or added, by a line."""
    if TORCH.search(constraints):
        return TORCH.sub(line, constraints)
    return f"{constraints.rstrip()}\n{line}\n"


def install(choice: Choice, constraints: Path, wanted: Sequence[str]) -> int:
    """Install as chosen; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        if choice.torch:
            text = with_torch(choice.torch, constraints.read_text(encoding="utf-8"))
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text(text, "utf-8")
        done = subprocess.run(
            command(choice, constraints, wanted), cwd=ROOT, check=False
        )
    return done.returncode


def ask_torch() -> tuple[str, str | None]:
    """Return the version of the installed torch, and the CUDA it is built for."""
    # The package's version is what a pin needs; torch.__version__ may add +cu130.
    code = "import torch; from importlib.metadata import version; "
    code += "print(version('torch'), torch.version.cuda)"
    done = subprocess.run(
        (PYTHON, "-c", code), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return "", None
    version, cuda = done.stdout.split()[-2:]
    return version, None if cuda == "None" else cuda


def install_extras(constraints: Path, tool: str) -> None:
    """Install what `fused_cuda` needs with this torch; all else works without it."""
    version, cuda = ask_torch()
    extra = extra_for(cuda)
    if not extra:
        print(f"install: torch {version or 'missing'}: no CUDA 12 or 13, no extra")
        return
    kept = Choice(tool, (), f"torch=={version}", "")
    if install(kept, constraints, ["--editable", f".[{extra}]"]):
        print(f"install: the extra {extra} failed: fused_cuda will be unavailable")
    else:
        print(f"install: torch {version} is for CUDA {cuda}: with the extra {extra}")


def main() -> int:
    """Parse the options, choose a build, print the choice, and install it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--constraints", default="constraints.txt", type=Path)
    parser.add_argument("--torch-index", default="")
    parser.add_argument("--extras", action="store_true")
    asked = parser.parse_args()
    has_uv, driver = shutil.which("uv") is not None, ask_driver()
    constraints = ROOT / asked.constraints
    if asked.extras:
        install_extras(constraints, "uv" if has_uv else "pip")
        return 0
    choice = choose(driver, has_uv, asked.torch_index, constraints.read_text("utf-8"))
    print(f"install: {choice.says}", flush=True)
    if code := install(choice, constraints, ["--editable", ".[dev]"]):
        return code
    if driver.major is not None:
        install_extras(constraints, choice.tool)
    return 0


if __name__ == "__main__":
    sys.exit(main())

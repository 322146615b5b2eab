"""For whoever has an accelerator: all that is worth knowing of it, in one file.

Is the machine fit, is the work equal on the device, the preset `quick`; each step's
output is kept, a step that fails does not stop the others. docs/first_gpu_run.md says
what to look at. Exit code 1 when a step failed, 2 without an accelerator.

    python benchmarks/gpu_check.py [FOLDER]
"""

import subprocess
import sys
import tarfile
from pathlib import Path

from bench.machine import snapshot

PYTHON = [sys.executable, "-P"]
CROSSOVER = [*PYTHON, "-c", "from bench.cli import main; main()"]


def steps(folder: Path) -> dict[str, list[str]]:
    """Return the command of each step, by name."""
    run = str(folder / "run")
    return {
        "devices": [*CROSSOVER, "devices"],
        "doctor": [*CROSSOVER, "doctor"],
        "equal_work": [*PYTHON, "-m", "pytest", "-m", "gpu", "-rs"],
        "quick": [*CROSSOVER, "run", "--out", run],
    }


def carried_out(command: list[str], kept: Path) -> int:
    """Run a command, show and keep what it prints, and return its exit code."""
    with kept.open("w") as lines:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.write(line)
        return process.wait()


def main() -> int:
    """Do every step and pack the results."""
    folder = Path(*sys.argv[1:2] or ["results/gpu-check"])
    machine = snapshot()
    if not machine.accelerators:
        reasons = "; ".join(f"{k}: {why}" for k, why in machine.unavailable.items())
        print(f"gpu-check: no accelerator torch can use ({reasons})", file=sys.stderr)
        return 2
    if folder.exists():
        print(f"gpu-check: folder = {str(folder)!r}: must be new", file=sys.stderr)
        return 2
    folder.mkdir(parents=True)
    codes = {}
    for name, command in steps(folder).items():
        print(f"== {name}", flush=True)
        codes[name] = carried_out(command, folder / f"{name}.txt")
    packed = folder.with_suffix(".tar.gz")
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    failed = [f"{name} (exit {code})" for name, code in codes.items() if code]
    print(f"Failed: {', '.join(failed)}" if failed else "Every step passed.")
    print(f"Attach {packed} to an issue.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

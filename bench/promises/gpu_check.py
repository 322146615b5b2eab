"""Check a machine with an accelerator in seven minutes and pack what was found.

Every step is a command bounded in time, the most telling first. What it prints is kept,
and one that fails or hangs does not stop the others: docs/first_gpu_run.md says what to
look at. Exit code 1: a step failed; 2: no accelerator, or a package is missing.

    python -m bench.promises.gpu_check [FOLDER] [--no-install] [--archive FILE]
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.promises.gpu_imports import ROOT, advice, missing
from bench.promises.gpu_steps import SUMMARY, Done, Step, carried_out, pack, summary

WHOLE_S = 410.0
"""Seconds for all steps together; packing takes a few seconds more."""
BUDGET_S = 130
"""Seconds that the run of the step `run` may measure."""
MOST_BYTES = 16 * 2**20
"""Largest archive."""
PYTHON = (sys.executable, "-P")
CROSSOVER = (*PYTHON, "-c", "from crossover.cli import main; main()")
PYTEST = (
    *PYTHON, "-m", "pytest", "-m", "gpu", "-v", "-rfEs", "-W", "default",
    "-p", "no:cacheprovider", "-o", "faulthandler_timeout=15", "--durations=3",
)  # fmt: skip
"""Command of the tests: warnings are no errors, and a test that hangs says where."""
TEST_TELLS = r"^(FAILED|ERROR) ", r" FAILED ", r"^=* ?\d+ (failed|passed|skipped)"
ACCELERATOR = r"^[a-z]\w*:\d+ +(?!not available)\S"
FIRST = "run", "devices", "probe", "doctor"
"""Steps whose lines stand at the top of the summary."""


def steps(folder: Path) -> tuple[Step, ...]:
    """Return the steps, the most telling first; the run's time is kept for it."""
    run = "run", "--budget", f"{BUDGET_S}s", "--out", str(folder / "run")
    sanitizer = shutil.which("compute-sanitizer")
    race = (
        sanitizer or "compute-sanitizer", "--tool", "racecheck",
        "--error-exitcode", "9", *_tests("fused_cuda", "on_a_gpu and 1503"),
    )  # fmt: skip
    absent = "" if sanitizer else "compute-sanitizer is not installed"
    compiled = _tests("equal_work", "on_an_accelerator and compiled and momentum")
    answers = (r"^ +(found|always|never|not monotone|inconclusive)[,:] ",)
    return (
        Step("machine", _script("gpu_machine"), 25, (r", \d{3}\.\d+", r"^torch ")),
        Step("devices", (*CROSSOVER, "devices"), 50, (ACCELERATOR, "not available")),
        Step("probe", _script("gpu_probe"), 40, (r"^queue",)),
        Step("graphed", _tests("graphed"), 35, TEST_TELLS),
        Step("streamed", _tests("streamed"), 35, TEST_TELLS),
        Step("fused_cuda", _tests("fused_cuda"), 60, TEST_TELLS),
        Step("doctor", (*CROSSOVER, "doctor", "--quick"), 70, (r"^unfit", r"^Fit")),
        Step("compiled", compiled, 60, TEST_TELLS),
        Step("racecheck", race, 50, ("RACECHECK SUMMARY", *TEST_TELLS), skip=absent),
        Step(
            "run", (*CROSSOVER, *run), BUDGET_S + 50, answers,
            passes=(0, 3), reserved=True,
        ),
    )  # fmt: skip


def _script(name: str) -> tuple[str, ...]:
    return (*PYTHON, "-m", f"bench.promises.{name}")


def _tests(name: str, chosen: str = "") -> tuple[str, ...]:
    """Return the command of one file's tests that need an accelerator."""
    only = ("-k", chosen) if chosen else ()
    return (*PYTEST, *only, str(ROOT / "tests" / f"test_{name}.py"))


def check(
    todo: Sequence[Step], folder: Path, archive: Path, whole_s: float = WHOLE_S
) -> int:
    """Do the steps, keep what they print and a summary, pack it, and say how it went.

    The check ends early when the step `devices` lists no accelerator.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    done: list[Done] = []
    code = 0
    try:
        for one in carried_out(todo, folder, whole_s, environment):
            done.append(one)
            print(f"{one.name:12} {one.seconds:6.1f} s  {one.result}: {one.says}")
            sys.stdout.flush()
            (folder / SUMMARY).write_text(summary(done, FIRST), "utf-8")
            if one.name == "devices" and _lacks_accelerator(one, folder):
                code = 2
                break
    except KeyboardInterrupt:
        code = 130
    left_out = pack(folder, archive, MOST_BYTES)
    print(f"\n{summary(done, FIRST).partition(chr(10) * 2)[0]}")
    if code == 2:
        print("gpu-check: torch can use no accelerator here", file=sys.stderr)
    if left_out:
        print(f"Too large for the archive: {', '.join(left_out)}")
    print(f"Attach {archive} to an issue.")
    return code or int(any(one.failed for one in done))


def _lacks_accelerator(devices: Done, folder: Path) -> bool:
    """Tell whether the list of devices is whole and names no accelerator."""
    text = (folder / f"{devices.name}.txt").read_text("utf-8")
    return not devices.failed and not re.search(ACCELERATOR, text, re.MULTILINE)


def install() -> None:
    """Install what this torch's CUDA needs for `fused_cuda`; go on without it."""
    script = str(ROOT / "install.py")
    subprocess.run([sys.executable, script, "--extras"], cwd=ROOT, check=False)


def main() -> int:
    """Parse the options, look for missing packages, and do the check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", default="results/gpu-check", type=Path)
    parser.add_argument(
        "--no-install", action="store_true", help="take this Python as it is"
    )
    parser.add_argument("--archive", type=Path, help="default: FOLDER.tar.gz")
    asked = parser.parse_args()
    if asked.folder.exists():
        print(
            f"gpu-check: folder = {str(asked.folder)!r}: must be new", file=sys.stderr
        )
        return 2
    if not asked.no_install:
        install()
    if lacking := missing():
        print(f"gpu-check: {advice(lacking)}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):  # the step at work ends with us
        signal.signal(number, signal.default_int_handler)
    asked.folder.mkdir(parents=True)
    archive = asked.archive or asked.folder.with_name(f"{asked.folder.name}.tar.gz")
    return check(steps(asked.folder.resolve()), asked.folder, archive)


if __name__ == "__main__":
    sys.exit(main())

"""Signals to a run that is stuck somewhere: how it ends, and how soon.

    python tests/kill/stuck.py FOLDER

prints what was found for each case, by its name.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import virtual
from life import Life

from crossover import cli
from crossover.command import job, new_run
from crossover.measure.process import WorkerProcess
from crossover.record import run_folder
from crossover.report import write

FOREVER_S = 60.0
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
CASES = {
    "sample, SIGINT": ("sample", "bbb", INT, None),
    "sample, SIGTERM": ("sample", "bbb", TERM, None),
    "sample, SIGHUP": ("sample", "bbb", HUP, None),
    "before the first round, SIGINT": ("import", "c", INT, None),
    "the last report, SIGTERM": ("report", "w", TERM, None),
    "the partial report, SIGINT twice": ("partial", "bbb", INT, "w"),
    "before the folder, SIGINT": ("snapshot", "s", INT, None),
}
"""Where it is stuck, what it tells before, the signal, and what before a second one."""
LEAST = {"import": 1}
"""What has not come to fork a worker yet."""


def target(folder, spec_file, where):
    """Return a run that does not get beyond a place."""

    def run(pipe):
        told, around = virtual.install(folder, pipe)
        measure = job.carry_out
        job.carry_out = lambda *asked: measure(*asked[:-1], around)
        if where in ("sample", "partial"):
            os.environ["STUCK"] = "3"
        if where == "import":
            told.start = lambda c: WorkerProcess(1, "stuck_import")
        if where in ("report", "partial"):
            write.pictures = lambda *_, **__: time.sleep(FOREVER_S) or iter(())
        if where == "snapshot":
            new_run.snapshot = lambda devices: (
                os.write(pipe, b"s") and time.sleep(FOREVER_S)
            )
        job.Workers = lambda: told
        sys.argv = ["crossover", "run", str(spec_file), "--out", str(folder)]
        cli.main()

    return run


def heard(life, text, wanted):
    """Read what a life tells until it has told enough."""
    while not all(text.count(c) >= wanted.count(c) for c in wanted):
        chunk = os.read(life.told, 4096).decode()
        assert chunk, f"it ended: {text}"
        text += chunk
    return text


def stuck(life, least):
    """Wait until a life is stuck, with at least this number of processes below it."""
    time.sleep(0.3)
    end = time.monotonic() + FOREVER_S / 2
    while len(below := life.below()) < least and time.monotonic() < end:
        time.sleep(0.05)
    return below


def case(root, where, before, number, again):
    root.mkdir()
    spec_file, folder = root / "spec.toml", root / "run"
    spec_file.write_text(virtual.SPEC.format(budget=""))
    life = Life(target(folder, spec_file, where), root / "log")
    text = heard(life, "", before)
    below = stuck(life, LEAST.get(where, 0))
    os.kill(life.pid, number)
    _, alive = psutil.wait_procs(below, timeout=FOREVER_S / 2)
    if again:
        heard(life, text, again)
        time.sleep(0.3)
        os.kill(life.pid, number)
    status = life.ended(time.monotonic() + FOREVER_S / 2)
    known = (folder / run_folder.HEADER).exists()
    return {
        "code": None if status is None else os.waitstatus_to_exitcode(status),
        "workers": len(below), "workers left": len(alive),
        "rows": len(run_folder.load(folder).measurements) if known else None,
        "files": sorted(p.name for p in folder.iterdir()) if known else [],
        "partial": "Interrupted" in (folder / "report.md").read_text()
        if (folder / "report.md").exists() else None,
        "log": (root / "log").read_text(),
    }  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    chosen = sys.argv[2:] or list(CASES)
    found = {n: case(folder / str(i), *CASES[n]) for i, n in enumerate(chosen)}
    print(json.dumps(found, indent=1))

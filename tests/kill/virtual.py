"""One life of `crossover run` under a virtual clock: all is real but time and workers.

A life tells a pipe what it does, a letter each: `c` the folder is made, `b` a round is
begun, `r` it is recorded, `w` the report is being written.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))  # where it is a script
from builders import MACHINE

from crossover.command import job, new_run
from crossover.command.ask import Ask
from crossover.measure.environment import Environment, Others
from crossover.measure.pipe import Sample
from crossover.measure.process import WorkerProcess, Workers
from crossover.record import run_folder
from crossover.report import write

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE_S = 0.01
"""Seconds of virtual time that a sample takes; everything else takes none."""
REAL_TIMEOUT_S = 60.0
BUDGETS = {"whole": "", "budget": "budget_s = 2.0\n"}
SPEC = """
name = "virtual"
rounds = 8
width = 1.1
control = false
{budget}contenders = ["cpu/resident@1", "cpu/resident@2", "cpu/manual@1",
  "cpu/lesson@1", "cuda/resident"]
pairs = [["cpu/resident@1", "cpu/resident@2"], ["cpu/resident@1", "cpu/manual@1"]]

[[sweep]]
axis = "batch_size"
values = [100, 1000, 10000]
samples = 10000
"""


class Clock:
    """Time passes by samples that are recorded; a round measured again takes no more.

    What is recorded is known by the size of the journal.
    """

    def __init__(self, folder):
        self.journal, self.begun = folder / run_folder.JOURNAL, None
        self.time_s = self.base_s = 0.0

    def size(self):
        return self.journal.stat().st_size if self.journal.exists() else 0

    def utc(self):
        """Return a date by the rounds recorded: one measured again keeps its own."""
        rounds = self.journal.read_bytes().count(b'"ok"') if self.size() else 0
        return EPOCH + timedelta(seconds=rounds)

    def sampled(self, position):
        """Let a sample pass; return whether it is the first of a round."""
        size = self.size()
        is_first, self.begun = size != self.begun, size
        if is_first:
            self.base_s = self.time_s
        self.time_s = self.base_s + (position + 1) * SAMPLE_S
        return is_first

    def around(self, **other):
        known = {
            "clock_s": lambda: self.time_s,
            "utc": self.utc,
            "load_1min": lambda: 0.5,
            "throttled": lambda: 0,
            "stolen_s": lambda: None,
            "others": Nobody,
        }
        return Environment(**known | other)


class Nobody(Others):
    """No other program is at work."""

    def __init__(self):
        pass

    def shares(self):
        return []


class Told(Workers):
    """Real worker processes that answer what was agreed on; each round is told."""

    def __init__(self, clock, tell):
        super().__init__(lambda c: WorkerProcess(c.threads, "virtual_worker"))
        self.clock, self.tell = clock, tell

    def ask(self, contender, request, timeout_s):
        if isinstance(request, Sample) and self.clock.sampled(request.position):
            self.tell("b")
        return super().ask(contender, request, REAL_TIMEOUT_S)


class Bar:
    """In place of the progress bar."""

    def __init__(self, tell):
        self.tell = tell

    def __enter__(self):
        self.tell("c")
        return self

    def __exit__(self, *_):
        self.tell("w")

    def __call__(self, block, done_s, total_s):
        self.tell("r")


def install(folder, pipe):
    """Put what is virtual in place; return the workers and the surroundings."""

    def tell(letter):
        os.write(pipe, letter.encode())

    new_run.snapshot = lambda devices: MACHINE
    job.ProgressBar = lambda: Bar(tell)
    write.pictures = lambda *_, **__: iter(())
    clock = Clock(folder)
    return Told(clock, tell), clock.around()


def live(folder, spec_file, pipe):
    """Run, or go on where there is something to go on with; return the exit code."""
    sys.argv = ["crossover", "run", "as ever"]
    told, around = install(folder, pipe)
    if (folder / run_folder.HEADER).exists():
        return job.do_run(Ask(), None, folder, workers=told, environment=around)
    return job.do_run(
        Ask(str(spec_file)), folder, None, workers=told, environment=around
    )

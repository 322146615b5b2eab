"""What a run reads from its environment: clocks, load, and where to print.

The pipeline gets it as one object, so that tests can pass another.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from crossover.files.untrusted import printable
from crossover.measure.machine import throttled_periods
from crossover.nouns import Run
from crossover.system.stops import WATCH, Watch
from crossover.system.waits import stolen_s
from crossover.system.ways import load_1min


def _say(line: str) -> None:
    print(f"crossover: {line}", file=sys.stderr)


class Others:
    """The other programs at work, from one look to the next."""

    def __init__(self) -> None:
        here = psutil.Process()
        own = {here.pid, *(child.pid for child in here.children(recursive=True))}
        self._processes = [p for p in psutil.process_iter() if p.pid not in own]
        self.shares()  # psutil measures from one call to the next

    def shares(self) -> list[tuple[str, float]]:
        """Return each one's name and used share of one core, the busiest first."""
        found = []
        for process in self._processes:
            with suppress(psutil.Error):  # it has ended, or we may not read it
                found.append((process.name(), process.cpu_percent() / 100))
        return sorted(found, key=lambda pair: -pair[1])

    def notice(self, cores: int) -> str:
        """Say who uses more than `MOST_USED` of the cores; empty if nobody does."""
        shares = self.shares()
        used = sum(share for _, share in shares)
        if used <= MOST_USED * cores:
            return ""
        busy = [pair for pair in shares[:3] if pair[1] >= 0.1]
        most = [f"{printable(name)} {share:.1f}" for name, share in busy]
        return (
            f"other programs use {used:.1f} of {cores} cores ({', '.join(most)}): stop "
            "them first, or no answer of this run can be trusted"
        )


MOST_USED = 0.25
"""A run begins with a notice if other programs use more of the cores."""


@dataclass(frozen=True)
class Environment:
    """The clocks, the machine's load, and a way to tell the user something."""

    clock_s: Callable[[], float] = time.monotonic
    """Monotonic seconds: setting the system's clock does not change durations."""
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Date and time, only for the record: the system's clock may be set back."""
    load_1min: Callable[[], float | None] = load_1min
    throttled: Callable[[], int | None] = throttled_periods
    stolen_s: Callable[[], float | None] = stolen_s
    """Seconds that other virtual machines have had our cores so far."""
    others: Callable[[], Others] = Others
    """Looks at the other programs at work."""
    watch: Watch = WATCH
    """Notices when this process was stopped."""
    say: Callable[[str], None] = _say
    """Prints a line that the user must see at once."""

    def now(self) -> str:
        """Return the date and time in the form that is recorded."""
        return self.utc().isoformat(timespec="milliseconds")


ENVIRONMENT = Environment()


def say_lost(
    folder: Path | str, run: Run, say: Callable[[str], None] = ENVIRONMENT.say
) -> None:
    """Tell the user which lines of a run could not be read, if any."""
    if run.lost:
        say(f"run = {str(folder)!r}: {run.lost}")

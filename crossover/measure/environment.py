"""What a run reads from its environment: clocks, load, and where to print.

The pipeline gets it as one object, so that tests can pass another.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossover.measure.clock import stolen_s
from crossover.measure.machine import throttled_periods
from crossover.measure.stops import WATCH, Watch
from crossover.nouns import Run


def _say(line: str) -> None:
    print(f"crossover: {line}", file=sys.stderr)


@dataclass(frozen=True)
class Environment:
    """The clocks, the machine's load, and a way to tell the user something."""

    clock_s: Callable[[], float] = time.monotonic
    """Monotonic seconds: setting the system's clock does not change durations."""
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Date and time, only for the record: the system's clock may be set back."""
    load_1min: Callable[[], float] = lambda: os.getloadavg()[0]
    throttled: Callable[[], int | None] = throttled_periods
    stolen_s: Callable[[], float | None] = stolen_s
    """Seconds that other virtual machines have had our cores so far."""
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

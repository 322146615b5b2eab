"""What a run reads of the world around it, in one place: tests give it another."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossover.measure.machine import throttled_periods
from crossover.nouns import Run


def _say(line: str) -> None:
    print(f"crossover: {line}", file=sys.stderr)


@dataclass(frozen=True)
class Environment:
    """The clocks and the load of a run."""

    clock_s: Callable[[], float] = time.monotonic
    """Every duration is from here, so that nobody can set it."""
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Only ever written down: it may be set back."""
    load_1min: Callable[[], float] = lambda: os.getloadavg()[0]
    throttled: Callable[[], int | None] = throttled_periods
    say: Callable[[str], None] = _say
    """Told in a line what the user must know at once."""

    def now(self) -> str:
        """Return the date and time as it is recorded."""
        return self.utc().isoformat(timespec="milliseconds")


ENVIRONMENT = Environment()


def say_lost(
    folder: Path | str, run: Run, say: Callable[[str], None] = ENVIRONMENT.say
) -> None:
    """Say what was left out of a run as it was read, if anything was."""
    if run.lost:
        say(f"run = {str(folder)!r}: {run.lost}")

"""How far a listed axis may be extended beyond the sizes that the spec gives.

The search asks for the next size either way; what may be measured there depends on the
job, and on the time and memory that there is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from crossover.nouns import Case, Machine, Measurement
from crossover.plan.next_size import roundest
from crossover.spec.sweep import Sweep

DOWN, UP = 4.0, 2.0
"""Factors by which the range grows at either end."""
MOST_UP = 16
"""The largest size measured is at most this many times the largest asked for."""
MEMORY_SHARE = 0.5
"""Share of a device's memory that a larger size may take."""


def smaller(sweep: Sweep, smallest: int) -> int | None:
    """Return the next size below the smallest one; None if there is none."""
    least = sweep.workload.size(sweep.axis).least
    proposed = max(least, roundest(smallest / DOWN))
    return proposed if proposed < smallest and exists(sweep, proposed) else None


def larger(sweep: Sweep, largest: int) -> int | None:
    """Return the next size above the largest one; None if there is none.

    Along a size on which a unit's cost depends, the settings are those that keep the
    job stable up to the largest size asked for.
    """
    workload, axis = sweep.workload, sweep.axis
    proposed = workload.settled(sweep.line, axis, roundest(largest * UP))
    is_near = largest < proposed <= MOST_UP * sweep.values[-1]
    if axis in workload.shape or not is_near or not exists(sweep, proposed):
        return None
    return proposed


def exists(sweep: Sweep, size: int) -> bool:
    """Tell whether a sweep can have a size."""
    try:
        sweep.workload.check_sizes(dict(sweep.case_at(size).values))
    except ValueError:
        return False
    return True


@dataclass
class Means:
    """The time and memory that a run has, and what it has taken so far."""

    budget_s: float | None
    machine: Machine | None = None
    spent_s: float = 0.0

    def __post_init__(self) -> None:
        self._peaks: dict[Case, dict[str, int]] = {}
        self._memory: dict[str, int] = {}
        if self.machine is not None:
            known = [(a["name"], a["memory_bytes"]) for a in self.machine.accelerators]
            known.append(("cpu", self.machine.memory_bytes))
            self._memory = {str(name): n for name, n in known if isinstance(n, int)}

    def add(self, m: Measurement) -> None:
        """Take in a row of the run."""
        self.spent_s = max(self.spent_s, m.elapsed_s or 0.0)
        peaks = self._peaks.setdefault(m.case, {}) if m.peak_bytes else {}
        for device, n_bytes in m.peak_bytes.items():
            peaks[device] = max(n_bytes, peaks.get(device, 0))

    def last_s(self, seconds: float) -> bool:
        """Tell whether there is time for something that the spec does not ask for.

        It may take half of the budget that is left. Without a budget, it may take as
        long as all before.
        """
        if self.budget_s is None:
            return seconds <= self.spent_s
        return seconds <= (self.budget_s - self.spent_s) / 2

    def hold(self, edge: Case, growth: float, devices: Iterable[str]) -> bool:
        """Tell whether devices have the memory for a case that is larger than another.

        Args:
            edge: the measured case.
            growth: how many times as large the other one is.
            devices: where it is done.
        """
        peaks = self._peaks.get(edge, {})
        return all(
            peaks.get(device, 0) * max(1.0, growth)
            <= MEMORY_SHARE * self._memory.get(device, float("inf"))
            for device in devices
        )

"""The contender to use for a case, with how sure that is, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "\u00b5s"), (1e-9, "ns"))
KNOWN = ("measured", "zone", "between", "extrapolated")
"""How a pick is known, the surest first."""


@dataclass(frozen=True)
class Pick:
    """The contender to use for a case, and how sure that is."""

    contender: str
    seconds: float
    """The time expected: of all repeats of the case, as in the run's estimates."""
    low: float | None
    """The interval of the time; None with too few rounds for one."""
    high: float | None
    runner_up: str | None
    """Who is next; None if nobody else has a time there."""
    factor: float | None
    """How many times as long the next one takes."""
    factor_low: float | None
    factor_high: float | None
    known: str
    """One of `KNOWN`."""
    why: str
    """How it is known, in words."""
    either: tuple[str, ...]
    """Contenders that cannot be told from the first one; empty if all can."""
    within: float | None
    """The share that the wrong one of them costs at most."""
    unknown: tuple[str, ...]
    """Contenders that were not measured that far."""
    doubts: tuple[str, ...]
    """What makes the times doubtful."""
    sizes: tuple[tuple[str, Any], ...]
    """The sizes and settings of the case."""
    has_unit: bool = True
    """Whether the times are seconds; those of a table may have no unit."""

    def __str__(self) -> str:
        """Return the pick in lines, the first with all that makes it doubtful."""
        time = _time if self.has_unit else _number
        first = f"{self.contender}, {time(self.seconds)}"
        if self.low is not None and self.high is not None:
            first += f" ({time(self.low)} to {time(self.high)})"
        if self.doubts:
            first = f"Doubtful ({'; '.join(self.doubts)}): {first}"
        if self.known == KNOWN[-1]:
            first = f"Extrapolated ({self.why}): {first}"
        lines = [first, *self._next()]
        if self.known != KNOWN[-1]:
            lines.append(f"  known: {self.why}")
        if self.unknown:
            lines.append(f"  not measured that far: {', '.join(self.unknown)}")
        case = ", ".join(f"{name}={value}" for name, value in self.sizes)
        return "\n".join([*lines, f"  case: {case}"])

    def _next(self) -> list[str]:
        if self.runner_up is None or self.factor is None:
            return ["  next: nobody else has a time there"]
        ends = " (no interval)"
        if self.factor_low is not None and self.factor_high is not None:
            ends = f" ({_number(self.factor_low)}x to {_number(self.factor_high)}x)"
        said = [f"  next: {self.runner_up}, {_number(self.factor)}x as long{ends}"]
        if self.either:
            names = " or ".join((self.contender, *self.either))
            share = "" if self.within is None else f": within {_share(self.within)}"
            said.insert(0, f"  either: {names}{share}")
        return said


def _number(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.12g}"


def _share(value: float) -> str:
    return f"{_number(100 * value)} %"


def _time(value: float) -> str:
    """Write seconds to three digits with their unit."""
    rounded = float(f"{value:.3g}")
    size, unit = next((u for u in UNITS if rounded >= u[0]), UNITS[-1])
    return f"{_number(value / size)} {unit}"

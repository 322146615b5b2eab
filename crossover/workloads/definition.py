"""What the code of a workload must offer: a `Definition`, and its `Session`s.

Workers and the planner call it. `workload.Workload` is the part that the engine knows
without the code.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from crossover.nouns import Case
from crossover.workloads.values import Value
from crossover.workloads.workload import Workload


class WrongResult(Exception):  # noqa: N818
    """An implementation gave a wrong result, so that its time means nothing."""


@dataclass(frozen=True)
class DeviceWork:
    """What one repeat of a case gives a device, and what one move of its data takes."""

    launches: float
    """Kernels launched."""
    bytes: float
    """Bytes that the kernels read and write."""
    operations: float
    dtype: str = "float32"
    """The type of the numbers that most operations are done with."""
    copies: int = 0
    """Copies to the device, one after the other, that a move of the data takes."""
    moved_bytes: float = 0.0


class Session(Protocol):
    """One case, done by one implementation on one device.

    A subclass needs no more than `reset`, `run` and `verify`. `notes` tells in a few
    words what was chosen for the session, such as a number of threads; `processes` are
    the ids of other processes that share it. A session may also have `prove`, which
    takes nothing and raises an error unless what ran, as the cell was opened, is what
    the implementation's name says, such as compiled code.

    Where the workload says `check`, `result` takes nothing and returns arrays of one
    dimension, which the engine compares with those of the other contenders. A session
    whose `has_data` is false moves nothing, and one whose `is_torch` is false uses the
    device without torch; `items` tells how many things one repeat works on, and
    `own_threads` how many threads it trains with if these are not torch's.
    """

    notes: str = ""
    processes: tuple[str, ...] = ()

    def move(self) -> None:
        """Move the data to the device, or again; may return before they are there."""
        return

    def build(self) -> None:
        """Build what works on the moved data, such as a model."""
        return

    def reset(self) -> None:
        """Return to the start of the job, such as the initial weights."""

    def run(self, repeats: int) -> None:
        """Do `repeats` more repeats; may return before the device is done."""

    def synchronize(self) -> None:
        """Wait until the device has done all its work."""
        return

    def verify(self, repeats: int) -> tuple[float | None, float | None]:
        """Check that the work is equal; return the loss and the accuracy.

        Args:
            repeats: number of repeats in a timed call.

        Returns:
            Loss and accuracy after `repeats`; None for what the workload lacks.

        Raises:
            WrongResult: when the result is wrong.
        """


class Definition(Protocol):
    """The code of a workload; `session` and the methods after it may load torch.

    A subclass needs no more than `declared`, `work`, `expected_s` and `session`.
    """

    declared: Workload

    def work(self, case: Case) -> dict[str, float]:
        """Return how often one training pays each cost, and the bytes moved."""

    def expected_s(self, case: Case, implementation: str) -> float:
        """Return roughly the seconds of one training, for planning."""

    def eased(
        self, sweep: Mapping[str, Any], given: Container[str]
    ) -> dict[str, Value]:
        """Return settings that keep a job stable at sizes that the user chose.

        Args:
            sweep: the fields of a sweep: axis, values, sizes and settings.
            given: names of the sizes that the user chose.
        """
        return {}

    def session(
        self, case: Case, implementation: str, device: str, threads: int | None,
        ranks: int,
    ) -> Session:  # fmt: skip
        """Prepare a case: its data are on the host, nothing is built."""

    def first_use(self, implementation: str, device: str, ranks: int) -> None:
        """Do the least work that makes a fresh process pay its one-time costs."""
        return

    def unavailable(self, implementation: str, device: str, ranks: int) -> str | None:
        """Return what is missing on a usable device; None if nothing is."""
        return None

    def launches_per_step(
        self, case: Case, implementation: str, ranks: int
    ) -> float | None:
        """Return the kernels launched in a step; None if they cannot be counted."""
        return None

    def count(self, implementation: str, cases: Sequence[Case]) -> list[DeviceWork]:
        """Return what one repeat of each case would give a device.

        Raises:
            ValueError: if they cannot be counted.
        """
        raise ValueError(f"trainer = {implementation!r}: gives a device no work")

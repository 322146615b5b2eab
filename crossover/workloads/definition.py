"""The code of a workload: what makes a case ready, and a session of it.

`workload.Workload` is what the engine knows of it without the code.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Any, Protocol

from crossover.nouns import Case
from crossover.workloads.workload import Value, Workload


class WrongResult(Exception):  # noqa: N818
    """An implementation does not do the job's arithmetic: wrong is not fast."""


class Session(Protocol):
    """One case by one implementation on one device.

    `notes` says in a few words what was chosen for it, such as a number of threads;
    `processes` are the numbers of others that share it.
    """

    notes: str
    processes: tuple[str, ...]

    def move(self) -> None:
        """Move the data to the device, or do so once more; may not wait for it."""

    def build(self) -> None:
        """Build what the moved data are worked on with."""

    def reset(self) -> None:
        """Return to where the job starts."""

    def run(self, repeats: int) -> None:
        """Go on with the job; may return before the device is done."""

    def synchronize(self) -> None:
        """Wait until the device is done."""

    def verify(self, repeats: int) -> tuple[float | None, float | None]:
        """Check that the work is equal; return what the job ends with.

        Args:
            repeats: how far a timed call goes.

        Returns:
            Loss and accuracy; None where the workload has none.

        Raises:
            WrongResult: when the result is not the job's.
        """


class Definition(Protocol):
    """The code of a workload. Only `session` and what follows it may load torch."""

    declared: Workload

    def work(self, case: Case) -> dict[str, float]:
        """Count how often one training pays each of the costs, and the bytes moved."""

    def expected_s(self, case: Case, implementation: str) -> float:
        """Return the order of magnitude of one training's seconds; plans rest on it."""

    def eased(
        self, sweep: Mapping[str, Any], given: Container[str]
    ) -> dict[str, Value]:
        """Return settings that keep a job sound at sizes that nobody tuned it for.

        Args:
            sweep: the fields of a sweep: axis, values, sizes and settings.
            given: the sizes that somebody chose.
        """

    def session(
        self, case: Case, implementation: str, device: str, threads: int | None,
        ranks: int,
    ) -> Session:  # fmt: skip
        """Make a case ready up to where its data are on the host."""

    def first_use(self, implementation: str, device: str, ranks: int) -> None:
        """Do as little as makes a fresh process pay what it pays once."""

    def unavailable(self, implementation: str, device: str, ranks: int) -> str | None:
        """Say what is missing on a usable device, None if nothing is."""

    def launches_per_step(
        self, case: Case, implementation: str, ranks: int
    ) -> float | None:
        """Count the kernels of a step; None where they cannot be counted."""

    def count(self, implementation: str, cases: Sequence[Case]) -> list[list[float]]:
        """Count launches, bytes and operations of one repeat of each case.

        Raises:
            ValueError: where they cannot be counted.
        """

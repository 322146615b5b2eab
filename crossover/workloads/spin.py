"""A workload that spins for a known time, so that its crossings are known exactly.

`crossover selftest` measures pairs of its contenders, to check the whole measuring
path. An implementation is a law, `spin_STEPNS_ROWPS`, as `Law` reads and writes it.
"""

import time
from dataclasses import dataclass

from crossover.nouns import Case
from crossover.workloads.definition import Definition, Session, WrongResult
from crossover.workloads.values import Size
from crossover.workloads.workload import Workload

PREFIX = "spin_"
SPIN = Workload(
    name="spin",
    sizes=(
        Size("rows", 4096, words="number of rows", one="row", many="rows"),
        Size("batch", 16, words="rows a batch", most="rows"),
        Size(
            "passes", 1, words="number of passes", one="pass", many="passes",
            repeats=True,
        ),
    ),
    costs=("step", "row"),
)  # fmt: skip


@dataclass(frozen=True)
class Law:
    """The time of a pass: `step_ns` for each batch, or part of one, and `row_ps` a row.

    Part of a batch takes that part of `step_ns`.
    """

    step_ns: int
    row_ps: int

    @classmethod
    def parse(cls, name: str) -> "Law":
        """Read the text form.

        Raises:
            ValueError: when the text is not of that form.
        """
        step_ns, row_ps = name.removeprefix(PREFIX).split("_")
        return cls(int(step_ns), int(row_ps))

    def __str__(self) -> str:
        return f"{PREFIX}{self.step_ns}_{self.row_ps}"

    def pass_s(self, case: Case) -> float:
        """Return the seconds of one pass of a case."""
        steps = case["rows"] / case["batch"]
        return float(steps * self.step_ns * 1e-9 + case["rows"] * self.row_ps * 1e-12)


def crossing_batch(baseline: Law, challenger: Law) -> float:
    """Return the batch size, in rows, at which both cost the same."""
    steps_ns = challenger.step_ns - baseline.step_ns
    return 1000 * steps_ns / (baseline.row_ps - challenger.row_ps)


class Spin(Definition):
    """The code of the workload; no kernel is launched, and nothing ever is missing."""

    declared = SPIN

    def work(self, case: Case) -> dict[str, float]:
        """See `Definition`."""
        rows = case.repeats * case["rows"]
        return {"step": rows / case["batch"], "row": rows}

    def expected_s(self, case: Case, implementation: str) -> float:
        """See `Definition`."""
        return case.repeats * Law.parse(implementation).pass_s(case)

    def session(
        self, case: Case, implementation: str, device: str, threads: int | None,
        ranks: int,
    ) -> "SpinSession":  # fmt: skip
        """See `Definition`."""
        return SpinSession(Law.parse(implementation).pass_s(case))


class SpinSession(Session):
    """Spins instead of working: there are no data, and nothing is built."""

    def __init__(self, pass_s: float) -> None:
        self._pass_s = pass_s
        self._passes = 0

    def reset(self) -> None:
        """See `Session`."""
        self._passes = 0

    def run(self, repeats: int) -> None:
        """See `Session`."""
        self._passes += repeats
        end = time.perf_counter() + repeats * self._pass_s
        while time.perf_counter() < end:
            pass

    def verify(self, repeats: int) -> tuple[None, None]:
        """See `Session`: the passes done must be those that were asked for."""
        self.reset()
        self.run(repeats)
        if self._passes != repeats:
            raise WrongResult(f"passes = {self._passes}: must be {repeats}")
        return None, None

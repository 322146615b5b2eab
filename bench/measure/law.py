"""What a synthetic contender costs, so that crossings are known exactly. No torch."""

from dataclasses import dataclass

from softmax_core.case import Case

PREFIX = "spin_"


@dataclass(frozen=True)
class Law:
    """`step_ns` for each batch, a part of one counted as a part, and `row_ps` a row.

    Text form `spin_STEPNS_ROWPS`, used as a trainer's name.
    """

    step_ns: int
    row_ps: int

    @classmethod
    def parse(cls, name: str) -> "Law":
        """Read the text form."""
        step_ns, row_ps = name.removeprefix(PREFIX).split("_")
        return cls(int(step_ns), int(row_ps))

    def __str__(self) -> str:
        return f"{PREFIX}{self.step_ns}_{self.row_ps}"

    def epoch_s(self, case: Case) -> float:
        """Return the seconds of one epoch of a case."""
        steps = case.samples / case.batch_size
        return steps * self.step_ns * 1e-9 + case.samples * self.row_ps * 1e-12


def crossing_batch(baseline: Law, challenger: Law) -> float:
    """Return the batch size at which both cost the same."""
    steps_ns = challenger.step_ns - baseline.step_ns
    return 1000 * steps_ns / (baseline.row_ps - challenger.row_ps)

"""The trainers by name; a new one is a file in `trainers/` and an entry. No torch."""

from dataclasses import dataclass

FOLDER = "softmax_core.trainers."
OPERATORS, CALL, REPLAYS = "operators", "call", "replays"
"""How launches are counted: an operator is one, a call of `train`, a graph's replay."""


@dataclass(frozen=True)
class Entry:
    """One trainer: where it is, and what is known of it without loading it."""

    where: str
    """Module and class in `trainers/`."""
    only_on: str = ""
    """The kind of device that it is written for; empty for any."""
    is_ranked: bool = False
    """Whether it can be spread over ranks, which are processes."""
    step_s: float = 250e-6
    row_s: float = 0.1e-6
    """Orders of magnitude on a core, to foretell durations; no result rests on them."""
    launches: str = OPERATORS
    launches_unknown: str = ""
    """Why its launches cannot be counted, if they cannot."""
    is_work_counted: bool = False
    """Whether the bytes and operations of its operators are all that it does."""


TRAINERS = {
    "compiled": Entry(
        "compiled:CompiledTrainer",
        launches_unknown="torch.compile decides on the device how many kernels a step "
        "takes",
    ),
    "data_parallel": Entry(
        "ranks.trainer:DataParallelTrainer", is_ranked=True, step_s=600e-6
    ),
    "fused": Entry(
        "fused.trainer:FusedTrainer", "cpu", step_s=1e-7, row_s=2e-8, launches=CALL
    ),
    "fused_cuda": Entry("fused_cuda.trainer:FusedCudaTrainer", "cuda"),
    "graphed": Entry("graphed:GraphedTrainer", "cuda", launches=REPLAYS),
    "lesson": Entry("lesson:LessonTrainer", row_s=8e-6, is_work_counted=True),
    "manual": Entry(
        "manual:ManualTrainer", step_s=350e-6, row_s=0.3e-6, is_work_counted=True
    ),
    "resident": Entry("resident:ResidentTrainer", row_s=0.05e-6, is_work_counted=True),
    "streamed": Entry("streamed:StreamedTrainer", is_work_counted=True),
}


def entry(name: str) -> Entry:
    """Return what is known of a trainer.

    Raises:
        ValueError: for an unknown name; the message lists those that are allowed.
    """
    if name not in TRAINERS:
        known = ", ".join(sorted(TRAINERS))
        raise ValueError(f"trainer = {name!r}: must be one of {known}")
    return TRAINERS[name]

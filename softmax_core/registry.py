"""All trainers by name; a new one is a file in `trainers/` and an entry here.

Planning and `--help` read this, so it does not load torch.
"""

from dataclasses import dataclass

FOLDER = "softmax_core.trainers."
OPERATORS, CALL, REPLAYS = "operators", "call", "replays"
"""What counts as one launch: an operator, a call of `train`, or a graph's replay."""


@dataclass(frozen=True)
class Entry:
    """One trainer: where its code is, and what is known without loading that."""

    where: str
    """Module and class in `trainers/`."""
    only_on: str = ""
    """The kind of device that the trainer is written for; empty for any."""
    is_ranked: bool = False
    """Whether several processes, called ranks, can share a training."""
    step_s: float = 250e-6
    row_s: float = 0.1e-6
    """Rough costs on one CPU core, only to foretell how long a run takes."""
    launches: str = OPERATORS
    launches_unknown: str = ""
    """Why the launches cannot be counted; empty if they can."""
    is_work_counted: bool = False
    """Whether the bytes and operations of its torch operators are all its work."""


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

"""The trainers by name; a new trainer is one file and one line here. No torch."""

TRAINERS = {
    "fused": "softmax_core.trainers.fused:FusedTrainer",
    "fused_cuda": "softmax_core.trainers.fused_cuda:FusedCudaTrainer",
    "lesson": "softmax_core.trainers.lesson:LessonTrainer",
    "manual": "softmax_core.trainers.manual:ManualTrainer",
    "resident": "softmax_core.trainers.resident:ResidentTrainer",
}
ONLY_ON = {"fused": "cpu", "fused_cuda": "cuda"}
"""The kind of device of those trainers that are written for one."""


"""The trainers by name; a new trainer is one file and one line here. No torch."""

TRAINERS = {
    "compiled": "softmax_core.trainers.compiled:CompiledTrainer",
    "data_parallel": "softmax_core.trainers.data_parallel:DataParallelTrainer",
    "fused": "softmax_core.trainers.fused:FusedTrainer",
    "fused_cuda": "softmax_core.trainers.fused_cuda:FusedCudaTrainer",
    "graphed": "softmax_core.trainers.graphed:GraphedTrainer",
    "lesson": "softmax_core.trainers.lesson:LessonTrainer",
    "manual": "softmax_core.trainers.manual:ManualTrainer",
    "resident": "softmax_core.trainers.resident:ResidentTrainer",
    "streamed": "softmax_core.trainers.streamed:StreamedTrainer",
}
ONLY_ON = {"fused": "cpu", "fused_cuda": "cuda", "graphed": "cuda"}
"""The kind of device of those trainers that are written for one."""
RANKED = ("data_parallel",)
"""The trainers that can be spread over ranks, which are processes."""

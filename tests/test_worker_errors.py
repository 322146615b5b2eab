"""What a worker makes of an error: out of memory is a result, not a failure."""

import io

import pytest
import torch

from crossover.measure import devices, worker
from crossover.measure.pipe import (
    Count,
    Describe,
    Ended,
    Examine,
    Open,
    Sample,
    Verify,
    read_reply,
)
from crossover.workloads import softmax

CAPTURE = "CUDA error: operation failed due to a previous error during capture"


def reply_to(monkeypatch, raising):
    def fail(devices):
        raising()

    monkeypatch.setattr(devices, "describe_here", fail)
    return served(Describe())


def served(request):
    """Return what the real worker replies, by way of the lines."""
    replies = io.StringIO()
    worker.serve(io.StringIO(request.model_dump_json() + "\n"), replies)
    return read_reply(request, replies.getvalue().encode())


def raising(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: out of memory\nCUDA kernel errors might be reported later",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cudaErrorMemoryAllocation: out of memory",
        "Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY",
        "MPS backend out of memory (MPS allocated: 5.02 GB)",
        "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't "
        "allocate memory: you tried to allocate 8000000000 bytes",
        "std::bad_alloc",
        "[Errno 12] Cannot allocate memory",
    ],
)
def test_out_of_memory_of_any_library_is_oom(monkeypatch, said):
    reply = reply_to(monkeypatch, raising(RuntimeError(said)))
    first = said.splitlines()[0]
    assert reply == Ended(status="oom", notes=f"RuntimeError: {first}")


def test_a_capture_that_failed_for_memory_is_oom(monkeypatch):
    def capture():
        try:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        finally:
            raise RuntimeError(CAPTURE)

    reply = reply_to(monkeypatch, capture)
    assert reply.status == "oom"
    assert reply.notes.endswith("CUDA out of memory. Tried to allocate 2 GiB")


@pytest.mark.parametrize("said", [CAPTURE, "no kernel image is available", ""])
def test_other_errors_are_failures(monkeypatch, said):
    reply = reply_to(monkeypatch, raising(RuntimeError(said)))
    assert reply == Ended(status="failed", notes=f"RuntimeError: {said}")


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        (Describe(devices=("cpu", "moon:1")), "device = 'moon:1': must be a torch"),
        (Examine(name="moon:1"), "device = 'moon:1': must be a torch"),
        (Verify(name="moon:1", trainer="manual"), "device = 'moon:1': must be a torch"),
        (
            Count(workload="softmax", trainer="fused", cases=({"samples": 9},)),
            "trainer = 'fused': its kernels cannot be counted",
        ),
    ],
)
def test_what_the_user_asked_for_wrongly_is_refused_in_a_field(request_, refused):
    reply = served(request_)
    assert reply.status == "failed"
    assert reply.refused.startswith(refused)


def test_no_other_failure_is_the_users(monkeypatch):
    assert reply_to(monkeypatch, raising(ValueError("must be 2"))).refused is None
    assert served(Sample()) == Ended(status="failed", notes="no cell is open")


def test_a_result_that_cannot_be_recorded_says_which(monkeypatch):
    request = Open(
        workload="softmax", case={"samples": 4}, device="cpu", trainer="manual",
        threads=None, longest_s=0.1,
    )  # fmt: skip
    monkeypatch.setattr(softmax.TrainingSession, "verify", lambda *_: (1e19, 0.5))
    notes = "a reply with an impossible loss"
    assert served(request) == Ended(status="failed", notes=notes)

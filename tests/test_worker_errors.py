"""What a worker makes of an error: out of memory is a result, not a failure."""

import io
import json

import pytest
import torch

from bench.measure import worker
from bench.measure.pipe import Describe, Ended, read_reply

REQUEST = json.dumps({"op": "machine", "devices": []}) + "\n"
CAPTURE = "CUDA error: operation failed due to a previous error during capture"


def reply_to(monkeypatch, raising):
    def fail(devices):
        raising()

    monkeypatch.setattr(worker, "describe_here", fail)
    replies = io.StringIO()
    worker.serve(io.StringIO(REQUEST), replies)
    return read_reply(Describe(), replies.getvalue().encode())


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

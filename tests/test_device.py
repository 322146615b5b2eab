"""Devices without `if cuda`: what torch says is turned into a few plain words."""

import warnings

import pytest
import torch

from softmax_core import device as devices
from softmax_core import evaluate
from softmax_core.data import Data


class FakeModule:
    """Stands for torch.cuda and the like."""

    def __init__(self, count=0):
        self.count = count

    def is_available(self):
        return self.count > 0

    def device_count(self):
        return self.count


def test_the_cpu_is_always_there():
    assert devices.unavailable_reason(torch.device("cpu")) is None
    listed = devices.list_devices()
    assert listed[0].name == "cpu"
    assert listed[0].memory_bytes > 2**28
    assert listed[0].reason is None
    kinds = {d.name.partition(":")[0]: d.reason for d in listed[1:]}
    assert {"cuda", "xpu", "mps"} <= set(kinds)


COUNT = (
    "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions "
    "before calling NumCudaDevices() that might have already set an error?"
)
"""As torch begins."""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Torch not compiled with CUDA enabled", "torch was built without CUDA"),
        ("PyTorch is not linked with support for cuda devices", "torch was built"),
        ("Found no NVIDIA driver on your system. Please check", "no driver"),
        ("No CUDA GPUs are available", "no device"),
        ("device exploded\nsecond line", "device exploded"),
        (
            "The NVIDIA driver on your system is too old (found version 12040). Please "
            "update your GPU driver by downloading and installing a new version",
            "NVIDIA's driver is for CUDA 12.4, and torch 2.99+cu130 needs CUDA 13.0: "
            "install a driver 580 or newer, or a torch that was built for CUDA 12.4 or "
            "older",
        ),
        (
            f"{COUNT} Error 802: system not yet initialized",
            "the GPUs of this machine are not yet initialized (CUDA error 802): start",
        ),
        (
            f"{COUNT} Error 803: system has unsupported display driver / cuda driver "
            "combination",
            "NVIDIA's kernel module and its library libcuda are of different versions "
            "(CUDA error 803): restart the machine after a driver's update",
        ),
        (
            f"{COUNT} Error 804: forward compatibility was attempted on non supported "
            "HW",
            "a libcuda for forward compatibility is loaded, which this GPU does not",
        ),
        (
            f"{COUNT} Error 304: OS call failed or operation not supported on this OS",
            "CUDA's driver fails (OS call failed or operation not supported on this "
            "OS) (CUDA error 304): look at `nvidia-smi`",
        ),
        (
            "CUDA unknown error - this may be due to an incorrectly set up "
            "environment, e.g. changing env variable CUDA_VISIBLE_DEVICES",
            "CUDA's driver fails with an unknown error (CUDA error 999): load its",
        ),
        (
            "CUDA driver initialization failed, you might not have a CUDA gpu.",
            "CUDA's driver does not start (CUDA error 3): look at",
        ),
        (
            "CUDA error: CUDA-capable device(s) is/are busy or unavailable\nCUDA",
            "another process holds it, in exclusive compute mode (CUDA error 46): stop",
        ),
    ],
)
def test_why_a_device_cannot_be_used(monkeypatch, message, reason):
    def fail(*args, **kwargs):
        raise RuntimeError(message)

    monkeypatch.setattr(torch, "get_device_module", lambda _: FakeModule())
    monkeypatch.setattr(torch, "empty", fail)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch, "__version__", "2.99+cu130")
    got = devices.unavailable_reason(torch.device("cuda"))
    assert got.startswith(reason)
    assert "\n" not in got


def test_what_torch_warns_of_is_said_once(monkeypatch):
    """It warns, and then raises the same; a warning would end these tests."""

    class Warns(FakeModule):
        def is_available(self):
            warnings.warn("CUDA initialization: the driver is too old", stacklevel=1)
            return False

    def fail(*args, **kwargs):
        raise RuntimeError("No CUDA GPUs are available")

    monkeypatch.setattr(torch, "get_device_module", lambda _: Warns())
    monkeypatch.setattr(torch, "empty", fail)
    assert devices.unavailable_reason(torch.device("cuda")) == "no device"


def test_an_index_beyond_the_last_device(monkeypatch):
    monkeypatch.setattr(torch, "get_device_module", lambda _: FakeModule(2))
    assert devices.unavailable_reason(torch.device("cuda:1")) is None
    reason = devices.unavailable_reason(torch.device("cuda:7"))
    assert reason == "no device: this machine has 2 cuda device(s)"


def test_not_a_device():
    with pytest.raises(ValueError, match=r"device = 'gpu': must be a torch device"):
        devices.parse_device("gpu")


def test_mixed_devices_are_both_named():
    data = Data(torch.ones(3, 2), torch.zeros(3, dtype=torch.long))
    W, b = torch.ones(2, 2, device="meta"), torch.ones(2)
    with pytest.raises(RuntimeError, match=r"X on cpu, y on cpu, W on meta, b on cpu"):
        evaluate(W, b, data)


def test_clock_share_is_unknown_on_the_cpu_and_a_share_elsewhere(monkeypatch):
    class Clocked(FakeModule):
        def clock_rate(self, _):
            return 990

        def get_device_properties(self, _):
            return type("Properties", (), {"clock_rate": 1_980_000})

    assert devices.clock_share(torch.device("cpu")) is None
    monkeypatch.setattr(torch, "get_device_module", lambda _: Clocked(1))
    assert devices.clock_share(torch.device("cuda")) == 0.5
    monkeypatch.setattr(torch, "get_device_module", lambda _: FakeModule(1))
    assert devices.clock_share(torch.device("cuda")) is None


def test_a_clock_that_the_makers_library_refuses_is_unknown(monkeypatch):
    """As on MIG, vGPU and in containers; its errors are plain Exceptions."""

    class NotSupportedError(Exception):
        pass

    class Refuses(FakeModule):
        def clock_rate(self, _):
            raise NotSupportedError("Not Supported")

        def get_device_properties(self, _):
            return type("Properties", (), {"clock_rate": 1_980_000})

    monkeypatch.setattr(torch, "get_device_module", lambda _: Refuses(1))
    assert devices.clock_share(torch.device("cuda")) is None


def test_a_device_is_named_only_where_there_are_several(monkeypatch):
    """torch.mps.synchronize takes none."""
    waited = []

    class Waits(FakeModule):
        def synchronize(self, *named):
            waited.append(named)

    for count in (1, 2):
        module = Waits(count)
        monkeypatch.setattr(torch, "get_device_module", lambda _, m=module: m)
        devices.synchronize(torch.device("mps:0"))
    assert waited == [(), (torch.device("mps:0"),)]


def test_the_driver_is_read_where_nvidia_says_it(tmp_path):
    kept = tmp_path / "version"
    kept.write_text("NVRM version: NVIDIA UNIX Open Kernel Module x86_64  570.86.15\n")
    assert devices.driver_of("cuda", kept) == "570.86.15"
    assert devices.driver_of("cpu", kept) is None
    assert devices.driver_of("cuda", tmp_path / "none") is None

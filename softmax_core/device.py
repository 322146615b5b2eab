"""Use any torch device through torch's device-generic API, without `if cuda`.

Kinds of device are named only for the listing: `ASKED_KINDS`, NVIDIA's driver, and what
its errors mean. Trainers, workers and `crossover devices` call this.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from torch import Tensor

from softmax_core.processor import cpu_name

ASKED_KINDS = ("cuda", "xpu", "mps")
"""Kinds always listed, with the reason when torch cannot use them here."""
NVIDIA = Path("/proc/driver/nvidia/version")
"""The file in which NVIDIA's driver tells its version."""


@dataclass(frozen=True)
class DeviceInfo:
    """One line of `crossover devices`; `reason` is set if the device is unavailable."""

    name: str
    description: str
    memory_bytes: int | None
    reason: str | None = None
    driver: str | None = None
    """The driver's version; None if the system does not tell it."""
    is_simulated: bool = False
    """Whether the device is software for tests, as its torch module says."""


def parse_device(device: torch.device | str) -> torch.device:
    """Return a torch.device.

    Raises:
        ValueError: for a text that torch does not know as a device.
    """
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device = {str(device)!r}: must be a torch device such as cpu, cuda or "
            "cuda:0; see `crossover devices`"
        ) from error


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all work queued on it; the CPU has no queue."""
    if device.type == "cpu":
        return
    module = torch.get_device_module(device)
    if module.device_count() == 1:  # mps takes no device, as there is only one
        module.synchronize()
    else:
        module.synchronize(device)


def unavailable_reason(device: torch.device) -> str | None:
    """Return why torch cannot use the device here, or None when it can."""
    kind = device.type
    if kind == "cpu":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch then raises the same as an error
            module = torch.get_device_module(device)
            count = module.device_count() if module.is_available() else 0
        if count and (device.index or 0) >= count:
            return f"no device: this machine has {count} {kind} device(s)"
        if not count:
            torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return plain_reason(kind, str(error))
    return None


def accelerators() -> list[torch.device]:
    """Return every accelerator device that torch can use here, of any kind.

    torch itself names one kind, which may come from a package outside torch.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `unavailable_reason` tells the same
        current = torch.accelerator.current_accelerator(check_available=True)
    named = [] if current is None else [current.type]
    return [
        torch.device(kind, index)
        for kind in dict.fromkeys([*named, *ASKED_KINDS])
        if unavailable_reason(torch.device(kind)) is None
        for index in range(torch.get_device_module(kind).device_count())
    ]


def describe(device: torch.device) -> DeviceInfo:
    """Return a usable device's marketing name and memory in bytes."""
    if device.type == "cpu":
        return DeviceInfo("cpu", cpu_name(), psutil.virtual_memory().total)
    module = torch.get_device_module(device)
    properties = getattr(module, "get_device_properties", lambda _: None)(device)
    return DeviceInfo(
        str(device),
        getattr(properties, "name", device.type),
        getattr(properties, "total_memory", None),
        driver=driver_of(device.type),
        is_simulated=getattr(module, "is_simulated", False),
    )


def driver_of(kind: str, nvidia: Path = NVIDIA) -> str | None:
    """Return the version of a kind's driver, None where it is not told."""
    try:
        text = nvidia.read_text(encoding="utf-8") if kind == "cuda" else ""
    except OSError:
        return None
    found = re.search(r"\b\d+\.\d+(\.\d+)?\b", text)
    return found[0] if found else None


def list_devices() -> list[DeviceInfo]:
    """List the CPU, every usable accelerator, and the reason for each kind unusable."""
    usable = accelerators()
    devices = [describe(torch.device("cpu")), *map(describe, usable)]
    for kind in ASKED_KINDS:
        if all(device.type != kind for device in usable):
            reason = unavailable_reason(torch.device(kind)) or "not the accelerator"
            devices.append(DeviceInfo(kind, "", None, reason))
    return devices


def use_threads(threads: int | None) -> None:
    """Set torch's CPU threads; None leaves them as they are."""
    if threads is not None:
        torch.set_num_threads(threads)


WIDTH = 512
"""Width of the matrix tested; for smaller ones libraries use other algorithms."""


def pin_products() -> None:
    """Make torch multiply float32 matrices in full float32, and not in TF32.

    TF32 reads only ten bits of each number's fraction: faster, but not the work that
    the CPU does, and small cases would pass verification with it.
    """
    torch.set_float32_matmul_precision("highest")


def describe_products() -> dict[str, object]:
    """Return torch's setting."""
    return {"float32_matmul_precision": torch.get_float32_matmul_precision()}


def rounds_products(device: torch.device) -> bool:
    """Tell whether a product on the device loses bits of its float32 operands."""
    bit = 2.0**-12  # beyond TF32's ten
    a = torch.full((WIDTH, WIDTH), 1 + bit, device=device)
    product = torch.mm(a, torch.eye(WIDTH).to(device)).cpu()
    return bool((product - 1).abs().max() < bit / 2)


def peak_memory_bytes(device: torch.device) -> int | None:
    """Return the most bytes that torch held on an accelerator; None if unknown."""
    module = torch.get_device_module(device)
    read = getattr(module, "max_memory_allocated", None)
    return int(read(device)) if read is not None else None


def memory_held_bytes(device: torch.device) -> int | None:
    """Return the bytes that torch holds on an accelerator now; None if unknown."""
    module = torch.get_device_module(device)
    if (read := getattr(module, "memory_allocated", None)) is not None:
        return int(read(device))
    read = getattr(module, "current_allocated_memory", None)  # mps has one device
    return None if read is None else int(read())


def reset_peak_memory(device: torch.device) -> None:
    """Start counting the peak anew, if the accelerator counts it."""
    reset = getattr(torch.get_device_module(device), "reset_peak_memory_stats", None)
    if device.type != "cpu" and reset is not None:
        reset(device)


def clock_share(device: torch.device) -> float | None:
    """Return the accelerator's clock as a share of its highest, None if unknown.

    torch reads the clock in MHz (through NVML on CUDA) and knows the highest in kHz.
    """
    if device.type == "cpu":
        return None
    module = torch.get_device_module(device)
    try:
        highest = module.get_device_properties(device).clock_rate / 1000
        return float(module.clock_rate(device) / highest)
    except Exception:  # NVML's own errors (MIG, vGPU, containers) have no usual base
        return None


def device_uuid(device: torch.device) -> str | None:
    """Return the number by which the maker's library knows a device; None if unknown.

    Raises:
        RuntimeError: for a device that is not here.
    """
    read = getattr(torch.get_device_module(device), "get_device_properties", None)
    found = getattr(read(device), "uuid", None) if read else None
    return None if found is None else str(found)


def require_same_device(**tensors: Tensor) -> None:
    """Check that all tensors are on the same device.

    Raises:
        RuntimeError: naming each tensor with its device, if they differ.
    """
    if len({tensor.device for tensor in tensors.values()}) > 1:
        where = ", ".join(f"{name} on {t.device}" for name, t in tensors.items())
        raise RuntimeError(
            f"expected all tensors to be on the same device, got {where}"
        )


DRIVERS = {"11": "450", "12": "525", "13": "580"}
"""The oldest driver for each CUDA, from NVIDIA's "CUDA Compatibility"."""
CUDA_ERRORS = {
    "3": (
        "CUDA's driver does not start",
        "look at `nvidia-smi`, at the rights to /dev/nvidia* and, in a container, at "
        "whether it was started with its GPUs",
    ),
    "46": (
        "another process holds it, in exclusive compute mode",
        "stop that process, or allow several: sudo nvidia-smi -c 0",
    ),
    "802": (
        "the GPUs of this machine are not yet initialized",
        "start NVIDIA's fabric manager: sudo systemctl start nvidia-fabricmanager",
    ),
    "803": (
        "NVIDIA's kernel module and its library libcuda are of different versions",
        "restart the machine after a driver's update; in a container, use the host's "
        "libcuda",
    ),
    "804": (
        "a libcuda for forward compatibility is loaded, which this GPU does not take",
        "take cuda-compat out of LD_LIBRARY_PATH, or update the driver",
    ),
    "999": (
        "CUDA's driver fails with an unknown error",
        "load its module (sudo modprobe nvidia_uvm), look at CUDA_VISIBLE_DEVICES, or "
        "restart the machine",
    ),
}
"""What an error of CUDA's driver means, and what to do, by the error's number."""
TEXTS = {
    "driver initialization failed": "3",
    "busy or unavailable": "46",
    "system not yet initialized": "802",
    "unsupported display driver / cuda driver": "803",
    "forward compatibility was attempted": "804",
    "cuda unknown error": "999",
}
"""Parts of torch's messages that do not tell the error's number, with that number."""


def plain_reason(kind: str, message: str) -> str:
    """Return in a few words what torch's error means, and what to do."""
    lower = message.lower()
    if any(text in lower for text in ("not compiled", "not linked", "backend")):
        return f"torch was built without {kind.upper()}"
    if reason := _of_nvidia(message):
        return reason
    if "no nvidia driver" in lower:
        return "no driver"
    if "available" in lower or "no device" in lower:
        return "no device"
    return message.strip().splitlines()[0]


def _of_nvidia(message: str) -> str:
    """Return what is wrong with NVIDIA's driver; "" if the message is not about it."""
    if found := re.search(r"driver on your system is too old.*?(\d{4,6})", message):
        return _too_old(int(found[1]))
    for text, number in TEXTS.items():
        if text in message.lower():
            return _of_cuda(number)
    found = re.search(r"cudaGetDeviceCount.*Error (\d+): (.*)", message)
    return _of_cuda(found[1], found[2]) if found else ""


def _of_cuda(number: str, text: str = "") -> str:
    what, advice = CUDA_ERRORS.get(
        number, (f"CUDA's driver fails ({text.strip()})", "look at `nvidia-smi`")
    )
    return f"{what} (CUDA error {number}): {advice}"


def _too_old(version: int) -> str:
    """Return that the driver's CUDA, such as 12040, is too old for this torch."""
    theirs = f"{version // 1000}.{version % 1000 // 10}"
    ours = torch.version.cuda or "newer"
    driver = DRIVERS.get(ours.partition(".")[0])
    wanted = f"{driver} or newer" if driver else "that is newer"
    return (
        f"NVIDIA's driver is for CUDA {theirs}, and torch {torch.__version__} needs "
        f"CUDA {ours}: install a driver {wanted}, or a torch that was built for CUDA "
        f"{theirs} or older (pytorch.org/get-started/previous-versions)"
    )

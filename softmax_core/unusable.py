"""Why a device cannot be used here: torch's error in, one plain sentence out.

The texts of CUDA's errors are torch's (`c10/cuda`, `aten/src/ATen/cuda`). Their numbers
are `cudaError`'s.
"""

import re

import torch

DRIVERS = {"11": "450", "12": "525", "13": "580"}
"""The oldest NVIDIA driver for each CUDA, by CUDA's compatibility guide."""
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
"""What an error of CUDA's driver means, and what to do."""
TEXTS = {
    "driver initialization failed": "3",
    "busy or unavailable": "46",
    "system not yet initialized": "802",
    "unsupported display driver / cuda driver": "803",
    "forward compatibility was attempted": "804",
    "cuda unknown error": "999",
}
"""How torch says it where it leaves out the number."""


def plain_reason(kind: str, message: str) -> str:
    """Say in a few words what torch's error means, and what to do."""
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
    """Say what is wrong with a driver that is there; "" where it is not to blame."""
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
    """Compare the driver's CUDA, such as 12040, with that of torch."""
    theirs = f"{version // 1000}.{version % 1000 // 10}"
    ours = torch.version.cuda or "newer"
    driver = DRIVERS.get(ours.partition(".")[0])
    wanted = f"{driver} or newer" if driver else "that is newer"
    return (
        f"NVIDIA's driver is for CUDA {theirs}, and torch {torch.__version__} needs "
        f"CUDA {ours}: install a driver {wanted}, or a torch that was built for CUDA "
        f"{theirs} or older (pytorch.org/get-started/previous-versions)"
    )

"""Peak memory of a cell: forgotten before it is opened, read after its warm-up."""

import torch

from softmax_core.device import peak_memory_bytes, reset_peak_memory


def reset_peak(device: torch.device) -> None:
    """Forget the peak of the cells before, where the system lets us."""
    reset_peak_memory(device)
    forget_peak("self")


def forget_peak(process: str) -> None:
    """Forget a process' peak of resident memory."""
    try:
        with open(f"/proc/{process}/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")
    except OSError:
        pass


def read_peak(device: torch.device, others: tuple[str, ...]) -> int | None:
    """Return the peak: the device's allocator's, or the processes' resident memory.

    What the `others`, of other ranks, share with this one counts in each; what they
    have on other devices is not known here.
    """
    if device.type != "cpu":
        return None if others else peak_memory_bytes(device)
    try:
        return sum(map(_peak_resident, ("self", *others)))
    except (OSError, StopIteration):
        return None


def _peak_resident(process: str) -> int:
    with open(f"/proc/{process}/status", encoding="utf-8") as lines:
        found = next(line for line in lines if line.startswith("VmHWM"))
    return int(found.split()[1]) * 1024

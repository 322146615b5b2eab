"""The place that a label names: one of torch's devices, or the CPU without torch."""

import sys
from dataclasses import dataclass
from typing import Protocol

from crossover.files.untrusted import InputError


class Place(Protocol):
    """A device, as `torch.device` is one: as text it is its name, such as `cuda:0`."""

    @property
    def type(self) -> str:
        """Name the kind, such as `cuda`."""


@dataclass(frozen=True)
class Cpu:
    """The CPU, where torch need not be loaded."""

    type: str = "cpu"

    def __str__(self) -> str:
        return self.type


CPU = Cpu()


def place(name: str) -> Place:
    """Return the device with a name that the user gave.

    Raises:
        InputError: for a name that torch does not know.
    """
    if name == str(CPU):
        return CPU
    from softmax_core.device import parse_device

    try:
        return parse_device(name)
    except ValueError as error:
        raise InputError(str(error)) from error


def unavailable(there: Place) -> str | None:
    """Return why a device cannot be used here, or None when it can."""
    if there.type == CPU.type:
        return None
    from softmax_core.device import parse_device, unavailable_reason

    return unavailable_reason(parse_device(str(there)))


def synchronize(there: Place) -> None:
    """Wait until a device has done all work queued on it; the CPU has no queue."""
    if there.type != CPU.type:
        from softmax_core import device

        device.synchronize(device.parse_device(str(there)))


def has_torch() -> bool:
    """Tell whether torch is loaded in this process."""
    return "torch" in sys.modules

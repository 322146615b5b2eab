"""The processor: its name and what it does near 0, found without torch."""

import platform

import numpy as np

LEAST = 2.0**-126
"""The smallest normal number of float32."""


def cpu_name() -> str:
    """Return the processor's marketing name, or what the system calls its kind."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(s for s in lines if s.startswith("model name"))[12:].strip(
                ": \n"
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def flushes_subnormals() -> bool:
    """Tell whether this thread takes numbers nearer to 0 than normal ones for 0.

    `torch.set_flush_denormal` asks for it, and so do some libraries as they are loaded.
    """
    return bool((np.full(1, LEAST, np.float32) * np.float32(0.5) == 0).all())

"""The name of the processor, found without torch."""

import platform


def cpu_name() -> str:
    """Return the processor's marketing name, or what the system calls its kind."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(s for s in lines if s.startswith("model name"))[12:].strip(
                ": \n"
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

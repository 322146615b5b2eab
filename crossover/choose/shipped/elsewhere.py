"""Whether this machine is the one that was measured; torch is not loaded for it."""

from __future__ import annotations

import os
import platform
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

NVIDIA = Path("/proc/driver/nvidia")
"""Where NVIDIA's driver tells its version and its devices."""
NONE = "none"


def warn_elsewhere(data: dict[str, Any], stacklevel: int = 2) -> None:
    """Warn if this machine, its driver or torch is not what was measured."""
    if found := differences(data["machine"], facts_here()):
        warnings.warn(
            f"measured elsewhere: {'; '.join(found)}. Measure again here: "
            f"{data['again']}",
            stacklevel=stacklevel + 1,
        )


def differences(was: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """Return how a machine differs from the one measured: `torch: 2.12.0 -> 2.13.0`.

    Args:
        was: the facts recorded; what is None there is not compared.
        here: the facts of the other one, as `facts_here` returns them.
    """
    found = [
        f"{name}: {was[name]} -> {here[name]}"
        for name in ("cpu", "cores", "driver", "torch")
        if was.get(name) is not None and here.get(name) not in (None, was[name])
    ]
    devices = here.get("accelerators")
    if was.get("driver") is None or devices is None:
        return found
    missing = [name for name in was["accelerators"] if name not in devices]
    if missing:
        found.append(f"accelerator: {missing[0]} -> {', '.join(devices) or NONE}")
    return found


def facts_here(nvidia: Path = NVIDIA) -> dict[str, Any]:
    """Return what can be known of this machine without loading torch.

    What cannot be known is None; what is not there is `none`.
    """
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = NONE
    words = _text(nvidia / "version").split()
    driver = next((w for w in words if w[0].isdigit() and "." in w), NONE)
    texts = [_text(path) for path in sorted(nvidia.glob("gpus/*/information"))]
    lines = [line.partition(":") for text in texts for line in text.splitlines()]
    devices = [value.strip() for name, _, value in lines if name == "Model"]
    has_affinity = hasattr(os, "sched_getaffinity")
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count(),
        "torch": torch,
        "driver": driver,
        "accelerators": devices if devices or driver == NONE else None,
    }


def _cpu() -> str:
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

"""The snapshot of a machine: CPU, accelerators, versions, threads, load, quota.

`snapshot` is called by the main process, which never imports torch; it asks a worker,
which calls `describe_here`.
"""

import hashlib
import os
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bench.measure.process import WorkerProcess
from bench.nouns import Machine

PACKAGES = ("torch", "numpy", "scipy", "pandas", "softmax-crossover")


def snapshot(devices: tuple[str, ...] = ()) -> Machine:
    """Describe this machine, and say why any of `devices` cannot be used here.

    Raises:
        ValueError: for a device name that torch does not know.
        RuntimeError: when torch cannot be loaded.
    """
    worker = WorkerProcess(None)
    try:
        reply = worker.ask({"op": "machine", "devices": list(devices)}, 120)
    finally:
        worker.stop()
    if reply.get("status") == "failed" and "must be" in reply["notes"]:
        raise ValueError(reply["notes"].partition(": ")[2])
    if "cpu" not in reply:
        raise RuntimeError(f"torch cannot be asked: {reply.get('notes')}")
    identity = (reply["cpu"], usable_cores(), quota_cores(), reply["accelerators"])
    return Machine(
        hostname=socket.gethostname(),
        cpu=reply["cpu"],
        cores=usable_cores(),
        quota_cores=quota_cores(),
        memory_bytes=psutil.virtual_memory().total,
        load_1min=os.getloadavg()[0],
        accelerators=tuple(reply["accelerators"]),
        unavailable=reply["unavailable"],
        versions=reply["versions"],
        threads=reply["threads"],
        fingerprint=hashlib.sha256(repr(identity).encode()).hexdigest()[:12],
    )


def usable_cores() -> int:
    """Count the cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quota_cores(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the container's CPU quota in cores, None where there is none."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def describe_here(devices: list[str]) -> dict[str, Any]:
    """Describe what torch sees in this process; the worker's half of `snapshot`."""
    import threadpoolctl
    import torch

    from softmax_core.device import list_devices, parse_device, unavailable_reason

    listed = list_devices()
    unavailable = {d.name: d.reason for d in listed if d.reason}
    for text in devices:
        reason = unavailable_reason(parse_device(text))
        if reason is not None:
            unavailable[text] = reason
    return {
        "cpu": listed[0].description,
        "accelerators": [
            {
                "name": d.name,
                "description": d.description,
                "memory_bytes": d.memory_bytes,
            }
            for d in listed[1:]
            if d.reason is None
        ],
        "unavailable": unavailable,
        "versions": {"python": platform.python_version(), **_versions()},
        "threads": {
            "torch": torch.get_num_threads(),
            "pools": [
                {k: pool.get(k) for k in ("user_api", "internal_api", "num_threads")}
                for pool in threadpoolctl.threadpool_info()
            ],
        },
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

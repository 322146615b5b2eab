"""Describe what torch sees in this process: devices, trainers, versions, threads.

It runs in a worker; `measure.machine.snapshot` asks for it.
"""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import threadpoolctl
import torch

from crossover.measure.energy import energy_unmeasured
from crossover.measure.pipe import Accelerator, Described
from softmax_core import train
from softmax_core.case import SMALLEST
from softmax_core.device import (
    DeviceInfo,
    list_devices,
    parse_device,
    unavailable_reason,
)
from softmax_core.precision import describe_products
from softmax_core.registry import TRAINERS
from softmax_core.training import cannot_train

PACKAGES = ("torch", "numpy", "numba", "scipy", "pandas", "softmax-crossover")
"""Packages whose versions are recorded."""


def describe_here(devices: Sequence[str]) -> Described:
    """Describe this machine's devices, and why any of `devices` cannot be used."""
    listed = list_devices()
    # The first training on a machine loads files from disk, which the first contender
    # measured should not pay for all.
    train(SMALLEST, "lesson", "cpu")
    unavailable = {d.name: d.reason for d in listed if d.reason}
    for text in devices:
        reason = unavailable_reason(parse_device(text))
        if reason is not None:
            unavailable[text] = reason
    usable = [name for name in devices or ["cpu"] if name not in unavailable]
    found = (str(d.name) for d in listed[1:] if d.reason is None)
    return Described(
        cpu=listed[0].description,
        energy_unmeasured=energy_unmeasured(dict.fromkeys([*usable, *found])),
        accelerators=tuple(
            Accelerator(
                name=d.name,
                description=d.description,
                memory_bytes=d.memory_bytes,
                driver=d.driver,
                is_simulated=d.is_simulated,
            )
            for d in listed[1:]
            if d.reason is None
        ),
        unavailable=unavailable,
        trainers=_trainers(listed),
        versions={"python": platform.python_version(), **_versions()},
        threads={
            "torch": torch.get_num_threads(),
            "products": describe_products(),
            "pools": [
                {
                    k: pool.get(k)
                    for k in ("user_api", "internal_api", "num_threads", "version")
                }
                for pool in threadpoolctl.threadpool_info()
            ],
        },
    )


def _trainers(listed: list[DeviceInfo]) -> dict[str, str]:
    """Return by `device/trainer` what is missing for it here; "" if it can run.

    A trainer for a kind of device that is not here misses the device.
    """
    found = {}
    for name, trainer in TRAINERS.items():
        only = trainer.only_on
        for info in listed:
            kind = info.name.partition(":")[0]
            if kind == (only or kind) and (only or info.reason is None):
                missing = info.reason or cannot_train(name, parse_device(info.name))
                found[f"{info.name}/{name}"] = missing or ""
    return found


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

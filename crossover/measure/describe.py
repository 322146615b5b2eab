"""Describe what torch sees in this process: devices, trainers, versions, threads.

It runs in a worker; `measure.machine.snapshot` asks for it.
"""

import platform
from collections.abc import Sequence
from contextlib import suppress
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
POOL = ("user_api", "internal_api", "num_threads", "version")
"""What is recorded of a pool of threads."""


def describe_here(devices: Sequence[str]) -> Described:
    """Describe this machine's devices, and why any of `devices` cannot be used."""
    listed = list_devices()
    # The first training on a machine loads files from disk, which the first contender
    # measured should not pay for all.
    train(SMALLEST, "lesson", "cpu")
    unavailable = {d.name: d.reason for d in listed if d.reason}
    for text in devices:
        if (reason := unavailable_reason(parse_device(text))) is not None:
            unavailable[text] = reason
    usable = [name for name in devices or ["cpu"] if name not in unavailable]
    found = [vars(d) for d in listed[1:] if d.reason is None]
    names = (d["name"] for d in found)
    return Described(
        cpu=listed[0].description,
        energy_unmeasured=energy_unmeasured(dict.fromkeys([*usable, *names])),
        accelerators=tuple(
            Accelerator(**{name: d[name] for name in Accelerator.model_fields})
            for d in found
        ),
        unavailable=unavailable,
        trainers=_trainers(listed),
        versions={"python": platform.python_version(), **_versions()},
        threads={
            "torch": torch.get_num_threads(),
            "products": describe_products(),
            "pools": [
                {key: pool.get(key) for key in POOL}
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
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found

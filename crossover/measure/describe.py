"""What a worker finds out without torch: the CPU, versions, pools of threads.

`devices` adds what torch sees. A worker of a job that needs no torch never loads that.
"""

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import threadpoolctl

from crossover.measure.energy import energy_unmeasured
from crossover.measure.pipe import Described
from crossover.proof.place import CPU
from softmax_core.processor import cpu_name

PACKAGES = (
    "torch", "numpy", "numba", "scipy", "pandas", "scikit-learn", "jax", "jaxlib",
    "softmax-crossover",
)  # fmt: skip
"""Packages whose versions are recorded, as their metadata tell them."""
POOL = ("user_api", "internal_api", "num_threads", "version")
"""What is recorded of a pool of threads."""


def describe_cpu() -> Described:
    """Describe this machine without torch, which would tell of accelerators."""
    return Described(
        cpu=cpu_name(),
        energy_unmeasured=energy_unmeasured([str(CPU)]),
        accelerators=(),
        unavailable={},
        trainers={},
        versions=versions(),
        threads={"pools": pools()},
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of packages; none of them is loaded."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def pools() -> list[dict[str, object]]:
    """Return the pools of threads that loaded libraries have."""
    return [
        {key: pool.get(key) for key in POOL} for pool in threadpoolctl.threadpool_info()
    ]

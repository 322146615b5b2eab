"""Measure joules beside seconds, by the energy counters of a contender's chips.

In: a device. Out: a `Meter`, or the reason why there is none. A CPU contender is
charged the CPU's packages (RAPL), a CUDA contender its board (NVML) and, if they can be
read, the packages. Counters see all that their chip uses, even idle power.
"""

import importlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from crossover.proof.place import CPU, Place, place

POWERCAP = Path("/sys/class/powercap")
"""The kernel's powercap tree, which holds the RAPL counters."""
FEWEST_UPDATES = 4
"""Fewest updates of a counter in a sample that has joules. A reading is up to one
update old, so that a sample is off by at most the energy of one update: a quarter of
the shortest sample, 10 % in the root mean square. That is noise between rounds, as long
as the chip uses as much just before the sample as during it."""
WAIT_S = 0.5
"""A counter that does not change three times in this many seconds stands still."""


@dataclass(frozen=True)
class Counter:
    """A counter of one chip's energy.

    Sources: the kernel's Documentation/power/powercap/powercap.rst of RAPL's counters
    of CPU packages, in microjoules, which wrap around; NVML's of a whole GPU board, in
    millijoules since the driver loaded.
    """

    name: str
    """The chip's name: `package-0`, `board`."""
    read: Callable[[], int]
    """Returns the reading; raises OSError when the counter cannot be read."""
    unit_j: float
    range: int | None = None
    """Where it wraps around, in its units; None if it does not."""

    def joules(self, before: int, after: int) -> float:
        """Return the energy between two readings, at most one wrap apart."""
        used = after - before
        return (used % self.range if self.range else used) * self.unit_j


@dataclass(frozen=True)
class Meter:
    """The counters of one contender, and how often the slowest changes."""

    counters: tuple[Counter, ...]
    update_s: float

    @property
    def name(self) -> str:
        """The names of the chips whose energy is added up."""
        return " + ".join(counter.name for counter in self.counters)

    def around(self, work: Callable[[], float]) -> tuple[float, float | None]:
        """Do work that returns its seconds; return these seconds and the joules.

        The counters are read before the work's clock starts and after it stops. The
        joules are None if the work was too short or a counter could not be read.
        """
        before = self._read()
        work_s = work()
        after = self._read()
        if before is None or after is None or self.too_short(work_s):
            return work_s, None
        readings = zip(self.counters, before, after, strict=True)
        return work_s, sum(counter.joules(a, b) for counter, a, b in readings)

    def _read(self) -> list[int] | None:
        try:
            return [counter.read() for counter in self.counters]
        except (OSError, ValueError):
            return None

    def too_short(self, sample_s: float) -> str:
        """Return why a sample of this length has no joules; "" if it has."""
        if sample_s >= FEWEST_UPDATES * self.update_s:
            return ""
        return (
            f"energy not measured: a sample of {1e3 * sample_s:.3g} ms is shorter than "
            f"{FEWEST_UPDATES} updates of {1e3 * self.update_s:.3g} ms"
        )


def find_meter(
    device: Place,
    root: Path = POWERCAP,
    now: Callable[[], float] = time.perf_counter,
) -> Meter | str:
    """Return the meter for a contender's energy, or the reason why there is none.

    Args:
        device: where the contender trains.
        root: root of the kernel's powercap tree.
        now: the clock.
    """
    cpu = packages(root)
    if device.type == CPU.type:
        return cpu if isinstance(cpu, str) else _meter(cpu, now)
    gpu = board(device)
    if isinstance(gpu, str):
        return gpu
    return _meter([gpu, *([] if isinstance(cpu, str) else cpu)], now)


def energy_unmeasured(devices: Iterable[str], root: Path = POWERCAP) -> str | None:
    """Return the devices whose energy is not measured, and why; None if all are."""
    found = {name: find_meter(place(name), root) for name in devices}
    reasons = (f"{n}: {why}" for n, why in found.items() if isinstance(why, str))
    return "; ".join(reasons) or None


def packages(root: Path = POWERCAP) -> list[Counter] | str:
    """Return the counters of all CPU packages, or why there are none.

    Domains within a package (cores, memory) would count twice and are left out.
    """
    found: list[Counter] = []
    for folder in sorted(root.glob("intel-rapl:*")):  # AMD's are called so too
        try:
            name = (folder / "name").read_text("utf-8").strip()
            if not name.startswith("package"):
                continue
            whole = _number(folder / "max_energy_range_uj")
            read = partial(_number, folder / "energy_uj")
            read()
        except PermissionError:
            return f"{folder.name}/energy_uj can be read by root only"
        except (OSError, ValueError) as error:
            return f"{folder.name} cannot be read: {error}"
        found.append(Counter(name, read, 1e-6, whole))
    return found or f"no RAPL counters of packages in {root}"


def _number(path: Path) -> int:
    return int(path.read_text("utf-8"))


def board(device: Place) -> Counter | str:
    """Return the counter of a device's board as NVML knows it, or why there is none."""
    from softmax_core.device import device_uuid, parse_device

    uuid = device_uuid(parse_device(str(device)))
    if uuid is None:
        return f"no energy counter is known for {device.type}"
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return "no NVML: pip install nvidia-ml-py"

    def read() -> int:
        try:
            return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except nvml.NVMLError as error:
            raise OSError(f"NVML: {error}") from error

    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        read()
    except (nvml.NVMLError, OSError, AttributeError, RuntimeError) as error:
        return f"NVML: {error}"
    return Counter("board", read, 1e-3)


def _meter(counters: list[Counter], now: Callable[[], float]) -> Meter | str:
    updates = []
    for counter in counters:
        try:
            update_s = _update_s(counter, now)
        except (OSError, ValueError) as error:
            return f"the counter of {counter.name} cannot be read: {error}"
        if update_s is None:
            return f"the counter of {counter.name} stands still"
        updates.append(update_s)
    return Meter(tuple(counters), max(updates))


def _update_s(counter: Counter, now: Callable[[], float]) -> float | None:
    """Return the seconds between a counter's changes; None if it stands still."""
    start = now()
    value, changes = counter.read(), list[float]()
    while len(changes) < 3 and now() - start < WAIT_S:
        new = counter.read()
        if new != value:
            changes.append(now())
            value = new
    if len(changes) < 3:
        return None
    return max(later - sooner for sooner, later in pairwise(changes))

"""Find out in a worker what torch sees, and what one accelerator can do.

`measure.machine` asks for both. `accelerator_facts` goes into every run's machine
record; `crossover doctor` judges that and `equal_work`. There no kind of device is
named: a fact for which torch has no generic call is None.
"""

import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress

import torch
from torch import Tensor

from crossover.files.errors import first_line
from crossover.measure.clock import measured_s
from crossover.measure.describe import pools, versions
from crossover.measure.energy import energy_unmeasured
from crossover.measure.pipe import Accelerator, Described, Examined
from softmax_core import TOLERANCE, disagreement, get_trainer, train
from softmax_core.case import EQUAL_WORK, SMALLEST
from softmax_core.device import (
    DeviceInfo,
    clock_share,
    describe_products,
    device_uuid,
    list_devices,
    parse_device,
    rounds_products,
    synchronize,
    unavailable_reason,
)
from softmax_core.registry import TRAINERS
from softmax_core.training import cannot_train

WIDTHS = 512, 1024, 2048, 4096, 8192
"""Widths of the square matrices that are tried."""
LEAST_S = 200e-6
"""Shortest product, unless it has the largest width. Drivers queue about 1,000
launches, and then even on an asynchronous device the host waits: 50 ms of shorter
products would be more launches than that."""
PRODUCTS = 10, 500
"""Fewest and most products in a queue."""


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
        versions=versions(),
        threads={
            "torch": torch.get_num_threads(),
            "products": describe_products(),
            "pools": pools(),
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


class Products:
    """Matrix products that are wide enough to fill a queue by time, not by number.

    Raises:
        torch.OutOfMemoryError: if not even the smallest matrices fit.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        for width in WIDTHS:
            try:
                self._a, self._out = self._matrices(width)
                self.one_s = self._measured_s()
            except torch.OutOfMemoryError:
                if width == WIDTHS[0]:
                    raise
                self._a, self._out = self._matrices(width // 2)
                break
            if self.one_s >= LEAST_S:
                break

    def _matrices(self, width: int) -> tuple[Tensor, Tensor]:
        a = torch.ones(width, width, device=self._device)
        return a, torch.empty_like(a)

    def _measured_s(self) -> float:
        """Return the seconds of one product in a queue, after a first one untimed."""
        few, _ = PRODUCTS
        self.queue(1)
        work_s = measured_s(lambda: self.queue(few), lambda: synchronize(self._device))
        return work_s / few

    def lasting(self, seconds: float) -> int:
        """Return how many products take about this many seconds."""
        return _as_many(seconds / self.one_s, *PRODUCTS)

    def queue(self, count: int) -> None:
        """Queue `count` products and do not wait for them."""
        for _ in range(count):
            torch.mm(self._a, self._a, out=self._out)


COPIED_BYTES = 64 << 10, 64 << 20
"""Fewest and most bytes in a copy; between them, what takes about `COPY_S`."""
COPY_S = 0.02
"""Seconds that a copy should take."""
REPEATS = 5
"""Repetitions of a copy, and fewest of a round trip; the median counts."""
LAUNCHES = 10, 1_000
"""Fewest and most launches in a row; between them, what takes about `LAUNCHES_S`."""
LAUNCHES_S = 0.1
"""Seconds that launches or round trips should take together."""
QUEUED_S = 0.05
"""Seconds of work in the queue that the host watches."""


def accelerator_facts(device: torch.device) -> Examined:
    """Measure a usable accelerator: queue, clock, launches, copies, free memory.

    Any error means that the device is lost, full or broken.
    """
    products = Products(device)
    queued_share, clock_ratio = _queue(device, products)
    return Examined(
        queued_share=queued_share,
        clock_ratio=clock_ratio,
        launch_s=_launch_s(device),
        round_trip_s=_round_trip_s(device),
        copies_bytes_per_s=_copies(device),
        memory_free_bytes=_free_bytes(device),
        clock_share=_clock_at_work(device, products),
        uuid=device_uuid(device),
        rounds_products=rounds_products(device),
    )


def _timed_s(device: torch.device, work: Callable[[], object]) -> float:
    return measured_s(work, lambda: synchronize(device))


def _queue(device: torch.device, products: Products) -> tuple[float, float | None]:
    """Return the host's share of a queue's time, and our seconds over its events'."""
    count = products.lasting(QUEUED_S)
    events = _events(device)
    host_s = 0.0

    def queue() -> None:
        nonlocal host_s
        if events:
            events[0].record()
        host_s = measured_s(lambda: products.queue(count), lambda: None)
        if events:
            events[1].record()

    total_s = _timed_s(device, queue)
    if not events:
        return host_s / total_s, None
    return host_s / total_s, total_s / (events[0].elapsed_time(events[1]) / 1000)


def _events(device: torch.device) -> list[torch.Event]:
    """Return two events of a device that can tell the time between them, or none."""
    with suppress(RuntimeError, NotImplementedError, ValueError):
        event = torch.Event(device, enable_timing=True)
        event.record()
        synchronize(device)
        event.elapsed_time(event)
        return [torch.Event(device, enable_timing=True) for _ in range(2)]
    return []


def _launch_s(device: torch.device) -> float:
    x = torch.zeros(1, device=device)

    def launches(count: int) -> float:
        def work() -> None:
            for _ in range(count):
                x.add_(1)

        return _timed_s(device, work) / count

    few, most = LAUNCHES
    launches(few)
    return launches(_as_many(LAUNCHES_S / launches(few), few, most))


def _as_many(wanted: float, few: int, most: int) -> int:
    return max(few, min(most, round(wanted)))


def _round_trip_s(device: torch.device) -> float:
    x = torch.zeros(1, device=device)

    def one_s() -> float:
        return _timed_s(device, lambda: x.add_(1))

    one_s()
    repeats = _as_many(LAUNCHES_S / one_s(), REPEATS, 20 * REPEATS)
    return statistics.median(one_s() for _ in range(repeats))


def _copies(device: torch.device) -> dict[str, float | None]:
    """Return bytes a second of copies, both ways, for pageable and pinned memory."""
    few, most = COPIED_BYTES
    probe = torch.zeros(few, dtype=torch.uint8)
    probed = _bytes_per_s(device, probe.to(device), probe)
    count = _as_many(COPY_S * probed, few, most)
    there = torch.zeros(count, dtype=torch.uint8, device=device)
    kinds = {
        "pageable": torch.zeros(count, dtype=torch.uint8),
        "pinned": _pinned(count),
    }
    found: dict[str, float | None] = {}
    for kind, here in kinds.items():
        to, back = f"to_device_{kind}", f"to_host_{kind}"
        found |= dict.fromkeys((to, back))
        if here is not None:
            found[to] = _bytes_per_s(device, there, here)
            found[back] = _bytes_per_s(device, here, there)
    return found


def _bytes_per_s(device: torch.device, target: Tensor, source: Tensor) -> float:
    def copy() -> None:
        target.copy_(source, non_blocking=True)

    _timed_s(device, copy)
    median_s = statistics.median(_timed_s(device, copy) for _ in range(REPEATS))
    return target.nbytes / median_s


def _pinned(count: int) -> Tensor | None:
    with suppress(RuntimeError, NotImplementedError):
        return torch.zeros(count, dtype=torch.uint8, pin_memory=True)
    return None


def _free_bytes(device: torch.device) -> int | None:
    read = getattr(torch.get_device_module(device), "mem_get_info", None)
    try:
        return None if read is None else int(read(device)[0])
    except (RuntimeError, NotImplementedError):
        return None


def _clock_at_work(device: torch.device, products: Products) -> float | None:
    """Return the clock's share while products run: an idle device clocks down."""
    products.queue(products.lasting(QUEUED_S))
    share = clock_share(device)
    synchronize(device)
    return share


def equal_work(name: str, device: torch.device) -> str | None:
    """Compare a trainer on a device with the closed form on the CPU.

    The result is "" or what is wrong; None if the trainer is not available there.
    """
    if cannot_train(name, device) is not None:
        return None
    try:
        off = disagreement(get_trainer(name), EQUAL_WORK, device)
    except Exception as error:  # any error means that the trainer does not work here
        return first_line(error)
    bound = TOLERANCE[EQUAL_WORK.dtype]
    return "" if off <= bound else f"weights off by {off:.3g}, more than {bound:g}"

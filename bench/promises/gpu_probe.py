"""Probe how each accelerator takes work: launch queue, matrix products, clocks.

A driver queues a number of launches and then blocks the host: the probe prints at which
launch, how long products take by size, and the clock when idle and at work. A question
that fails prints its error, and the next one is asked. `gpu_check` runs this.

    python -m bench.promises.gpu_probe
"""

import statistics
import time
from collections.abc import Callable

import torch

from softmax_core.device import accelerators, clock_share, describe, synchronize

PRODUCT_S = 200e-6
"""The queue is filled with products that take about this many seconds."""
WIDEST = 8192
"""Widest matrix that fills the queue."""
MOST_LAUNCHES = 4096
QUEUE_S = 3.0
"""Seconds of work that are queued at most."""
SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
EACH_S = 0.15
"""Seconds that the products of one size are timed for at least."""
BLOCKED = 20
"""A launch this many times as long as usual has waited for the device."""


def product(device: torch.device, size: int) -> Callable[[], object]:
    """Return a product of two square matrices, to be queued."""
    a = torch.ones(size, size, device=device)
    out = torch.empty_like(a)
    return lambda: torch.mm(a, a, out=out)


def product_s(device: torch.device, work: Callable[[], object]) -> tuple[float, int]:
    """Return the seconds of one product among many, and how many there were."""
    work()
    synchronize(device)
    start_s, count = time.perf_counter(), 0
    least = 1
    while True:
        for _ in range(least):
            work()
        synchronize(device)
        count += least
        took_s = time.perf_counter() - start_s
        if took_s > EACH_S:
            return took_s / count, count
        least = min(2 * least, 1000)


def products(device: torch.device) -> None:
    """Print how long products of each size take, up to the first that is slow."""
    for size in SIZES:
        one_s, count = product_s(device, product(device, size))
        rate = 2 * size**3 / one_s / 1e12
        print(
            f"product {size:5} wide: {one_s * 1e6:10.1f} us, {rate:8.3f} TFLOP/s "
            f"(mean of {count})"
        )
        if one_s > EACH_S:
            break


def queue(device: torch.device) -> None:
    """Print from which launch on the host waits, and how long earlier launches take."""
    size = 256
    while True:
        work = product(device, size)
        one_s, _ = product_s(device, work)
        if one_s >= PRODUCT_S or size >= WIDEST:
            break
        size *= 2
    count = max(10, min(MOST_LAUNCHES, round(QUEUE_S / one_s)))
    launches_s = []
    start_s = time.perf_counter()
    for _ in range(count):
        before_s = time.perf_counter()
        work()
        launches_s.append(time.perf_counter() - before_s)
    host_s = time.perf_counter() - start_s
    synchronize(device)
    whole_s = time.perf_counter() - start_s
    usual_s = statistics.median(launches_s[: min(count, 256)])
    waits = (n for n, s in enumerate(launches_s) if n > 8 and s > BLOCKED * usual_s)
    first = next(waits, None)
    print(
        f"queue: {count} products of {one_s * 1e6:.0f} us ({size} wide), a launch "
        f"{usual_s * 1e6:.1f} us; host free after {host_s / whole_s:.0%} of "
        f"{whole_s:.3f} s; {f'first wait at launch {first}' if first else 'no wait'}"
    )
    shown = [*range(0, min(count, 64), 8), *range(64, count, max(1, count // 64))]
    print("  us by launch:", *(f"{n}:{launches_s[n] * 1e6:.1f}" for n in shown))


def clocks(device: torch.device) -> None:
    """Print the clock as a share of the highest: idle, and while work is queued."""
    idle = clock_share(device)
    work = product(device, 2048)
    one_s, _ = product_s(device, work)
    for _ in range(max(1, min(1000, round(0.5 / one_s)))):
        work()
    at_work = [clock_share(device) for _ in range(5)]
    synchronize(device)
    print(f"clock, of its highest: idle {idle}, with work queued {at_work}")


def main() -> None:
    """Ask every accelerator everything."""
    for device in accelerators():
        print(f"{device} {describe(device).description}", flush=True)
        for question in (queue, clocks, products):
            try:
                question(device)
            except Exception as error:
                print(f"{question.__name__}: {type(error).__name__}: {error}")
            print(end="", flush=True)


if __name__ == "__main__":
    main()

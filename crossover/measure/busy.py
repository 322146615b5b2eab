"""Products of matrices that keep an accelerator busy for a known time.

`crossover.measure.accelerator` queues them to watch the host, the events and the clock
of a device that is at work.
"""

import torch
from torch import Tensor

from crossover.measure.clock import measured_s
from softmax_core.device import synchronize

WIDTHS = 512, 1024, 2048, 4096, 8192
LEAST_S = 200e-6
"""A product takes at least this long, or has the largest width. Drivers queue about
1,000 launches, and then the host waits for the device: 50 ms of shorter products would
be more launches than that, on a device that is as asynchronous as any."""
PRODUCTS = 10, 500
"""Fewest and most in a queue."""


class Products:
    """Products wide enough to fill a queue by their time and not by their number.

    Raises:
        torch.OutOfMemoryError: where not even the smallest fits.
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
        """Return the seconds of one product among some, the first one left out."""
        few, _ = PRODUCTS
        self.queue(1)
        work_s = measured_s(lambda: self.queue(few), lambda: synchronize(self._device))
        return work_s / few

    def lasting(self, seconds: float) -> int:
        """Return how many products take about this long."""
        few, most = PRODUCTS
        return max(few, min(most, round(seconds / self.one_s)))

    def queue(self, count: int) -> None:
        """Queue products; the device may still be at them."""
        for _ in range(count):
            torch.mm(self._a, self._a, out=self._out)

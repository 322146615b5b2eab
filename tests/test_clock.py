"""The clock sees asynchronous work, and synchronises exactly twice."""

import pytest

from crossover.measure.clock import measured_s


class FakeDevice:
    """Work is queued at no cost and takes its time at the next synchronise."""

    def __init__(self):
        self.time, self.queue, self.synchronised = 0.0, 0.0, 0

    def synchronize(self):
        self.synchronised += 1
        self.time += self.queue
        self.queue = 0.0

    def launch(self, seconds):
        self.queue += seconds


def test_queued_work_is_counted_and_earlier_work_is_not():
    device = FakeDevice()
    device.launch(5.0)
    took = measured_s(
        lambda: device.launch(2.0), device.synchronize, lambda: device.time
    )
    assert took == pytest.approx(2.0)
    assert device.synchronised == 2

"""A user's job whose time is known: the CPU spins, and a device has kernels to do."""

import time

import torch

LAUNCHES, NUMBERS = 10, 4
"""Launches of a step, and numbers in a row."""


def data(rows):
    return torch.ones(rows, NUMBERS)


class Spin:
    """Lasts row_ns a row; a step that is late is caught up by those after it."""

    def __init__(self, data, step_s):
        self.data, self.total, self.step_s = data, torch.zeros_like(data), step_s
        self.reset()

    def reset(self):
        self.end = None
        self.total.zero_()

    def step(self):
        self.end = (self.end or time.perf_counter()) + self.step_s
        self.total.add_(self.data, alpha=LAUNCHES)
        while time.perf_counter() < self.end:
            pass
        return self.total


def train(device, data, rows=1024, row_ns=1000):
    """Return a step that leaves its work queued; on the CPU, one that spins."""
    if device == "cpu":
        return Spin(data, rows * row_ns * 1e-9)
    total = torch.zeros_like(data)

    def step():
        for _ in range(LAUNCHES):
            total.add_(data)
        return total

    return step


def waits(device, data, rows=1024, row_ns=1000):
    """Return a step that waits until the device has done it."""
    step = train(device, data, rows, row_ns)

    def waiting():
        result = step()
        torch.accelerator.synchronize()
        return result

    return waiting

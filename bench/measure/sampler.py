"""One cell, opened in this process: set-up, transfer, warm-up, floor, samples."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from bench.measure.clock import measured_s, no_garbage_collection, timer_step_s
from softmax_core import Session, evaluate, get_trainer, make_data
from softmax_core.case import Case
from softmax_core.device import peak_memory_bytes, synchronize

FLOOR_S = 1e-3
"""No sample is shorter than this, or than 1,000 steps of the timer."""
WARMUP_S = 0.1
WARMUP_CALLS = 3


@dataclass(frozen=True)
class Opened:
    """What opening a cell found out; the rounds add their samples to it."""

    calls_per_sample: int
    epochs_run: int
    setup_s: float
    warmup_s: tuple[float, ...]
    peak_bytes: int | None
    threads: int
    loss: float
    accuracy: float
    notes: str


class Sampler:
    """A session of one cell, and the clock around it.

    Args:
        case: what to train.
        trainer: its name.
        device: where; the harness moves the data, so that transfer is seen.
        threads: CPU threads for torch, None for torch's own choice.
        context_s: what first use of the device cost this process.
        longest_s: a sample that would last longer trains fewer epochs.
        now: the clock.
    """

    def __init__(
        self,
        case: Case,
        trainer: str,
        device: torch.device,
        threads: int | None,
        context_s: float,
        longest_s: float,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.case, self.device, self.now = case, device, now
        self._floor_s = max(FLOOR_S, 1000 * timer_step_s(now))
        self._data = make_data(case)
        self._moved = self._data.to(device)
        self._session: Session
        self.calls = 1
        self.epochs = case.epochs

        def build() -> None:
            self._session = get_trainer(trainer).prepare(
                case, self._moved, device, threads
            )

        build_s = self._measured(build)
        self.opened = self._open(context_s + build_s, longest_s)

    def _measured(self, work: Callable[[], object]) -> float:
        return measured_s(work, lambda: synchronize(self.device), self.now)

    def _open(self, setup_s: float, longest_s: float) -> Opened:
        first_s = self._measured(lambda: self._session.train(1))
        epoch_s = self._measured(lambda: self._session.train(1))
        self.epochs = min(self.case.epochs, max(1, int(longest_s / epoch_s)))
        self._session.reset()
        self._session.train(self.epochs)
        loss, accuracy = evaluate(*self._session.weights(), self._data)
        warmup_s = self._warm_up()
        call_s = statistics.median(warmup_s[-WARMUP_CALLS:])
        self.calls = max(1, math.ceil(1.2 * self._floor_s / call_s))
        return Opened(
            calls_per_sample=self.calls,
            epochs_run=self.epochs,
            setup_s=setup_s + max(0.0, first_s - call_s / self.epochs),
            warmup_s=(first_s, epoch_s, *warmup_s),
            peak_bytes=_peak_bytes(self.device),
            threads=torch.get_num_threads(),
            loss=loss,
            accuracy=accuracy,
            notes=self._notes(epoch_s, call_s),
        )

    def _warm_up(self) -> tuple[float, ...]:
        series: list[float] = []
        while len(series) < WARMUP_CALLS or sum(series) < WARMUP_S:
            self._session.reset()
            series.append(self._measured(lambda: self._session.train(self.epochs)))
            if series[-1] > 10 * WARMUP_S:
                break
        return tuple(series)

    def _notes(self, epoch_s: float, call_s: float) -> str:
        if self.epochs == self.case.epochs:
            return ""
        linearity = call_s / (self.epochs * epoch_s)
        return (
            f"extrapolated: {self.epochs} of {self.case.epochs} epochs timed; "
            f"{self.epochs} epochs cost {linearity:.3f} x {self.epochs} single ones"
        )

    def transfer_s(self) -> float:
        """Time one more move of the data to the device; about 0 where it is there."""
        return self._measured(lambda: self._data.to(self.device))

    def sample_s(self) -> float:
        """Time one sample from the initial weights: `calls` times `epochs` epochs."""
        self._session.reset()
        self._session.train(1)  # wakes caches, threads and clocks after the others ran
        self._session.reset()
        with no_garbage_collection():
            return self._measured(self._calls)

    def _calls(self) -> None:
        for _ in range(self.calls):
            self._session.train(self.epochs)


def _peak_bytes(device: torch.device) -> int | None:
    """Peak bytes: the device's allocator, or this process' resident memory."""
    if device.type != "cpu":
        return peak_memory_bytes(device)
    try:
        with open("/proc/self/status", encoding="utf-8") as lines:
            found = next(line for line in lines if line.startswith("VmHWM"))
        return int(found.split()[1]) * 1024
    except (OSError, StopIteration):
        return None

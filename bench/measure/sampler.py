"""One cell, opened in this process: set-up, warm-up, verification, then samples."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from bench.measure.clock import GarbagePause, measured_s, timer_step_s
from bench.measure.energy import Meter
from bench.measure.peak import forget_peak, read_peak, reset_peak
from bench.measure.spin import find_trainer
from softmax_core import (
    TOLERANCE,
    Session,
    disagreement,
    evaluate,
    make_data,
)
from softmax_core.case import Case
from softmax_core.device import clock_share, synchronize

FLOOR_S = 1e-3
"""No sample is shorter than this, or than 1,000 steps of the timer."""
SAMPLE_S = 5e-3
"""Short work is looped until a sample lasts about this long."""
WARMUP_S = 0.1
WARMUP_CALLS, WARMUP_MOST = 3, 300
"""Fewest calls of a warm-up that lasts `WARMUP_S`, and most."""
WAKE_S = 0.02
"""Before a sample, an epoch shorter than this is trained untimed: the other
contenders have just used the caches, and threads and clocks may be asleep."""


class WrongResult(Exception):  # noqa: N818
    """The trainer does not do the reference's arithmetic: wrong is not fast."""


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
        meter: of the samples' energy.
        ranks: processes that share the training.

    Raises:
        WrongResult: when the trainer's weights are not the reference's.
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
        meter: Meter | None = None,
        ranks: int = 1,
    ) -> None:
        self.case, self.device, self.now, self._meter = case, device, now, meter
        self._trainer, self._threads = find_trainer(trainer, ranks), threads
        self._floor_s = max(SAMPLE_S, FLOOR_S, 1000 * timer_step_s(now))
        reset_peak(device)
        self._data = make_data(case)
        self._target = torch.device("cpu") if self._trainer.streams else device
        self._moved = self._data.to(self._target)
        self._session: Session
        self.calls = 1

        def build() -> None:
            self._session = self._prepare(None)

        build_s = self._measured(build)
        self._others = tuple(map(str, getattr(self._session, "processes", ())))
        for process in self._others:
            forget_peak(process)
        self.opened = self._open(context_s + build_s, longest_s)
        self._garbage = GarbagePause()

    def _prepare(self, drawn_on: str | None) -> Session:
        return self._trainer.prepare(
            self.case, self._moved, self.device, self._threads, drawn_on
        )

    def _measured(self, work: Callable[[], object]) -> float:
        return measured_s(work, self.synchronize, self.now)

    def _open(self, setup_s: float, longest_s: float) -> Opened:
        first_s = self._measured(lambda: self._session.train(1))
        self._epoch_s = self._measured(lambda: self._session.train(1))
        self.epochs = min(self.case.epochs, max(1, int(longest_s / self._epoch_s)))
        warmup_s = self._warm_up()
        call_s = statistics.median(warmup_s[-WARMUP_CALLS:])
        self.calls = max(1, math.ceil(1.2 * self._floor_s / call_s))
        peak_bytes = read_peak(self.device, self._others)
        loss, accuracy = self._verify()
        return Opened(
            calls_per_sample=self.calls,
            epochs_run=self.epochs,
            setup_s=setup_s + max(0.0, first_s - call_s / self.epochs),
            warmup_s=(first_s, self._epoch_s, *warmup_s),
            peak_bytes=peak_bytes,
            threads=torch.get_num_threads(),
            loss=loss,
            accuracy=accuracy,
            notes=self._notes(call_s),
        )

    def _warm_up(self) -> tuple[float, ...]:
        series: list[float] = []
        while len(series) < WARMUP_CALLS or sum(series) < WARMUP_S:
            self._session.reset()
            series.append(self._measured(lambda: self._session.train(self.epochs)))
            if series[-1] > 10 * WARMUP_S or len(series) == WARMUP_MOST:
                break
        return tuple(series)

    def _verify(self) -> tuple[float, float]:
        """Compare with the reference, and return (loss, accuracy) of the timed job.

        The batches are the reference's, drawn on the CPU, so that the loss can be
        compared with that of the other contenders.
        """
        off = disagreement(self._trainer, self.case, self.device, self._threads)
        if not off <= TOLERANCE[self.case.dtype]:
            raise WrongResult(
                f"weights differ from the reference's by {off:.3g} of the largest, "
                f"more than {TOLERANCE[self.case.dtype]:g}"
            )
        session = self._prepare("cpu")
        session.train(self.epochs)
        return evaluate(*session.weights(), self._data)

    def _notes(self, call_s: float) -> str:
        said = [self._session.notes] if self._session.notes else []
        if self.epochs < self.case.epochs:
            linearity = call_s / (self.epochs * self._epoch_s)
            said.append(
                f"extrapolated: {self.epochs} of {self.case.epochs} epochs timed; "
                f"{self.epochs} epochs cost {linearity:.3f} x {self.epochs} single ones"
            )
        if self._meter and (short := self._meter.too_short(self.calls * call_s)):
            said.append(short)
        return "; ".join(said)

    def transfer_s(self) -> float:
        """Time one more move of the data to the device; about 0 where it is there.

        That is also so for a trainer that moves them itself, again in every epoch.
        """
        return self._measured(self.move)

    def sample(self) -> tuple[float, float | None]:
        """Time one sample from the initial weights: `calls` times `epochs` epochs.

        Returns its seconds, and its joules where they can be measured.
        """
        self.ready()
        if self._meter is None:
            return self._measured(self.train_calls), None
        self.synchronize()
        return self._meter.around(lambda: self._measured(self.train_calls))

    def ready(self) -> None:
        """Do what comes before a sample: wake up, initial weights, no garbage."""
        if self._epoch_s < WAKE_S:
            self._session.train(1)
        self._session.reset()
        self._garbage.collect()

    def train(self) -> None:
        """Train once, from where the weights are; the device may still be at it."""
        self._session.train(self.epochs)

    def train_calls(self) -> None:
        """Train as often as a sample does."""
        for _ in range(self.calls):
            self._session.train(self.epochs)

    def clock_share(self) -> float | None:
        """Read the accelerator's clock while an untimed epoch is queued.

        An idle device's clock is low, and says nothing.
        """
        if self.device.type == "cpu":
            return None
        self._session.train(1)
        share = clock_share(self.device)
        self.synchronize()
        return share

    def move(self) -> None:
        """Move the data to the device once more; it may still be at it."""
        self._data.to(self._target)

    def synchronize(self) -> None:
        """Wait until the device is done."""
        synchronize(self.device)

    def close(self) -> None:
        """Let garbage be collected again."""
        self._garbage.end()

"""Open one cell in this process: set-up, warm-up and verification; then take samples.

In: a case, an implementation, a device. Out: an `Opened`, then the seconds and joules
of each sample. The worker and asv's and pytest's suites use it.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from crossover.measure.clock import (
    GarbagePause,
    Idle,
    measured_s,
    timer_step_s,
)
from crossover.measure.energy import Meter
from crossover.measure.pipe import Opened
from crossover.nouns import Case
from crossover.proof.label import (
    count_threads,
    prove_cores,
    prove_device,
    prove_own_threads,
    prove_threads,
    proving_ranks,
)
from crossover.proof.place import CPU, Place
from crossover.proof.steady import change
from crossover.system.waits import core_delays, waited_s
from crossover.workloads.registry import definition
from softmax_core.processor import flushes_subnormals


def reset_peak(device: Place) -> None:
    """Forget the memory peak of earlier cells, if the system allows it."""
    if device.type != CPU.type:
        from softmax_core.device import parse_device, reset_peak_memory

        reset_peak_memory(parse_device(str(device)))
    forget_peak("self")


def forget_peak(process: str) -> None:
    """Forget a process' peak of resident memory, if the system allows it."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5", "ascii")


def read_peak(device: Place, others: tuple[str, ...]) -> int | None:
    """Return the peak in bytes: of the device's allocator, or of resident memory.

    `others` are the processes of other ranks. Memory that they share with this one
    counts in each of them; their memory on other devices is unknown, hence None.
    """
    if device.type != CPU.type:
        from softmax_core.device import parse_device, peak_memory_bytes

        return None if others else peak_memory_bytes(parse_device(str(device)))
    try:
        return sum(map(_peak_resident, ("self", *others)))
    except (OSError, StopIteration):
        return None


def _peak_resident(process: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    found = next(line for line in lines if line.startswith("VmHWM"))
    return int(found.split()[1]) * 1024


FLOOR_S = 1e-3
"""Shortest sample accepted, in seconds; it also lasts 1,000 steps of the timer."""
SAMPLE_S = 5e-3
"""Short work is looped until a sample lasts about this many seconds."""
WARMUP_S = 0.1
"""Shortest warm-up, in seconds."""
WARMUP_CALLS, WARMUP_MOST = 3, 300
"""Fewest and most calls of a warm-up."""
WAKE_S = 0.02
"""An epoch shorter than this is trained untimed before a sample: the other contenders
have just used the caches, and threads and clocks may be asleep."""

CLOCK_DIGIT_S = 1e-9
"""Single calls are kept to the nanosecond, the clock's last digit."""


class Sampler:
    """A session of one cell, and the clock around it.

    Args:
        case: the job.
        implementation: name of what does the job, such as a trainer.
        device: where; the sampler moves the data, to time the transfer.
        threads: CPU threads for torch; None leaves torch's own choice.
        context_s: seconds that the first use of the device cost this process.
        longest_s: a sample that would last longer trains fewer epochs.
        now: the clock.
        meter: measures the samples' energy.
        ranks: number of processes that share the training.
        idle: adds up when this process does not run in its set-up.

    Raises:
        crossover.workloads.definition.WrongResult: if the work is not equal.
        crossover.proof.label.NotAsLabelled: if what runs is not what its label says.
    """

    def __init__(
        self,
        case: Case,
        implementation: str,
        device: Place,
        threads: int | None,
        context_s: float,
        longest_s: float,
        now: Callable[[], float] = time.perf_counter,
        meter: Meter | None = None,
        ranks: int = 1,
        idle: Idle | None = None,
    ) -> None:
        self._idle = idle or Idle(now)
        self.case, self.device, self.now, self._meter = case, device, now, meter
        self._least_s = max(FLOOR_S, 1000 * timer_step_s(now))
        reset_peak(device)
        self._session = definition(case.workload.name).session(
            case, implementation, str(device), threads, ranks
        )
        self._session.move()
        self.calls = 1
        with self._idle:
            build_s = self._measured(self._session.build)
        for process in self._session.processes:
            forget_peak(process)
        with proving_ranks(self._session.processes):
            self.opened = self._open(context_s + build_s, longest_s)
        prove_threads(threads)
        prove_cores(lambda: self._measured(self.train_calls), threads)
        if getattr(self._session, "is_torch", True):
            prove_device(device)
        getattr(self._session, "prove", lambda: None)()
        own = getattr(self._session, "own_threads", None)
        prove_own_threads(own, threads, lambda: self._session.run(1))
        self._garbage = GarbagePause()

    def _measured(self, work: Callable[[], object]) -> float:
        return measured_s(work, self.synchronize, self.now)

    def _open(self, setup_s: float, longest_s: float) -> Opened:
        with self._idle:
            first_s = self._measured(lambda: self._session.run(1))
        again_s = self._measured(lambda: self._session.run(1))
        self._repeat_s = min(first_s, again_s)
        self.repeats = min(self.case.repeats, max(1, int(longest_s / self._repeat_s)))
        warmup_s = self._warm_up()
        call_s = min(warmup_s)
        self.calls = max(1, math.ceil(1.2 * max(SAMPLE_S, self._least_s) / call_s))
        peak_bytes = read_peak(self.device, self._session.processes)
        changed = self._change()
        loss, accuracy = self._session.verify(self.repeats)
        return Opened(
            calls_per_sample=self.calls,
            epochs_run=self.repeats,
            setup_s=setup_s + max(0.0, first_s - call_s / self.repeats),
            warmup_s=(first_s, again_s, *warmup_s),
            peak_bytes=peak_bytes,
            threads=count_threads(),
            loss=loss,
            accuracy=accuracy,
            notes=self._notes(call_s, changed),
            flags=("convergence",) * (changed is not None),
            floor_s=self._least_s,
            items=self._items(),
            settings=dict.fromkeys(["flush_denormal"] * flushes_subnormals(), "on"),
            setup_idle_s=self._telling_idle_s(),
        )

    def _telling_idle_s(self) -> float:
        """Return when this process did not run in its set-up, if that tells something.

        A process also waits for an accelerator, or for other ranks, undisturbed.
        """
        is_alone = self.device.type == "cpu" and not self._session.processes
        return self._idle.seconds if is_alone else 0.0

    def _warm_up(self) -> tuple[float, ...]:
        """Return the seconds of each call; one that was disturbed decides nothing."""
        series: list[float] = []
        least_s = self.repeats * self._repeat_s
        while len(series) < WARMUP_CALLS or len(series) * least_s < WARMUP_S:
            self._session.reset()
            series.append(self._measured(lambda: self._session.run(self.repeats)))
            least_s = min(least_s, series[-1])
            if least_s > 10 * WARMUP_S or len(series) == WARMUP_MOST:
                break
        return tuple(series)

    def _change(self) -> float | None:
        """Return how the time of repeats changes within a sample; None if it does not.

        The first repeat is left out: it may make what later ones use.
        """
        total = self.calls * self.repeats
        some = min(math.ceil(self._least_s / self._repeat_s), (total - 1) // 2)
        if some < 1:
            return None

        def first_and_last_s() -> tuple[float, float]:
            self._session.reset()
            self._session.run(1)
            first_s = self._measured(lambda: self._session.run(some))
            if between := total - 1 - 2 * some:
                self._session.run(between)
            self.synchronize()
            return first_s, self._measured(lambda: self._session.run(some))

        return change(first_and_last_s)

    def _notes(self, call_s: float, changed: float | None) -> str:
        said = [self._session.notes] if self._session.notes else []
        each = self.case.workload.repeats
        if self.repeats < self.case.repeats:
            linearity = call_s / (self.repeats * self._repeat_s)
            said.append(
                f"extrapolated: {self.repeats} of {self.case.repeats} {each} timed; "
                f"{self.repeats} {each} cost {linearity:.3f} x {self.repeats} single "
                "ones"
            )
        if changed is not None:
            said.append(
                f"the last {each} timed took {changed:.2g} x the first ones' time"
            )
        if self._meter and (short := self._meter.too_short(self.calls * call_s)):
            said.append(short)
        return "; ".join(said)

    def _items(self) -> float | None:
        """Return how many things a whole training works on, if the session tells."""
        items = getattr(self._session, "items", None)
        return None if items is None else self.case.repeats * float(items)

    def result(self) -> Sequence[np.ndarray[Any, Any]]:
        """Return the arrays that must be equal for all contenders; none if unknown."""
        found: Sequence[np.ndarray[Any, Any]] = getattr(
            self._session, "result", lambda: ()
        )()
        return found

    def transfer_s(self) -> float | None:
        """Time one more move of the data to the device; None if there are no data.

        It is about 0 on the CPU, and for a trainer that moves the data in every epoch.
        """
        return self._measured(self.move) if self.has_data else None

    @property
    def has_data(self) -> bool:
        """Whether there are data to move; a user's file may have none."""
        return getattr(self._session, "has_data", True)

    def sample(self) -> tuple[float, float | None, float | None]:
        """Take one sample: `calls` trainings, on from the initial weights.

        The result is its seconds, its joules, and the seconds that its threads waited
        for a core; each of the last two is None if it is not measured.
        """
        self.ready()
        processes = "self", *self._session.processes
        before = core_delays(processes)
        sample_s, joules = self._clocked()
        return sample_s, joules, waited_s(before, core_delays(processes))

    def _clocked(self) -> tuple[float, float | None]:
        if self._meter is None:
            return self._measured(self.train_calls), None
        self.synchronize()
        return self._meter.around(lambda: self._measured(self.train_calls))

    def ready(self) -> None:
        """Prepare a sample: wake the device, reset the weights, collect garbage."""
        if self._repeat_s < WAKE_S:
            self._session.run(1)
        self._session.reset()
        self._garbage.collect()

    def train(self) -> None:
        """Train once, on from the present weights, without waiting for the device."""
        self._session.run(self.repeats)

    def train_calls(self) -> None:
        """Train as often as a sample does, without waiting for the device."""
        for _ in range(self.calls):
            self._session.run(self.repeats)

    def single_calls(self, most: int, most_s: float) -> tuple[float, ...]:
        """Time single calls, one after the other, each until the device is done.

        A single call is a step of a user's file, of any other job a whole training. As
        for a sample, the device is awake and garbage was collected before the first.

        Args:
            most: how many.
            most_s: seconds after which no further one begins.
        """
        if not most:
            return ()
        self.ready()
        repeats = 1 if self.case.workload.is_users else self.case.repeats
        found, end_s = list[float](), self.now() + most_s
        while len(found) < most and self.now() < end_s:
            found.append(self._measured(lambda: self._session.run(repeats)))
        return tuple(max(round(call_s, 9), CLOCK_DIGIT_S) for call_s in found)

    def clock_share(self) -> float | None:
        """Return the accelerator's clock as a share, while an untimed epoch runs.

        The clock of an idle device is low and means nothing.
        """
        if self.device.type == CPU.type:
            return None
        from softmax_core.device import clock_share, parse_device

        self._session.run(1)
        share = clock_share(parse_device(str(self.device)))
        self.synchronize()
        return share

    def move(self) -> None:
        """Move the data to the device once more, without waiting for it."""
        self._session.move()

    def synchronize(self) -> None:
        """Wait until the device has done all its work."""
        self._session.synchronize()

    def set_aside(self) -> None:
        """Have no search for garbage look at what was loaded since."""
        self._garbage.set_aside()

    def close(self) -> None:
        """Let Python collect garbage again."""
        self._garbage.end()

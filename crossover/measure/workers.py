"""Keep a worker process for each contender, replace dead ones, and end them all.

The pipeline, machine snapshots and the doctor ask contenders through it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from crossover.contender import Contender
from crossover.interrupts import unbroken
from crossover.measure.pipe import Ended, R, Request
from crossover.measure.process import AnyWorker, WorkerProcess


@dataclass
class Workers:
    """The worker process of each contender, started at its first request."""

    start: Callable[[Contender], AnyWorker] = lambda c: WorkerProcess(c.threads)
    running: dict[Contender, AnyWorker] = field(default_factory=dict)

    def ask(
        self, contender: Contender, request: Request[R], timeout_s: float
    ) -> R | Ended:
        """Ask a contender's worker; a dead one is replaced at the next request."""
        if contender not in self.running:
            with unbroken():  # a worker that nobody knows would not be ended
                self.running[contender] = self.start(contender)
        reply = self.running[contender].ask(request, timeout_s)
        if isinstance(reply, Ended) and reply.status in ("timeout", "crashed"):
            self.running.pop(contender).stop()
        return reply

    def end(self, contender: Contender) -> None:
        """End a contender's worker: the next request starts another one."""
        if contender in self.running:
            with unbroken():
                self.running.pop(contender).stop()

    def stop(self) -> None:
        """End every worker."""
        with unbroken():
            while self.running:
                self.running.popitem()[1].stop()

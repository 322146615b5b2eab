"""Keep a worker process for each contender, replace dead ones, and end them all.

The pipeline, machine snapshots and the doctor ask contenders through it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from crossover.interrupts import unbroken
from crossover.measure.pipe import Ended, R, Request
from crossover.measure.process import Asked, WorkerProcess
from crossover.nouns import Contender


@dataclass
class Crew:
    """The worker process of each contender, started at its first request."""

    start: Callable[[Contender], Asked] = lambda c: WorkerProcess(c.threads)
    workers: dict[Contender, Asked] = field(default_factory=dict)

    def ask(
        self, contender: Contender, request: Request[R], timeout_s: float
    ) -> R | Ended:
        """Ask a contender's worker; a dead one is replaced at the next request."""
        if contender not in self.workers:
            with unbroken():  # a worker that nobody knows would not be ended
                self.workers[contender] = self.start(contender)
        reply = self.workers[contender].ask(request, timeout_s)
        if isinstance(reply, Ended) and reply.status in ("timeout", "crashed"):
            self.workers.pop(contender).stop()
        return reply

    def stop(self) -> None:
        """End every worker."""
        with unbroken():
            while self.workers:
                self.workers.popitem()[1].stop()

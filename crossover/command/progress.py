"""How far a run is, on stderr."""

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from crossover.interrupts import check
from crossover.plan.plan import Block


class ProgressBar:
    """A bar with the time left, weighed by the seconds that the plan expects."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        # Drawn only when told: a thread that redraws takes time from what is timed.
        self._bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, block: Block, done_s: float, total_s: float) -> None:
        """Show the block at work, and how much of the plan is done."""
        check()
        self._bar.update(
            self._task,
            completed=done_s,
            total=total_s,
            description=block.case.id,
            refresh=True,
        )

"""How far a run is: a bar on a terminal, a line in a notebook, one a minute in a log.

Nothing is drawn while something is timed: the loop calls it after each round.
"""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

from crossover.pipeline import Progress
from crossover.plan.plan import Block
from crossover.report.words.numbers import lasting

MINUTE_S, SECOND_S = 60.0, 1.0


class Line:
    """One line of text, shown again from time to time.

    Args:
        show: shows a line.
        every_s: shortest time between two lines.
        now: the clock.
    """

    def __init__(
        self,
        show: Callable[[str], object],
        every_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show, self._every_s, self._now = show, every_s, now
        self._last_s = now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to end."""

    def __call__(self, block: Block, done_s: float, total_s: float) -> None:
        """Show the block at work, and how much of the plan is done."""
        if (now_s := self._now()) - self._last_s < self._every_s:
            return
        self._last_s = now_s
        share = f"{100 * done_s / total_s:.0f} %" if total_s else "a part"
        of = f"of about {lasting(total_s)} is done" if total_s else "is done"
        self._show(f"crossover: {share} {of}, now at {block.case.id}")


class NotebookLine(Line):
    """A line in a notebook's output, which the next one replaces.

    Args:
        display: IPython's function of that name.
    """

    def __init__(self, display: Callable[..., Any]) -> None:
        super().__init__(self._update, SECOND_S)
        first = {"text/plain": "crossover: measuring"}
        self._handle = display(first, raw=True, display_id=True)

    def _update(self, text: str) -> None:
        self._handle.update({"text/plain": text}, raw=True)

    def __exit__(self, *_: object) -> None:
        """Say that no more comes."""
        self._update("crossover: measured")


def shown(is_wanted: bool) -> AbstractContextManager[Progress]:
    """Return what shows a run's progress where this process prints."""
    if not is_wanted:
        return nullcontext(lambda block, done_s, total_s: None)
    if (display := _of_notebook()) is not None:
        return NotebookLine(display)
    if sys.stderr is not None and sys.stderr.isatty():
        from crossover.command.job import ProgressBar

        return ProgressBar()
    return Line(lambda text: print(text, file=sys.stderr, flush=True), MINUTE_S)


def _of_notebook() -> Callable[..., Any] | None:
    """Return IPython's `display` where a notebook's kernel runs this process."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    found: Callable[..., Any] = display  # whose types may be missing
    return found

"""Requests to `light_worker` that tell it to break."""

from typing import ClassVar

from crossover.measure.pipe import Closed, Opened, Request


class Breaking(Request[Opened]):
    """Break instead of opening a cell."""

    good: ClassVar = Opened
    op: str = "open"
    fault: str


class Loaded(Request[Closed]):
    """Break before a good answer, or be a long request."""

    good: ClassVar = Closed
    op: str = "close"
    fault: str | None = None
    more: str = ""

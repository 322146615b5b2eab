"""Steps of a user's file that do nothing: what is left is what measuring them costs."""

from collections.abc import Callable


def nothing(device: str, n: int = 1) -> Callable[[], None]:
    """Return a step that returns nothing."""
    return lambda: None


def number(device: str, n: int = 1) -> Callable[[], float]:
    """Return a step that returns a number, which would be compared."""
    return lambda: 1.0

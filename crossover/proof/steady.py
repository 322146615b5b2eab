"""Whether the time of a repeat depends on how far the training has come.

Then a time holds only for as many repeats as were timed. The sampler calls it once, as
it opens a cell.
"""

from collections.abc import Callable

MOST_CHANGE = 1.2
"""The last repeats may take this many times as long as the first, or the reverse."""
TURNS = 5
"""Trainings after each of which a change must have shown, to be one."""


def change(first_and_last_s: Callable[[], tuple[float, float]]) -> float | None:
    """Return the last repeats' time over the first ones'; None if they are alike.

    Another program that disturbs one of both does not do so in the same direction in
    every training; so most cells are done after one training.

    Args:
        first_and_last_s: trains, and returns the seconds of its first and last repeats.
    """
    firsts, lasts = [], []
    for _ in range(TURNS):
        first_s, last_s = first_and_last_s()
        firsts.append(first_s)
        lasts.append(last_s)
        ratios = [last / first for first, last in zip(firsts, lasts, strict=True)]
        ratios.append(min(lasts) / min(firsts))
        if min(ratios) <= MOST_CHANGE and max(ratios) >= 1 / MOST_CHANGE:
            return None
    return ratios[-1]

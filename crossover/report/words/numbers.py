"""How a number is written for people: the one place that rounds and names a unit."""

import math
from collections.abc import Callable, Iterable

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "\u00b5s"), (1e-9, "ns"))


def number(value: float, digits: int = 3) -> str:
    """Write a number to three digits, thousands parted: `1,230`."""
    return f"{float(f'{value:.{digits}g}'):,.12g}"


def count(value: float) -> str:
    """Write a size in full: `1,024`."""
    return f"{value:,.15g}"


def times(value: float) -> str:
    """Write a factor: `1.25x`."""
    return f"{number(value)}x"


def percent(share: float) -> str:
    """Write a share: `99.2 %`."""
    return f"{number(100 * share)} %"


def reached(confidence: float) -> str:
    """Name an interval by the whole percent that its confidence reaches."""
    return f"{math.floor(100 * confidence + 1e-9)} % interval"


def seconds(value: float) -> str:
    """Write seconds to three digits, in s, ms, \u00b5s or ns."""
    # by the rounded value: 0.9999 ms is 1 ms, not 1,000 \u00b5s
    rounded = abs(float(f"{value:.3g}"))
    size, unit = next((u for u in UNITS if rounded >= u[0]), UNITS[-1])
    return f"{number(value / size)} {unit}"


def lasting(value: float) -> str:
    """Write seconds as people do: `13.9 s`, `12.5 min`, `18.9 h`."""
    for unit, name in ((3600.0, "h"), (60.0, "min")):
        if value >= 2 * unit:
            return f"{number(value / unit)} {name}"
    return seconds(value)


def between(
    low: float | None,
    high: float | None,
    write: Callable[[float], str] = number,
    below: str = "below",
    above: str = "above",
) -> str:
    """Write an interval, a unit that both ends share only once: `18.2 to 19.6 h`.

    Args:
        low: its lower end, None where it is open.
        high: its upper end, None where it is open.
        write: how an end is written.
        below: what stands for an open lower end.
        above: what stands for an open upper end.
    """
    first = below if low is None else write(low)
    last = above if high is None else write(high)
    _, space, unit = last.partition(" ")
    if space and low is not None and high is not None:
        first = first.removesuffix(space + unit)
    return f"{first} to {last}"


def spanned(counts: Iterable[int]) -> str:
    """Write some counts as their range: `8` or `8 to 32`."""
    known = sorted(counts) or [0]
    low, high = count(known[0]), count(known[-1])
    return low if low == high else f"{low} to {high}"

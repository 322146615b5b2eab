"""What options say in texts: lists of sizes, durations, prices."""

import re

from crossover.files.untrusted import shown
from crossover.nouns import InputError
from crossover.spec.bounds import LEAST_PRICE, MOST
from crossover.spec.spec import DEVICE
from crossover.workloads.workload import MOST_DIGITS, Workload

SIZE = re.compile(rf"\d{{1,{MOST_DIGITS}}}", re.ASCII)


def parse_sizes(workload: Workload, name: str, text: str) -> list[int]:
    """Read comma-separated sizes.

    Raises:
        InputError: for an empty list, anything but integers that are large enough, and
            a size that the workload does not have.
    """
    if name not in workload.axes:
        raise InputError(
            f"{name} = {shown(text)}: workload {workload.name} has no such size; must "
            f"be one of {', '.join(workload.axes)}"
        )
    sizes, least = list[int](), workload.size(name).least
    for part in text.split(","):
        digits = part.strip()
        if not SIZE.fullmatch(digits) or int(digits) < least:
            raise InputError(
                f"{name} = {shown(text)}: must be integers >= {least} separated by "
                f"commas, of at most {MOST_DIGITS} digits"
            )
        sizes.append(int(digits))
    return sizes


def parse_duration(text: str) -> float:
    """Read `90s`, `5m`, `2h` or plain seconds.

    Raises:
        InputError: for anything else, and for a duration that is not positive.
    """
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    try:
        seconds = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise InputError(
            f"budget = {shown(text)}: must be a duration such as 90s, 5m or 2h"
        )
    return seconds


def parse_prices(texts: tuple[str, ...]) -> dict[str, float]:
    """Read `DEVICE=PER_HOUR` texts.

    Raises:
        InputError: for anything else, a price that is not positive, a device twice.
    """
    prices: dict[str, float] = {}
    for text in texts:
        device, _, amount = text.partition("=")
        try:
            per_hour = float(amount)
        except ValueError:
            per_hour = 0.0
        if not (DEVICE.fullmatch(device) and LEAST_PRICE <= per_hour <= MOST):
            raise InputError(
                f"price = {shown(text)}: must be DEVICE=PER_HOUR with a number > 0, "
                "such as cpu=0.09 or cuda:0=2.49"
            )
        if device in prices:
            raise InputError(f"price = {text!r}: must be given once for each device")
        prices[device] = per_hour
    return prices

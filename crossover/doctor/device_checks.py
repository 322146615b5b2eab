"""The checks of an accelerator for `crossover doctor`: facts in, a `Check` each out.

The facts come from `crossover.measure.devices`, and from NVML if it is installed.
"""

from collections.abc import Iterator, Mapping, Sequence

from crossover.doctor.checks import ONE_PROCESS, Check, Gpu, checked, worst
from crossover.measure.machine import DeviceAnswer

MOST_QUEUED = 0.5
"""Largest share of a queue's time in which the host may be busy."""
CLOCKS_AGREE = 0.8, 1.25
"""Smallest and largest ratio of our clock to the device's."""
SLOW_LAUNCH_S = 50e-6
LEAST_OF_BUS = 0.5
"""Smallest share of the bus' nominal speed for a pinned copy."""
LEAST_FREE = 0.5
"""Smallest free share of the device's memory."""
LEAST_CLOCK = 0.7
"""Smallest share of the highest clock for a device at work."""
BUSY = "busy or unavailable", "exclusive compute mode"
"""Texts in the error of a device that another process holds exclusively."""


def device_checks(
    name: str,
    seen: DeviceAnswer,
    memory_bytes: int | None = None,
    missing: Mapping[str, str] | None = None,
    states: Sequence[Gpu] = (),
) -> Iterator[Check]:
    """Judge one accelerator.

    Args:
        name: name of the device, such as `cuda:0`.
        seen: what was measured of it.
        memory_bytes: all memory that it has; None if unknown.
        missing: why a trainer is not available there, by trainer.
        states: what NVML tells about the devices that it knows.
    """
    facts = seen.facts
    if facts is None:
        advice = "restart the driver or the machine, and look at the system's log"
        if any(text in seen.error for text in BUSY):
            advice = f"stop the other process on it, or {ONE_PROCESS}"
        yield Check(name, "unfit", seen.error, advice)
        return
    uuid = facts.uuid
    state = next((s for s in states if uuid and s.uuid.endswith(uuid)), None)
    yield queue(name, facts.queued_share)
    yield clock(name, facts.clock_ratio)
    yield launches(name, facts.launch_s, facts.round_trip_s)
    bus = None if state is None else state.bus_bytes_per_s
    yield copies(name, facts.copies_bytes_per_s, bus)
    yield room(name, facts.memory_free_bytes, memory_bytes, state)
    yield speed(name, facts.clock_share)
    yield precision(name, facts.rounds_products)
    yield work(name, seen.equal_work, missing or {})


def queue(name: str, share: float) -> Check:
    """Judge whether the host is free while the device works."""
    finding = f"{name}: the host is busy for {share:.0%} of a long queue's time"
    advice = (
        "kernels are not asynchronous: unset CUDA_LAUNCH_BLOCKING and leave debuggers"
    )
    return checked("queue", worst(share > MOST_QUEUED, False), finding, advice)


def clock(name: str, ratio: float | None) -> Check:
    """Judge whether our clock, synchronised, agrees with the device's own events."""
    if ratio is None:
        finding = f"{name}: torch has no timed events there: not compared"
        return Check("clock", "unknown", finding)
    low, high = CLOCKS_AGREE
    finding = f"{name}: our clock shows {ratio:.3f} x what the device's events show"
    advice = "waiting for the device does not wait for its work: mend the driver"
    return checked("clock", worst(not low <= ratio <= high, False), finding, advice)


def launches(name: str, launch_s: float, round_trip_s: float) -> Check:
    """Judge the time that launching a small operator takes."""
    finding = (
        f"{name}: {launch_s * 1e6:.1f} us an operator in a queue, "
        f"{round_trip_s * 1e6:.1f} us alone with the wait for it"
    )
    advice = "a busy or slow core starts kernels late: stop other programs"
    return checked("launches", worst(False, launch_s > SLOW_LAUNCH_S), finding, advice)


def copies(
    name: str, found: Mapping[str, float | None], bus_bytes_per_s: float | None
) -> Check:
    """Judge the copies by the bus' nominal bandwidth."""
    parts = [
        f"{key.replace('_', ' ')} {'not possible' if v is None else f'{v / 1e9:.1f}'}"
        for key, v in found.items()
    ]
    of = "the bus' nominal is not known"
    if bus_bytes_per_s is not None:
        of = f"the bus' nominal is {bus_bytes_per_s / 1e9:.1f}"
    finding = f"{name}: {', '.join(parts)} GB/s; {of}"
    pinned = [v for k, v in found.items() if k.endswith("_pinned") and v is not None]
    is_slow = bus_bytes_per_s is not None and any(
        v < LEAST_OF_BUS * bus_bytes_per_s for v in pinned
    )
    lost = any(
        (fast := found.get(f"{way}_pinned")) is not None
        and (slow := found.get(f"{way}_pageable")) is not None
        and fast < 0.8 * slow
        for way in ("to_device", "to_host")
    )
    advice = "another device may share the bus, or it runs with fewer lanes than it has"
    if bus_bytes_per_s is None and not lost:
        return Check("copies", "unknown", finding, "pip install nvidia-ml-py")
    return checked("copies", worst(is_slow, lost), finding, advice)


def room(name: str, free: int | None, total: int | None, state: Gpu | None) -> Check:
    """Judge the free memory, and who else is on the device."""
    shared = [] if state is None or not state.mig else ["MIG splits it"]
    if state is None or state.processes is None:
        shared.append("other users cannot be seen")
    elif state.processes:
        shared.append(f"{state.processes} other processes on it")
    if free is None or not total:
        return Check("room", "unknown", "; ".join([f"{name}: memory unknown", *shared]))
    text = f"{name}: {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    advice = "stop the other programs on it, or take another device"
    status = worst(free < LEAST_FREE * total, state and (state.processes or state.mig))
    return checked("room", status, "; ".join([text, *shared]), advice)


def speed(name: str, share: float | None) -> Check:
    """Judge the clock of a device at work."""
    if share is None:
        return Check("speed", "unknown", f"{name}: torch cannot read its clock")
    finding = f"{name}: at work its clock is {share:.0%} of its highest"
    advice = "let it cool, raise its power limit, or lock its clock"
    return checked("speed", worst(share < LEAST_CLOCK, False), finding, advice)


def precision(name: str, is_rounded: bool) -> Check:
    """Judge whether products of float32 matrices keep the bits of their operands."""
    how = "rounded to TF32 or less" if is_rounded else "full"
    finding = f"{name}: products of float32 matrices are {how}"
    advice = "that is less work than the CPU's: measure with another build of torch"
    return checked("precision", worst(is_rounded, False), finding, advice)


def work(name: str, found: Mapping[str, str], missing: Mapping[str, str]) -> Check:
    """Judge whether each trainer does the reference's arithmetic there.

    Args:
        name: name of the device.
        found: what is wrong with each available trainer; "" if nothing.
        missing: why each other trainer is not available.
    """
    wrong = {k: why for k, why in found.items() if why}
    right = ", ".join(k for k in found if k not in wrong) or "none"
    parts = [f"{name}: equal to the reference: {right}"]
    for what, those in (("wrong", wrong), ("not available", missing)):
        if those:
            parts.append(
                f"{what}: " + ", ".join(f"{k} ({v})" for k, v in those.items())
            )
    advice = "measure nothing there before this is understood"
    return checked("work", worst(wrong, False), "; ".join(parts), advice)

"""The checks of `crossover doctor`: facts about a machine in, a `Check` each out.

All functions are pure; `facts` reads the facts, and `examine` prints the checks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossover.measure.pipe import Described, Ended

POWER_CAP = 0x04
"""The bit of nvml.h, nvmlClocksThrottleReason*, for the software's power cap."""
ONE_PROCESS = (
    "let several processes use it, as each contender has its own: sudo nvidia-smi -c 0"
)
HARMFUL = {
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}
"""Bits of the same mask that make times useless. The others are harmless."""


@dataclass(frozen=True)
class Check:
    """One line of `crossover doctor`; `status` is ok, warn, unfit or unknown."""

    name: str
    status: str
    finding: str
    advice: str = ""


@dataclass(frozen=True)
class Gpu:
    """What NVML tells about one accelerator; an unknown value is None."""

    name: str
    clock_mhz: int | None = None
    highest_mhz: int | None = None
    temperature_c: int | None = None
    persistent: bool | None = None
    reasons: int | None = None
    """The reasons why the clock is not higher, as a mask of bits."""
    processes: int | None = None
    mig: bool | None = None
    bus_bytes_per_s: float | None = None
    """Nominal speed of the bus, each way."""
    uuid: str = ""
    one_process: bool | None = None
    """Whether its compute mode is exclusive: it then refuses a second process."""


class TorchBuild(Described):
    """The torch that will be measured, and the machine as it sees it."""

    capability: str
    """The processor's instructions that its kernels use: `AVX2`."""
    mkl: bool
    openmp: bool
    machine: str
    """The processor's kind: `x86_64`."""


def timer(step_s: float, call_s: float) -> Check:
    """Judge perf_counter by its smallest step and by the cost of a call.

    Two calls must cost less than 0.5 % of the shortest sample, 1 ms; a sample is at
    least 1,000 steps long.
    """
    finding = f"perf_counter: step {step_s * 1e9:.0f} ns, {call_s * 1e9:.0f} ns a call"
    unfit = step_s > 1e-4 or 2 * call_s > 0.005 * 1e-3
    status = worst(unfit, step_s > 1e-6 or call_s > 1e-6)
    clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    return checked("timer", status, finding, f"let the kernel use the tsc: see {clock}")


def load(load_1min: float, cores: int) -> Check:
    """Judge the load average; as it counts the whole machine, all cores count."""
    finding = f"{load_1min:.2f} over the last minute on {cores} cores"
    status = worst(load_1min > cores, load_1min > 0.3 * cores)
    return checked("load", status, finding, "stop other programs and wait a minute")


def others(shares: Sequence[tuple[str, float]], cores: int) -> Check:
    """Judge the other programs at work.

    Args:
        shares: name and used share of one core, the busiest first.
        cores: number of cores that we may use.
    """
    busy = [(name, share) for name, share in shares if share >= 0.1]
    if not busy:
        return Check("others", "ok", "no other program uses 10 % of a core")
    total = sum(share for _, share in busy)
    named = ", ".join(f"{name} {share:.0%}" for name, share in busy[:3])
    status = worst(total > 0.5 * cores, True)
    finding = f"{named}; {total:.0%} of a core in all"
    return Check("others", status, finding, "stop them while you measure")


def governor(governors: Sequence[str]) -> Check:
    """Judge the frequency governors of the cores."""
    if not governors:
        return _unknown("governor", " (usual in a virtual machine)")
    kinds = sorted(set(governors))
    advice = "sudo cpupower frequency-set -g performance"
    status = worst(False, kinds != ["performance"])
    return checked("governor", status, ", ".join(kinds), advice)


def turbo(is_on: bool | None) -> Check:
    """Judge turbo, which lets the clock rise above what it can sustain."""
    if is_on is None:
        return _unknown("turbo")
    finding = "on: heat and busy cores change the clock" if is_on else "off"
    advice = (
        "to compare runs of different days, switch it off (intel_pstate/no_turbo = 1 "
        "or cpufreq/boost = 0 under /sys/devices/system/cpu)"
    )
    return checked("turbo", worst(False, is_on), finding, advice)


def smt(is_active: bool | None, physical: int | None) -> Check:
    """Judge whether two hardware threads share one core."""
    if is_active is None:
        return _unknown("smt")
    finding = "on: two threads may share a core" if is_active else "off, or not seen"
    few = f"at most {physical}" if physical else "as many as physical"
    advice = f"compare contenders of {few} threads, or switch SMT off"
    return checked("smt", worst(False, is_active), finding, advice)


def quota(quota_cores: float | None, cores: int, throttled: int | None) -> Check:
    """Judge the container's CPU quota.

    Args:
        quota_cores: the quota in cores; None if there is none.
        cores: number of cores that we may use.
        throttled: number of periods in which a short loop on all cores was stopped.
    """
    if quota_cores is None:
        return Check("quota", "ok", "no CPU quota")
    finding = f"{quota_cores:g} of {cores} cores"
    is_small = quota_cores < cores
    if is_small and throttled is not None:
        finding += f"; it stopped a busy loop in {throttled} periods"
    whole = max(1, math.floor(quota_cores))
    advice = f"raise it, or keep within it: taskset -c 0-{whole - 1} crossover ..."
    return Check("quota", worst(is_small and throttled, True), finding, advice)


def memory(available_bytes: int) -> Check:
    """Judge the free memory; each contender has a process of some 0.5 GiB."""
    gib = available_bytes / 2**30
    status = worst(gib < 1, gib < 4)
    return checked("memory", status, f"{gib:.1f} GiB free", "close other programs")


def settings(passed_on: Mapping[str, str], left_out: Mapping[str, str]) -> Check:
    """Name the variables of the environment that change a contender's speed.

    Those that would make its label wrong are left out of a worker's environment.
    """
    named, others = (
        ", ".join(f"{k}={v}" for k, v in found.items())
        for found in (passed_on, left_out)
    )
    ignored = f"not passed on to workers: {others}" if others else ""
    finding = "; ".join(filter(None, (named, ignored)))
    finding = finding or "nothing in the environment changes the speed"
    advice = "unset them, unless they belong to your question"
    return checked("settings", worst(False, named), finding, advice)


def torch_build(found: TorchBuild | Ended, cores: int, physical: int | None) -> Check:
    """Judge the torch that will be measured.

    Args:
        found: the facts from a process that loads torch, or why there are none.
        cores: number of cores that we may use.
        physical: number of cores without SMT, torch's own number of threads.
    """
    if isinstance(found, Ended):
        return Check("torch", "unfit", found.notes, "install torch again")
    capability, threads = found.capability, found.threads["torch"]
    known = {"MKL": found.mkl, "OpenMP": found.openmp}
    libraries = [f"{'' if has else 'no '}{name}" for name, has in known.items()]
    finding = (
        f"{found.versions['torch']}, {capability}, {', '.join(libraries)}, "
        f"{threads} threads for {cores} usable cores"
    )
    reasons = {
        "AVX2 is not used: take another build": (
            found.machine == "x86_64" and capability in ("DEFAULT", "NO AVX")
        ),
        "take a build with OpenMP": not found.openmp,
        "name each contender's threads, such as cpu/resident@1": (
            threads not in (cores, physical)
        ),
    }
    advice = [text for text, holds in reasons.items() if holds]
    return Check("torch", worst(False, advice), finding, "; ".join(advice))


def accelerators(found: TorchBuild | Ended, has_driver: bool) -> Check:
    """List the accelerators that torch can use, or why it can use none.

    Args:
        found: the facts from a process that loads torch, or why there are none.
        has_driver: whether NVIDIA's driver is loaded.
    """
    if isinstance(found, Ended):
        return Check("devices", "unknown", "torch cannot be asked")
    named = [f"{a.name} {a.description}" for a in found.accelerators]
    if named:
        return Check("devices", "ok", ", ".join(named))
    reasons = ", ".join(f"{k}: {why}" for k, why in found.unavailable.items())
    advice = "NVIDIA's driver is loaded, and this torch cannot use it"
    if "without CUDA" in reasons:
        advice = "NVIDIA's driver is loaded: install a torch built for CUDA"
    finding = f"no accelerator ({reasons})"
    return checked("devices", worst(False, has_driver), finding, advice)


def gpu(state: Gpu | None) -> Check:
    """Judge the state of one accelerator; None means that NVML cannot be asked."""
    if state is None:
        install = "pip install nvidia-ml-py to see clocks, throttling and temperature"
        return Check("gpu", "unknown", "no NVML", install)
    mask, heat = state.reasons or 0, state.temperature_c
    slowed = [text for bit, text in HARMFUL.items() if mask & bit]
    reasons: dict[str, object] = {
        ONE_PROCESS: state.one_process,
        "let it cool, and check its power supply": bool(slowed),
        "raise the power limit or lock a lower clock (nvidia-smi -lgc)": (
            mask & POWER_CAP
        ),
        "let it cool": heat is not None and heat >= 80 and not slowed,
        "sudo nvidia-smi -pm 1, so that the driver stays loaded": (
            state.persistent is False
        ),
        f"stop the {state.processes} processes on it": state.processes,
    }
    advice = [text for text, holds in reasons.items() if holds]
    finding = f"{state.name}: {_or(state.clock_mhz)} of {_or(state.highest_mhz)} MHz"
    finding += f", {_or(heat)} °C"
    for text in [*slowed, *(["power cap"] if mask & POWER_CAP else [])]:
        finding += f", {text}"
    if state.one_process:
        finding += ", exclusive compute mode"
    status = worst(slowed or state.one_process, advice)
    return Check("gpu", status, finding, "; ".join(advice))


def worst(unfit: object, warn: object) -> str:
    """Return the worse of the statuses that hold; `ok` if neither does."""
    return "unfit" if unfit else "warn" if warn else "ok"


def _or(value: int | None) -> str:
    return "?" if value is None else str(value)


def _unknown(name: str, why: str = "") -> Check:
    return Check(name, "unknown", f"the system does not say{why}")


def checked(name: str, status: str, finding: str, advice: str) -> Check:
    """Return a check; one that is ok needs no advice."""
    return Check(name, status, finding, "" if status == "ok" else advice)

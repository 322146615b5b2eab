"""Read the facts about this machine that `crossover doctor` needs.

`checks` judges them. Files are read under a `root`, so that tests can make one up. Run
as a program, this module describes torch in a process of its own.
"""

import hashlib
import importlib
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from crossover.doctor.checks import Gpu, TorchBuild
from crossover.measure.environment import Others
from crossover.measure.nursery import NOWHERE
from crossover.measure.pipe import Ended
from crossover.measure.process import worker_environment

ONE_PROCESS_MODES = 1, 3
"""Values of nvml.h, nvmlComputeMode_t: exclusive to a thread, or to a process."""
TIMEOUT_S = 120.0
"""Longest time for loading and describing torch."""
LANE_BYTES_PER_S = {1: 0.25e9, 2: 0.5e9, 3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.563e9}
"""Nominal speed of a PCI Express lane, each way, by generation."""


def clock_call_s(calls: int = 10_000) -> float:
    """Return the seconds of one call of perf_counter, including the loop."""
    start = time.perf_counter()
    for _ in range(calls):
        time.perf_counter()
    return (time.perf_counter() - start) / calls


def busy_programs(seconds: float = 1.0) -> list[tuple[str, float]]:
    """Return each other program's share of one core, the busiest first."""
    others = Others()
    time.sleep(seconds)
    return others.shares()


def governors(root: Path) -> list[str]:
    """Return the frequency governor of each core that has one."""
    pattern = "sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    return [text for path in root.glob(pattern) if (text := _text(path))]


def turbo(root: Path) -> bool | None:
    """Tell whether turbo is on; None if the system does not tell."""
    cpu = root / "sys/devices/system/cpu"
    is_off = _text(cpu / "intel_pstate/no_turbo")
    if is_off:
        return is_off == "0"
    return {"1": True, "0": False}.get(_text(cpu / "cpufreq/boost"))


def smt(root: Path) -> bool | None:
    """Tell whether SMT is active; None if the system does not tell."""
    text = _text(root / "sys/devices/system/cpu/smt/active")
    return {"1": True, "0": False}.get(text)


def free_bytes(root: Path) -> int:
    """Return the free memory: the system's, or the container's if that is less."""
    free = [int(psutil.virtual_memory().available)]
    groups = root / "sys/fs/cgroup"
    for folder, most, now in (
        (groups, "memory.max", "memory.current"),
        (groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        limit, used = _text(folder / most), _text(folder / now)
        if limit.isdecimal() and used.isdecimal():
            stat = dict(s.split() for s in _text(folder / "memory.stat").splitlines())
            cache = stat.get("total_inactive_file", stat.get("inactive_file", 0))
            free.append(int(limit) - int(used) + int(cache))
    return min(free)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""


def growth_in_work(
    count: Callable[[], int | None], cores: int, seconds: float = 0.5
) -> int | None:
    """Keep all cores busy for a while; return by how much the count has grown."""
    before = count()
    block = bytes(2**20)  # while one thread hashes a block, the others run
    end = time.perf_counter() + seconds

    def work() -> None:
        while time.perf_counter() < end:
            hashlib.sha256(block).digest()

    with ThreadPoolExecutor(cores) as pool:
        for _ in range(cores):
            pool.submit(work)
    after = count()
    return None if before is None or after is None else after - before


def describe_torch() -> TorchBuild:
    """Describe torch's build; called in a process of its own, by `ask_torch`."""
    import torch

    from crossover.measure.devices import describe_here

    return TorchBuild(
        **dict(describe_here(())),
        capability=torch.backends.cpu.get_cpu_capability(),
        mkl=torch.backends.mkl.is_available(),  # type: ignore[no-untyped-call]
        openmp=torch.backends.openmp.is_available(),  # type: ignore[no-untyped-call]
        machine=platform.machine(),
    )


def ask_torch() -> TorchBuild | Ended:
    """Return what `describe_torch` finds; torch is not loaded in this process."""
    command = [sys.executable, "-P", "-m", "crossover.doctor.facts"]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace",
            timeout=TIMEOUT_S, check=True, cwd=NOWHERE, env=worker_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        notes = f"torch does not load in {TIMEOUT_S:g} s"
        return Ended(status="timeout", notes=notes)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no last words"])[-1]
        return Ended(status="crashed", notes=f"torch cannot be loaded: {last}")
    return TorchBuild.model_validate_json(done.stdout.splitlines()[-1])


def gpus(module: str = "pynvml") -> list[Gpu]:
    """Ask NVML for the state of each accelerator; [] without module or driver."""
    try:
        nvml = importlib.import_module(module)
        nvml.nvmlInit()
        handles = map(nvml.nvmlDeviceGetHandleByIndex, range(nvml.nvmlDeviceGetCount()))
        return [_gpu(nvml, handle) for handle in handles]
    except Exception:  # no module, library or driver, or a lost device
        return []


def _gpu(nvml: Any, handle: Any) -> Gpu:
    def ask(name: str, *arguments: object, read: Callable[[Any], Any] = _itself) -> Any:
        try:
            found = getattr(nvml, f"nvmlDeviceGet{name}")(handle, *arguments)
        except (nvml.NVMLError, AttributeError):
            return None
        return None if found is None else read(found)

    reasons = ask("CurrentClocksThrottleReasons")  # renamed in NVML 12
    return Gpu(
        ask("Name", read=_text_of) or "accelerator",
        ask("ClockInfo", nvml.NVML_CLOCK_SM),
        ask("MaxClockInfo", nvml.NVML_CLOCK_SM),
        ask("Temperature", nvml.NVML_TEMPERATURE_GPU),
        ask("PersistenceMode", read=bool),
        ask("CurrentClocksEventReasons") if reasons is None else reasons,
        ask("ComputeRunningProcesses", read=len),
        ask("MigMode", read=lambda modes: bool(modes[0])),
        _bus_bytes_per_s(ask("MaxPcieLinkGeneration"), ask("MaxPcieLinkWidth")),
        ask("UUID", read=_text_of) or "",
        ask("ComputeMode", read=lambda mode: mode in ONE_PROCESS_MODES),
    )


def _itself(found: Any) -> Any:
    return found


def _text_of(found: Any) -> str:
    return found.decode() if isinstance(found, bytes) else found


def _bus_bytes_per_s(generation: int | None, lanes: int | None) -> float | None:
    lane = LANE_BYTES_PER_S.get(generation or 0)
    return lane * lanes if lane and lanes else None


if __name__ == "__main__":
    print(describe_torch().model_dump_json())

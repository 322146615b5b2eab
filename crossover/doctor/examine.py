"""`crossover doctor`: make all checks in order, and print them with a verdict.

`facts` reads facts about the machine, `checks` and `device_checks` judge them. At last
one cell is measured against itself.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.text import Text
from scipy import stats

from crossover.doctor import checks, facts
from crossover.doctor.checks import Check
from crossover.doctor.device_checks import device_checks
from crossover.measure.clock import timer_step_s
from crossover.measure.machine import (
    ask_device,
    quota_cores,
    throttled_periods,
    usable_cores,
)
from crossover.measure.pipe import Ended, Open, R, Request, Sample
from crossover.measure.process import AnyWorker, WorkerProcess, check_proc
from crossover.proof.settings import left_out, passed_on
from crossover.system.ways import load_1min
from crossover.workloads.softmax import AA_CASE

STYLES = {"ok": "green", "warn": "yellow", "unfit": "bold red", "unknown": "dim"}
AA_S = 10.0
"""Seconds in which one cell is measured against itself."""
FEWEST_ROUNDS = 20
LEVEL = 0.01
"""Level of the test whether the cell differs from itself."""
MARGIN = 0.02
"""Smaller differences of the cell from itself do not matter."""
TIMEOUT_S = 60.0


def diagnose(quick: bool = False) -> int:
    """Print each check and the verdict, and return the exit code."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    found = []
    for check in examine(quick):
        mark = f"{check.status:8}", STYLES[check.status]
        advice = f". Advice: {check.advice}" if check.advice else ""
        console.print(Text.assemble(mark, f"{check.name:10}{check.finding}{advice}"))
        found.append(check)
    console.print(verdict(found))
    return 1 if any(check.status == "unfit" for check in found) else 0


def verdict(found: Sequence[Check]) -> str:
    """Return the verdict on all checks, in one line."""
    named = {s: ", ".join(c.name for c in found if c.status == s) for s in STYLES}
    if named["unfit"]:
        return f"Not fit to measure on: see {named['unfit']}."
    if named["warn"]:
        return f"Fit to measure on, with care: see {named['warn']}."
    return "Fit to measure on."


def examine(quick: bool, root: Path = Path("/")) -> Iterator[Check]:
    """Make the checks in order, so that none disturbs a later one."""
    check_proc()
    cores, physical = usable_cores(), psutil.cpu_count(logical=False)
    if (busy := load_1min()) is not None:
        yield checks.load(busy, psutil.cpu_count() or cores)
    yield checks.others(facts.busy_programs(), cores)
    yield checks.timer(timer_step_s(), facts.clock_call_s())
    yield checks.governor(facts.governors(root))
    yield checks.turbo(facts.turbo(root))
    yield checks.smt(facts.smt(root), physical)
    groups = root / "sys/fs/cgroup", root / "proc/self/cgroup"
    quota = quota_cores(*groups)
    stopped = None
    if quota is not None and quota < cores:
        stopped = facts.growth_in_work(lambda: throttled_periods(*groups), cores)
    yield checks.quota(quota, cores, stopped)
    yield checks.memory(facts.free_bytes(root))
    yield checks.settings(passed_on(os.environ), left_out(os.environ))
    torch = facts.ask_torch()
    yield checks.torch_build(torch, cores, physical)
    yield checks.accelerators(torch, (root / "proc/driver/nvidia/version").exists())
    gpus = facts.gpus()
    yield from map(checks.gpu, gpus)
    if isinstance(torch, Ended):
        return
    if not gpus and any(a.driver for a in torch.accelerators):
        yield checks.gpu(None)
    for found in torch.accelerators:
        prefix = f"{found.name}/"
        missing = {
            key.removeprefix(prefix): why
            for key, why in torch.trainers.items()
            if why and key.startswith(prefix)
        }
        seen = ask_device(found.name, verify=True)
        yield from device_checks(found.name, seen, found.memory_bytes, missing, gpus)
    if not quick:
        if (terminal := Console(stderr=True)).is_terminal:  # no spinner: it needs CPU
            terminal.print(f"measuring the A/A for {AA_S:g} s", end="\r")
        yield same_twice(*measure_twice())


def measure_twice(
    seconds: float = AA_S,
    start: Callable[[int], AnyWorker] = WorkerProcess,
    now: Callable[[], float] = time.monotonic,
) -> tuple[list[float], str]:
    """Measure one cell in two processes, side by side in ABBA and BAAB rounds.

    The result is log(seconds of the first / seconds of the second) for each round, and
    why there are none, or "".
    """
    workers = [start(1), start(1)]
    try:
        calls = [open_cell(worker) for worker in workers]
        log_ratios: list[float] = []
        end = now() + seconds
        while now() < end:
            order = (1, 0, 0, 1) if len(log_ratios) % 2 else (0, 1, 1, 0)
            sums_s = [0.0, 0.0]
            for i in order:
                sums_s[i] += ask(workers[i], Sample()).sample_s / calls[i]
            log_ratios.append(math.log(sums_s[0] / sums_s[1]))
        return log_ratios, ""
    except RuntimeError as error:
        return [], str(error)
    finally:
        for worker in workers:
            worker.stop()


def open_cell(worker: AnyWorker) -> int:
    """Open the cell in a worker; return how many trainings a sample has."""
    request = Open(
        workload=AA_CASE.workload.name,
        case=dict(AA_CASE.values),
        device="cpu",
        trainer="resident",
        threads=1,
        longest_s=0.2,
    )
    return ask(worker, request).calls_per_sample


def ask(worker: AnyWorker, request: Request[R]) -> R:
    """Return a worker's good reply.

    Raises:
        RuntimeError: when the request ended in another way.
    """
    reply = worker.ask(request, TIMEOUT_S)
    if isinstance(reply, Ended):
        raise RuntimeError(f"{reply.status}: {reply.notes}")
    return reply


def same_twice(log_ratios: Sequence[float], failure: str = "") -> Check:
    """Judge the A/A: is a cell as fast as itself, and how much do pairs spread?

    Whether the median lies beyond 2 % is decided by Wilcoxon's signed-rank test.

    Args:
        log_ratios: the log-ratio of each round.
        failure: why there are no rounds, or "".
    """
    if failure or len(log_ratios) < FEWEST_ROUNDS:
        finding = failure or f"{len(log_ratios)} rounds are too few to judge"
        return Check("A/A", "unknown", finding, "see what `crossover selftest` says")
    values = np.asarray(log_ratios)
    median, sd = float(np.median(values)), float(np.std(values, ddof=1))
    beyond = np.sign(median) * values - math.log1p(MARGIN)
    p = 2 * float(stats.wilcoxon(beyond, alternative="greater").pvalue)
    finding = (
        f"the same cell in two processes: median log-ratio {median:+.3f}, "
        f"SD {sd:.3f}, {len(values)} rounds"
    )
    is_off = abs(median) > math.log1p(MARGIN) and p < LEVEL
    if is_off or sd > 0.2:
        advice = "stop other programs; if that does not help, measure elsewhere"
        return Check("A/A", "unfit", finding, advice)
    if sd > 0.1:
        return Check("A/A", "warn", finding, "measure more rounds than usual")
    return Check("A/A", "ok", finding)

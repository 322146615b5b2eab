"""Take the snapshot of a machine: CPU, accelerators, versions, threads, load, quota.

The main process, which never imports torch, calls `snapshot`. That asks a worker, which
runs `crossover.measure.devices`, and then each accelerator in a process of its own.
"""

import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil

from crossover.contender import Contender
from crossover.files.untrusted import InputError
from crossover.measure.pipe import Describe, Ended, Examine, Examined, Verify
from crossover.measure.process import AnyWorker, WorkerProcess, Workers
from crossover.nouns import Machine
from crossover.proof.settings import left_out, passed_on
from crossover.system.ways import load_1min
from softmax_core.registry import TRAINERS

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
DEVICE_TIMEOUT_S = 60.0
"""Longest time for measuring an accelerator; a slower one is not used."""
VERIFY_TIMEOUT_S = 300.0
"""Longest time for verifying one trainer, whose kernels may have to be compiled."""

AS_TOLD = {"cpu", "versions", "threads", "energy_unmeasured", "trainers"}
"""What a worker describes of a machine, and the record holds as it is."""
ROUNDED = "its float32 products are rounded (TF32), which is less work than the CPU's"


@dataclass(frozen=True)
class DeviceAnswer:
    """What an accelerator can do, as measured, or why it cannot be used."""

    facts: Examined | None
    error: str = ""
    equal_work: dict[str, str] = field(default_factory=dict)
    """What is wrong with the weights of each available trainer; "" if nothing."""

    @property
    def unusable(self) -> str:
        """Why nothing is measured on the accelerator; "" if nothing is wrong."""
        if self.facts is not None and self.facts.rounds_products:
            return ROUNDED
        return self.error

    def recorded(self) -> dict[str, object]:
        """Return the part that goes into a run's record."""
        if self.facts is None:
            return {"error": self.error}
        return self.facts.model_dump(exclude={"status"})


Start = Callable[[Contender], AnyWorker]


def snapshot(devices: tuple[str, ...] = (), start: Start | None = None) -> Machine:
    """Describe this machine, and say why any of `devices` cannot be used here.

    Args:
        devices: their names.
        start: returns who describes the machine and its accelerators; None: a process
            for each.

    Raises:
        InputError: for a device name that torch does not know, and when torch cannot be
            loaded, or no worker started.
    """
    worker = WorkerProcess(None) if start is None else start(Contender("cpu"))
    try:
        reply = worker.ask(Describe(devices=devices), 120)
    finally:
        worker.stop()
    if isinstance(reply, Ended):
        why = f"torch cannot be asked: {reply.notes}"
        raise InputError(why if reply.refused is None else reply.refused)
    accelerators, unavailable = [], dict(reply.unavailable)
    for found in reply.accelerators:
        seen = ask_device(found.name, start=start)
        accelerators.append(found.model_dump() | seen.recorded())
        if seen.unusable:
            unavailable[found.name] = seen.unusable
    known = "name", "description", "memory_bytes"
    kinds = [{key: a[key] for key in known} for a in accelerators]
    identity = reply.cpu, usable_cores(), quota_cores(), kinds
    return Machine(
        hostname=socket.gethostname(),
        cores=usable_cores(),
        quota_cores=quota_cores(),
        memory_bytes=psutil.virtual_memory().total,
        load_1min=load_1min(),
        accelerators=tuple(accelerators),
        unavailable=unavailable,
        fingerprint=hashlib.sha256(repr(identity).encode()).hexdigest()[:12],
        passed_on=passed_on(os.environ),
        left_out=left_out(os.environ),
        **reply.model_dump(include=AS_TOLD),
    )


def ask_device(
    name: str, verify: bool = False, start: Start | None = None
) -> DeviceAnswer:
    """Measure an accelerator in a process of its own, which may hang or die.

    Args:
        name: such as `cuda:0`.
        verify: whether to compare every trainer there with the reference.
        start: returns who measures it, if that is not a process of its own.
    """
    # A dead one is replaced; other threads would only wait for the device, too.
    workers = Workers(start or (lambda contender: WorkerProcess(1)))
    there = Contender(name)
    try:
        reply = workers.ask(there, Examine(name=name), DEVICE_TIMEOUT_S)
        if isinstance(reply, Ended):
            late = f"does not answer in {DEVICE_TIMEOUT_S:g} s"
            why = late if reply.status == "timeout" else f"fails: {reply.notes}"
            return DeviceAnswer(None, f"{name} {why}")
        verified = _equal_work(workers, there) if verify else {}
        return DeviceAnswer(reply, equal_work=verified)
    finally:
        workers.stop()


def _equal_work(workers: Workers, there: Contender) -> dict[str, str]:
    """Return what is wrong with the weights of each available trainer, or ""."""
    found = {}
    for trainer in TRAINERS:
        request = Verify(name=there.device, trainer=trainer)
        reply = workers.ask(there, request, VERIFY_TIMEOUT_S)
        wrong = reply.notes if isinstance(reply, Ended) else reply.wrong
        if wrong is not None:
            found[trainer] = wrong
    return found


def usable_cores() -> int:
    """Count the cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quota_cores(root: Path = CGROUPS, own: Path = OWN_GROUPS) -> float | None:
    """Return the container's CPU quota in cores; None if there is none.

    If control groups lie within each other, the smallest quota counts.

    Args:
        root: where control groups are mounted, version 2 or 1.
        own: the file that names this process' groups.
    """
    quotas = []
    for group in _cpu_groups(root, own):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if not period:  # version 1
            quota = _text(group / "cpu.cfs_quota_us")
            period = _text(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():  # no quota is "max" or -1
            quotas.append(int(quota) / int(period))
    return min(quotas, default=None)


def throttled_periods(root: Path = CGROUPS, own: Path = OWN_GROUPS) -> int | None:
    """Return in how many periods the container's CPU quota has stopped us so far.

    It is the sum over this process' group and those around it; None if not counted.
    """
    found = [
        int(line.split()[1])
        for group in _cpu_groups(root, own)
        for line in _text(group / "cpu.stat").splitlines()
        if line.startswith("nr_throttled ")
    ]
    return sum(found) if found else None


@cache  # throttled_periods is read in every round
def _cpu_groups(root: Path, own: Path) -> tuple[Path, ...]:
    """List the folders of this process' CPU group and of the groups around it.

    Version 2 has one tree, version 1 one for each set of controllers, such as
    `cpu,cpuacct`. A container often sees its own group as the root of the tree.
    """
    groups = [root, root / "cpu", root / "cpu,cpuacct"]
    for line in _text(own).splitlines():
        _, controllers, name = line.split(":", 2)
        inner = Path(name.lstrip("/"))
        if controllers and "cpu" not in controllers.split(","):
            continue
        if ".." not in inner.parts:  # outside what this container may see
            groups += [root / controllers / p for p in (inner, *inner.parents)]
    found = dict.fromkeys(group.resolve() for group in groups)  # cpu may be a link
    return tuple(group for group in found if group.is_dir())


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text("utf-8").strip()
    return ""

"""The isolated process that measures one contender: requests in, replies out.

`crossover.measure.reaper` forks it, with the thread settings already in the
environment, and calls `serve`. It ends when the requests end. Both are lines of JSON,
as `pipe` defines them. Torch is loaded by `load`, before the fork, or by a request that
needs it; a user's file on the CPU may need none.
"""

import dataclasses
import importlib
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from crossover.contender import Contender
from crossover.files.errors import first_line, out_of_memory
from crossover.files.untrusted import InputError
from crossover.measure.clock import Idle, set_aside
from crossover.measure.describe import describe_cpu
from crossover.measure.energy import Meter, find_meter
from crossover.measure.pipe import (
    AnyRequest,
    Close,
    Closed,
    Count,
    Counted,
    Declare,
    Declared,
    Describe,
    Described,
    Ended,
    Examine,
    Examined,
    Open,
    Opened,
    Reply,
    Sample,
    Sampled,
    Verified,
    Verify,
    read_request,
    wrong,
)
from crossover.measure.sampler import Sampler
from crossover.nouns import Case
from crossover.proof.agreement import agree
from crossover.proof.place import CPU, Place, has_torch, place, synchronize, unavailable
from crossover.system.stops import Continued
from crossover.workloads.definition import WrongResult
from crossover.workloads.registry import bring, definition
from crossover.workloads.user_file import UserJob, declare, place_of

REPLIES = {kind.__name__ for kind in Reply.__subclasses__()}


def load() -> None:
    """Load torch and what works with it; nothing of it runs.

    What torch itself loads only with a first optimizer takes as long again.
    """
    importlib.import_module("crossover.measure.devices")
    with suppress(ImportError):
        importlib.import_module("torch._dynamo")


class Worker:
    """Answers one request at a time; holds at most one open cell."""

    def __init__(self) -> None:
        self._sampler: Sampler | None = None
        self._clock: tuple[int | None, float | None] | None = None
        """The round in which the accelerator's clock was last read, and the share."""
        self._context_s: dict[str, float] = {}
        self._meters: dict[str, Meter | None] = {}
        self._device: Place = CPU
        self._file = ""
        """The user's file that the last cell is of, if it is of one."""

    def answer(self, request: AnyRequest) -> Reply | Ended:
        """Do one request.

        Raises:
            InputError: for an unknown device, or work that cannot be counted.
        """
        match request:
            case Describe():
                return _describe(request)
            case Examine() | Verify():
                return _examine(request)
            case Count() | Declare():
                return _count(request) if request.op == "count" else _declare(request)
            case Open():
                return self._open(request)
            case Sample():
                return self._sample(request)
            case Close():
                self._close()
                return Closed()

    def _sample(self, request: Sample) -> Sampled | Ended:
        """Take a sample, then single calls; read the clock once a round."""
        sampler, number = self._sampler, request.round
        if sampler is None:
            return Ended(status="failed", notes="no cell is open")
        transfer_s = sampler.transfer_s()
        sample_s, sample_j, waited_s = sampler.sample()
        if self._clock is None or number is None or self._clock[0] != number:
            self._clock = number, sampler.clock_share()
        return Sampled(
            transfer_s=transfer_s,
            sample_s=sample_s,
            sample_j=sample_j,
            waited_s=waited_s,
            clock_share=self._clock[1],
            latency=sampler.single_calls(request.single, request.single_s),
        )

    def _close(self) -> None:
        if self._sampler is not None:
            self._sampler.close()
        self._sampler = self._clock = None

    def _open(self, request: Open) -> Opened | Ended:
        self._close()
        set_aside()
        device = place(request.device)
        reason = unavailable(device)
        ranks, trainer = request.ranks, request.trainer
        _bring(request.declared)
        self._file = request.declared.file.path if request.declared else ""
        case = _case(request.workload, request.case)
        job = definition(case.workload.name)
        if reason is None:
            reason = job.unavailable(trainer, str(device), ranks)
        if reason is not None:
            return Ended(status="unavailable", notes=f"{device}: {reason}")
        self._device = device
        _pin_products()
        idle = Idle()
        context_s = self._context(case.workload.name, device, trainer, ranks, idle)
        # Finding the meter may touch the device, so the context is timed before. Ranks
        # on several accelerators have no meter: it would count only one of them.
        meter = self._meter(device) if ranks == 1 or device.type == "cpu" else None
        self._sampler = Sampler(
            case,
            trainer,
            device,
            request.threads,
            context_s,
            request.longest_s,
            meter=meter,
            ranks=ranks,
            idle=idle,
        )
        launches = job.launches_per_step(case, trainer, ranks)
        verified = self._agrees(request, case) if request.agreed else None
        self._sampler.set_aside()  # what counting has loaded
        more = {
            "energy_of": meter.name if meter else "",
            "launches_per_step": launches,
            "work": job.work(case),
            "verified": verified,
        }
        return Opened.model_validate(dict(self._sampler.opened) | more)

    def _agrees(self, request: Open, case: Case) -> bool:
        """Compare the result with that of the case's first contender.

        Returns:
            Whether there was something to compare, and the workload asks for it.

        Raises:
            WrongResult: when the results differ.
        """
        assert self._sampler is not None
        assert request.agreed is not None
        share, found = case.workload.check, self._sampler.result()
        if share is None or not found:
            return False
        who = Contender(
            request.device, request.trainer, request.threads, ranks=request.ranks
        )
        if why := agree(found, str(who), share, Path(request.agreed)):
            raise WrongResult(why)
        return True

    def _meter(self, device: Place) -> Meter | None:
        if (name := str(device)) not in self._meters:
            found = find_meter(device)
            self._meters[name] = found if isinstance(found, Meter) else None
        return self._meters[name]

    def _context(
        self, workload: str, device: Place, trainer: str, ranks: int, idle: Idle
    ) -> float:
        """Return the seconds that a process pays once, before any case.

        They are the device's context, what the first training there loads, and the
        start of other ranks. Importing torch is not counted: all contenders pay it.
        """
        key = f"{device}/{trainer}@{ranks}"
        if key not in self._context_s:
            job = definition(workload)
            # Synchronising first would start the device before the clock.
            start = time.perf_counter()
            with idle:
                job.first_use(trainer, str(device), ranks)
            self._context_s[key] = time.perf_counter() - start
        return self._context_s[key]

    def place_of(self, error: Exception) -> str:
        """Return the line of the user's file that led to an error, "" if none did."""
        return place_of(error, Path(self._file)) if self._file else ""

    def lost_device(self) -> bool:
        """Tell whether the device no longer answers this process."""
        try:
            synchronize(self._device)
        except RuntimeError:
            return True
        return False


def _pin_products() -> None:
    """Have torch multiply in full float32, if it is loaded."""
    if has_torch():
        from softmax_core.device import pin_products

        pin_products()


def _describe(request: Describe) -> Described:
    """Describe this machine, also without torch where that is all that is asked."""
    for name in request.devices:
        place(name)  # loads torch but for the CPU, and refuses what it does not know
    if not has_torch():
        return describe_cpu()
    from crossover.measure.devices import describe_here

    _pin_products()
    return describe_here(request.devices)


def _examine(request: Examine | Verify) -> Examined | Verified:
    """Measure a device, or compare a trainer there with the reference."""
    from crossover.measure.devices import accelerator_facts, equal_work
    from softmax_core.device import parse_device

    _pin_products()
    place(request.name)
    device = parse_device(request.name)
    if isinstance(request, Examine):
        return accelerator_facts(device)
    return Verified(wrong=equal_work(request.trainer, device))


def _count(request: Count) -> Counted:
    """Count a trainer's work.

    Raises:
        InputError: if the work cannot be counted.
    """
    try:
        _bring(request.declared)
        cases = [_case(request.workload, values) for values in request.cases]
        counts = definition(request.workload).count(request.trainer, cases)
    except ValueError as error:
        raise InputError(str(error)) from error
    return Counted(counts=tuple(counts))


def _bring(declared: Declared | None) -> None:
    """Make the workload of a user's file known here."""
    if declared is not None:
        bring(UserJob(declared.workload, declared.file))


def _declare(request: Declare) -> Declared:
    """Load a user's file; if there is a case, see that its functions return steps.

    What else goes wrong there may not do so at other sizes, or on other devices.

    Raises:
        InputError: in one line, with the file and the line number.
    """
    job = declare(request.target, request.folder)
    if request.case:
        from crossover.workloads.user_session import try_steps

        try_steps(job, job.declared.case(**request.case))
    file = dataclasses.replace(job.file, loads_torch=has_torch())
    return Declared(workload=job.declared, file=file)


def _case(workload: str, values: dict[str, object]) -> Case:
    """Return a case of a workload from values that came as JSON: lists are tuples."""
    whole = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
    return definition(workload).declared.case(**whole)


def serve(requests: TextIO, replies: TextIO) -> None:
    """Reply to requests until they end."""
    worker, continued = Worker(), Continued()
    for line in requests:
        continued.come = False
        reply = reply_to(worker, line)
        if continued.come:
            reply = reply.model_copy(update={"was_stopped": True})
        print(reply.model_dump_json(), file=replies, flush=True)


def reply_to(worker: Worker, line: str) -> Reply | Ended:
    """Return a worker's reply to a request; any failure is one."""
    try:
        return worker.answer(read_request(line))
    except InputError as error:
        return Ended(status="failed", notes=str(error), refused=str(error))
    except MemoryError:
        return Ended(status="oom", notes="out of host memory")
    except Exception as error:  # any failure is a recorded row
        return _failure(worker, error)


def _failure(worker: Worker, error: Exception) -> Ended:
    if _is(error, "torch", "OutOfMemoryError"):
        return Ended(status="oom", notes=first_line(error))
    if _is(error, "softmax_core.training", "RankLost") or worker.lost_device():
        return Ended(status="crashed", notes=first_line(error))
    if spent := out_of_memory(error):
        return Ended(status="oom", notes=first_line(spent))
    notes = first_line(error)
    if isinstance(error, ValidationError) and error.title in REPLIES:
        notes = f"a reply {wrong(error)}"
    elif place := worker.place_of(error):
        notes += f" ({place})"
    return Ended(status="failed", notes=notes)


def _is(error: Exception, module: str, name: str) -> bool:
    """Tell whether an error is of a class of a module, which may not be loaded."""
    found = getattr(sys.modules.get(module), name, None)
    return found is not None and isinstance(error, found)

"""The isolated process that measures one contender: JSON lines in, JSON lines out.

`bench.measure.keeper` forks it, with the thread settings already in the environment,
and calls `serve`. It ends when the requests do.
"""

import gc
import json
import time
from dataclasses import asdict
from typing import Any, TextIO

import torch

from bench.measure.accelerator import accelerator_facts, equal_work
from bench.measure.describe import describe_here
from bench.measure.energy import Meter, find_meter
from bench.measure.errors import first_line, out_of_memory
from bench.measure.sampler import Sampler
from bench.nouns import Case
from bench.workloads.registry import definition
from softmax_core.device import (
    parse_device,
    synchronize,
    unavailable_reason,
)
from softmax_core.precision import pin_products
from softmax_core.training import RankLost


class Worker:
    """Answers one request at a time; holds at most one open cell."""

    def __init__(self) -> None:
        self._sampler: Sampler | None = None
        self._clock: tuple[int | None, float | None] | None = None
        """The round in which the accelerator's clock was last read, and its share."""
        self._context_s: dict[str, float] = {}
        self._meters: dict[torch.device, Meter | None] = {}
        self._device = torch.device("cpu")

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one request.

        Raises:
            ValueError: for an operation that does not exist.
        """
        match request["op"]:
            case "machine":
                return describe_here(request["devices"])
            case "device" | "verify":
                return _examine(parse_device(request["name"]), request.get("trainer"))
            case "count":
                job = definition(request["workload"])
                cases = [_case(request, values) for values in request["cases"]]
                return {"counts": job.count(request["trainer"], cases)}
            case "open":
                return self._open(request)
            case "sample" if self._sampler is not None:
                return self._sample(self._sampler, request.get("round"))
            case "close":
                self._close()
                return {}
        raise ValueError(f"op = {request['op']!r}: nothing to do it on")

    def _sample(self, sampler: Sampler, number: int | None) -> dict[str, Any]:
        """Take a sample; read the clock after the first one of a round."""
        transfer_s = sampler.transfer_s()
        sample_s, sample_j = sampler.sample()
        if self._clock is None or number is None or self._clock[0] != number:
            self._clock = number, sampler.clock_share()
        return {
            "transfer_s": transfer_s,
            "sample_s": sample_s,
            "sample_j": sample_j,
            "clock_share": self._clock[1],
        }

    def _close(self) -> None:
        if self._sampler is not None:
            self._sampler.close()
        self._sampler = self._clock = None

    def _open(self, request: dict[str, Any]) -> dict[str, Any]:
        self._close()
        device = parse_device(request["device"])
        reason = unavailable_reason(device)
        ranks, trainer = request.get("ranks", 1), request["trainer"]
        case = _case(request, request["case"])
        job = definition(case.workload.name)
        if reason is None:
            reason = job.unavailable(trainer, str(device), ranks)
        if reason is not None:
            return {"status": "unavailable", "notes": f"{device}: {reason}"}
        self._device = device
        context_s = self._context(case.workload.name, device, trainer, ranks)
        # May touch the device, whose context is timed. Those of other ranks are not
        # metered: none of them is then.
        meter = self._meter(device) if ranks == 1 or device.type == "cpu" else None
        self._sampler = Sampler(
            case,
            trainer,
            device,
            request["threads"],
            context_s,
            request["longest_s"],
            meter=meter,
            ranks=ranks,
        )
        launches = job.launches_per_step(case, trainer, ranks)
        gc.freeze()  # what counting loads is not searched for garbage at every sample
        return {
            "status": "ok",
            "energy_of": meter.name if meter else "",
            "launches_per_step": launches,
            "work": job.work(case),
            **asdict(self._sampler.opened),
        }

    def _meter(self, device: torch.device) -> Meter | None:
        if device not in self._meters:
            found = find_meter(device)
            self._meters[device] = found if isinstance(found, Meter) else None
        return self._meters[device]

    def _context(
        self, workload: str, device: torch.device, trainer: str, ranks: int
    ) -> float:
        """Seconds that a process pays once, before any case: the device's context
        and whatever torch loads at the first training; other ranks start then.
        Importing torch here, which every contender pays alike, is not counted.
        """
        key = f"{device}/{trainer}@{ranks}"
        if key not in self._context_s:
            job = definition(workload)
            # No synchronise before: it would start the device outside the clock.
            start = time.perf_counter()
            job.first_use(trainer, str(device), ranks)
            self._context_s[key] = time.perf_counter() - start
        return self._context_s[key]

    def lost_device(self) -> bool:
        """Tell whether the device answers no more, nor will to this process."""
        try:
            synchronize(self._device)
        except RuntimeError:
            return True
        return False


def _examine(device: torch.device, trainer: str | None) -> dict[str, Any]:
    """Say what a device does, or what is wrong with a trainer there."""
    if trainer is None:
        return accelerator_facts(device)
    return {"wrong": equal_work(trainer, device)}


def _case(request: dict[str, Any], values: dict[str, Any]) -> Case:
    """Return a case of the request's workload from what JSON makes of its values."""
    whole = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
    return definition(request["workload"]).declared.case(**whole)


def serve(requests: TextIO, replies: TextIO) -> None:
    """Reply to requests until they end."""
    pin_products()
    worker = Worker()
    for line in requests:
        try:
            reply = worker.answer(json.loads(line))
        except torch.OutOfMemoryError as error:
            reply = {"status": "oom", "notes": first_line(error)}
        except MemoryError:
            reply = {"status": "oom", "notes": "out of host memory"}
        except Exception as error:  # any failure is a recorded row
            reply = _failure(worker, error)
        print(json.dumps(reply), file=replies, flush=True)


def _failure(worker: Worker, error: Exception) -> dict[str, Any]:
    if isinstance(error, RankLost) or worker.lost_device():
        return {"status": "crashed", "notes": first_line(error)}
    if spent := out_of_memory(error):
        return {"status": "oom", "notes": first_line(spent)}
    return {"status": "failed", "notes": first_line(error)}

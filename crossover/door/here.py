"""Contenders that take turns in this process, and what of it they leave as it was.

`find` measures with them. A worker of `crossover run` is a process of its own, with its
threads set before torch loads; here they are set before each request.
"""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import threadpoolctl
import torch

from crossover.contender import Contender
from crossover.measure.pipe import Close, Ended, Open, Opened, R, Request
from crossover.measure.process import Workers
from crossover.measure.worker import Worker, reply_to

ONE_PROCESS = "one_process"


class Here:
    """Answers the requests to one contender in this process; see `AnyWorker`.

    Nothing can end a request that takes too long: a timeout is not heeded. Set-ups and
    memory are unknown, as the process has done and holds other things as well.
    """

    def __init__(self, contender: Contender) -> None:
        self._worker, self._threads = Worker(), contender.threads
        self._pools = threadpoolctl.ThreadpoolController()

    def ask(self, request: Request[R], timeout_s: float) -> R | Ended:
        """Return the good reply, or how the request ended instead."""
        if isinstance(request, Open):  # libraries were loaded since
            self._pools = threadpoolctl.ThreadpoolController()
        try:
            with self._own_threads():
                reply = reply_to(self._worker, request.model_dump_json())
        except SystemExit:
            return Ended(status="crashed", notes="the step leaves by SystemExit")
        if isinstance(reply, Opened):
            unknown = {"setup_s": None, "peak_bytes": None}
            reply = reply.model_copy(update=unknown)
        return reply  # type: ignore[return-value]  # a request tells its good reply

    @contextmanager
    def _own_threads(self) -> Iterator[None]:
        """Give torch, BLAS and OpenMP the contender's threads, if it has a number."""
        usual = torch.get_num_threads()
        if self._threads is None:
            yield
            return
        with self._pools.limit(limits=self._threads):
            torch.set_num_threads(self._threads)
            try:
                yield
            finally:
                torch.set_num_threads(usual)

    def stop(self) -> None:
        """Close the open cell, if there is one."""
        self._worker.answer(Close())


def workers_here() -> Workers:
    """Return workers that take turns in this process; every row of theirs says so."""
    return Workers(Here, flags=(ONE_PROCESS,))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back, in the end, what measuring sets in this process.

    These are the seeds of random, NumPy and torch, torch's threads and the precision of
    its products, and whether garbage is collected.
    """
    products, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = _states_of_devices()
    is_collecting = gc.isenabled()
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if devices is not None:
            torch.get_device_module().set_rng_state_all(devices)
        gc.unfreeze()
        if is_collecting:
            gc.enable()


def _states_of_devices() -> list[torch.Tensor] | None:
    """Return the seeds of accelerators that this process uses already; None if none."""
    module = torch.get_device_module()
    if not getattr(module, "is_initialized", lambda: False)():
        return None
    read = getattr(module, "get_rng_state_all", None)
    return None if read is None else list(read())

"""torch.compile: several steps unrolled into one compiled call, on any device."""

import functools
import importlib.util
import os
import shutil
import sys
import sysconfig
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FunctionType

import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data
from softmax_core.trainers.closed_form import ClosedFormSession, batch_sizes
from softmax_core.trainers.module import AnyDevice

CHUNK = 8
"""Steps in one call: it bounds the time to compile. Verification trains on as many full
batches, and what is left over (`verified_case`): what is timed is what is verified."""
MOST_PRODUCTS = 64
"""(features + 1) x classes up to which products are written as multiply and add, which
the compiler merges with the rest and vectorises over the samples; beyond, they are
matrix products of the device's library."""

Steps = Callable[[Tensor, Tensor, Tensor, Tensor], None]
"""Takes X, y (n, 1), and w and velocity, which it writes."""


def _missing_for_cpp() -> str | None:
    """Look for what inductor calls: $CXX or the system's compiler, and Python.h."""
    usual = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    compiler = os.environ.get("CXX", usual)
    if shutil.which(compiler) is None:
        return f"no C++ compiler {compiler}; CXX names another"
    return _missing_headers()


def _missing_for_triton() -> str | None:
    """Look for what Triton calls to build its launcher: $CC, gcc or clang; Python.h."""
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed"
    named = os.environ.get("CC")
    if not any(map(shutil.which, [named] if named else ["gcc", "clang"])):
        return f"no C compiler {named or 'gcc or clang'} for triton; CC names another"
    return _missing_headers()


def _missing_headers() -> str | None:
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "no Python.h: Python's headers are not installed"
    return None


class CompiledSession(ClosedFormSession):
    """One gather an epoch, then a compiled call for every `CHUNK` full batches.

    What is left over is taken step by step; the short last batch has its own.
    """

    def __init__(
        self,
        case: Case,
        data: Data,
        device: torch.device | str,
        threads: int | None,
        drawn_on: torch.device | str | None,
    ) -> None:
        super().__init__(case, data, device, threads, drawn_on)
        self._shuffled = torch.empty_like(self.X), torch.empty_like(self.y)
        chunks = call_sizes(case)
        rows = [sum(sizes) for sizes in chunks]
        compiled = {sizes: self._steps(sizes) for sizes in set(chunks)}
        self._calls = [
            (compiled[sizes], X, y)
            for sizes, X, y in zip(
                chunks,
                torch.split(self._shuffled[0], rows),
                torch.split(self._shuffled[1], rows),
                strict=True,
            )
        ]
        way = "products written out" if written_out(case) else "matrix products"
        self.notes = f"{CHUNK} steps a call, {way}"
        self._warm_up()

    def _warm_up(self) -> None:
        """Call each compiled function once, on data and not what memory held."""
        self._shuffled[0].copy_(self.X)
        self._shuffled[1].copy_(self.y)
        with warnings.catch_warnings():
            # Loading inductor uses what torch itself calls deprecated.
            warnings.filterwarnings("ignore", "", DeprecationWarning, r"torch\.")
            # Full float32 is what we want, and torch advises against it.
            warnings.filterwarnings("ignore", "TensorFloat32 tensor cores")
            for steps, X, y in {call[0]: call for call in self._calls}.values():
                steps(X, y, self.w, self.velocity)
        self.reset()

    def _steps(self, sizes: tuple[int, ...]) -> Steps:
        """Return a compiled call that takes a step on each batch of these sizes."""
        # All that the code depends on: a function is compiled once, and shared by the
        # cases of a process that have it in common.
        case = self.case
        rates = case.learning_rate, case.momentum
        shapes = case.features, case.classes, case.dtype, str(self.device)
        way = _written_out if written_out(case) else _multiplied
        return _compiled(sizes, rates, shapes, way, torch.get_num_threads())

    def train(self, epochs: int) -> None:
        """Train on; may return before the device is done."""
        for _ in range(epochs):
            order = self.order.next_epoch()
            torch.index_select(self.X, 0, order, out=self._shuffled[0])
            torch.index_select(self.y, 0, order, out=self._shuffled[1])
            for steps, X, y in self._calls:
                steps(X, y, self.w, self.velocity)


def call_sizes(case: Case) -> list[tuple[int, ...]]:
    """Return the batch sizes in each call of an epoch: at most three different."""
    size, full, short = batch_sizes(case)
    chunks, left = divmod(full, CHUNK)
    last = [(short,)] if short else []
    return [(size,) * CHUNK] * chunks + [(size,)] * left + last


def written_out(case: Case) -> bool:
    """Tell whether products are left to the compiler, as multiply and add."""
    return (case.features + 1) * case.classes <= MOST_PRODUCTS


@functools.cache
def _compiled(
    sizes: tuple[int, ...],
    rates: tuple[float, float],
    shapes: tuple[int, int, str, str],
    gradient_of: Callable[[Tensor, Tensor, Tensor], Tensor],
    threads: int,
) -> Steps:
    rate, momentum = rates
    classes = shapes[1]

    def steps(X: Tensor, y: Tensor, w: Tensor, velocity: Tensor) -> None:
        new_w, new_velocity = w, velocity
        numbers = torch.arange(classes, device=X.device)
        rows, labels = torch.split(X, list(sizes)), torch.split(y, list(sizes))
        for batch, label, size in zip(rows, labels, sizes, strict=True):
            gradient = gradient_of(batch, label == numbers, new_w)
            if momentum:
                new_velocity = momentum * new_velocity + gradient / size
                new_w = new_w - rate * new_velocity
            else:
                new_w = new_w - rate / size * gradient
        w.copy_(new_w)
        if momentum:
            velocity.copy_(new_velocity)

    # Dynamo keeps what it compiled with the code object and allows 8 there. A copy of
    # the code for each function also keeps a call from looking through the others'.
    own = steps.__code__.replace(co_name=f"steps_{_compiled.cache_info().misses}")
    function = FunctionType(
        own, steps.__globals__, own.co_name, None, steps.__closure__
    )
    options: dict[str, str | int | bool | Callable[..., object]] = {
        "compile_threads": 1,  # no worker processes that outlive us
        "cpp.threads": threads,
    }
    return torch.compile(function, dynamic=False, fullgraph=True, options=options)


def _multiplied(X: Tensor, hit: Tensor, w: Tensor) -> Tensor:
    """Return the gradient summed over a batch, (P - Y)' X, like w.

    Args:
        X: (n, features + 1).
        hit: (n, classes) bool, one-hot.
        w: (classes, features + 1).
    """
    return (torch.softmax(X @ w.T, dim=1) - hit.to(X.dtype)).T @ X


def _written_out(X: Tensor, hit: Tensor, w: Tensor) -> Tensor:
    """Return the same without a library's product, the samples innermost."""
    columns = X.T.unsqueeze(0)
    error = torch.softmax((w.unsqueeze(2) * columns).sum(1), dim=0)
    return (columns * (error - hit.T.to(X.dtype)).unsqueeze(1)).sum(2)


class CompiledTrainer(AnyDevice):
    """The closed-form step, compiled by inductor: C++ on the CPU, Triton on CUDA."""

    session = CompiledSession

    def unavailable(self, device: torch.device) -> str | None:
        """Return what inductor lacks to compile for the device. See `Trainer`."""
        if device.type == "cpu":
            return _missing_for_cpp()
        if device.type != "mps" and (missing := _missing_for_triton()):
            return missing
        # Not at the top: it takes seconds to load.
        interface = importlib.import_module("torch._dynamo.device_interface")
        known = dict(interface.get_registered_device_interfaces())
        return None if device.type in known else f"no compiler for {device.type}"

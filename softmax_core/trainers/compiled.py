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
from softmax_core.data import Data, batches
from softmax_core.trainers.closed_form import ClosedFormSession, batch_sizes
from softmax_core.training import Trainer

CHUNK = 8
"""Steps in one compiled call; more would take longer to compile. Verification trains on
one whole call and on a remainder (`verified_case`), as timed training does."""
MOST_PRODUCTS = 64
"""Most weights whose products are written as multiply and add, which the compiler
merges with other operations and vectorises over the samples. Products with more weights
are left to the device's library."""

Steps = Callable[[Tensor, Tensor, Tensor, Tensor], None]
"""A compiled function of X, y (n, 1), w and velocity; it changes the last two."""


def _missing_for_cpp() -> str | None:
    """Return what inductor would miss: $CXX or the system's compiler, or Python.h."""
    usual = {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    compiler = os.environ.get("CXX", usual)
    if shutil.which(compiler) is None:
        return f"no C++ compiler {compiler}; CXX names another"
    return _missing_headers()


def _missing_for_triton() -> str | None:
    """Return what Triton would miss to build its launcher: a C compiler or Python.h."""
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

    The full batches that remain are compiled one by one, and so is the short last one.
    """

    def build(self, data: Data) -> None:
        """Lay the data out and compile the calls of an epoch."""
        super().build(data)
        # Data from the start: new memory may hold NaN, and the warm-up trains on it.
        self._shuffled = self.X.clone(), self.y.clone()
        chunks = call_sizes(self.case)
        rows = [sum(sizes) for sizes in chunks]
        compiled = {sizes: self._steps(sizes) for sizes in set(chunks)}
        self._calls = [
            (compiled[sizes], X, y)
            for sizes, (X, y) in zip(
                chunks, batches(*self._shuffled, rows), strict=True
            )
        ]
        way = "products written out" if written_out(self.case) else "matrix products"
        self.notes = f"{CHUNK} steps a call, {way}"
        self._warm_up()

    def _warm_up(self) -> None:
        """Call each compiled function once."""
        with warnings.catch_warnings():
            # Loading inductor uses what torch itself calls deprecated.
            warnings.filterwarnings("ignore", "", DeprecationWarning, r"torch\.")
            # Full float32 is what we want, and torch advises against it.
            warnings.filterwarnings("ignore", "TensorFloat32 tensor cores")
            for steps, X, y in {call[0]: call for call in self._calls}.values():
                steps(X, y, self.w, self.velocity)

    def _steps(self, sizes: tuple[int, ...]) -> Steps:
        """Return a compiled call that takes a step on each batch of these sizes."""
        # The arguments are all that the code depends on: cases of one process that have
        # them in common share the compiled function.
        case = self.case
        rates = case.learning_rate, case.momentum
        shapes = case.features, case.classes, case.dtype, str(self.device)
        way = _written_out if written_out(case) else _multiplied
        return _compiled(sizes, rates, shapes, way, torch.get_num_threads())

    def train(self, epochs: int) -> None:
        """Train further epochs; may return before the device is done."""
        for _ in range(epochs):
            order = self.order.next_epoch()
            torch.index_select(self.X, 0, order, out=self._shuffled[0])
            torch.index_select(self.y, 0, order, out=self._shuffled[1])
            for steps, X, y in self._calls:
                steps(X, y, self.w, self.velocity)


def call_sizes(case: Case) -> list[tuple[int, ...]]:
    """Return the batch sizes in each call of an epoch: at most three kinds of call."""
    size, full, short = batch_sizes(case)
    chunks, left = divmod(full, CHUNK)
    last = [(short,)] if short else []
    return [(size,) * CHUNK] * chunks + [(size,)] * left + last


def written_out(case: Case) -> bool:
    """Tell whether products are written as multiply and add, for the compiler."""
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
        # Compiled code holds nothing of this line: only Python itself comes here.
        if not torch.compiler.is_compiling():
            raise RuntimeError("torch.compile left the steps to Python")
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

    # Dynamo keeps what it compiled with the code object, 8 functions at most, and each
    # call looks through them. So each function gets a copy of the code.
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
    """Return the same as `_multiplied`, by sums whose innermost loop is the samples."""
    columns = X.T.unsqueeze(0)
    error = torch.softmax((w.unsqueeze(2) * columns).sum(1), dim=0)
    return (columns * (error - hit.T.to(X.dtype)).unsqueeze(1)).sum(2)


class CompiledTrainer(Trainer):
    """The closed-form step, compiled by inductor: C++ on the CPU, Triton on CUDA."""

    session = CompiledSession

    def unavailable(self, device: torch.device) -> str | None:
        """Return what inductor lacks to compile for the device. See `Trainer`."""
        if device.type == "cpu":
            return _missing_for_cpp()
        if device.type != "mps" and (missing := _missing_for_triton()):
            return missing
        # Loaded only here, because that takes seconds.
        interface = importlib.import_module("torch._dynamo.device_interface")
        known = dict(interface.get_registered_device_interfaces())
        return None if device.type in known else f"no compiler for {device.type}"

"""Whole epochs in one kernel launch: the GPU's best contender (docs/fused_cuda.md)."""

import warnings
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from softmax_core.case import Case
from softmax_core.data import Data, initial_weights
from softmax_core.trainers.fused_cuda.plan import LAYOUTS, Plan, plan
from softmax_core.training import Session, Setup, Trainer

MOST_ORDERS = 2**20
"""Most row numbers drawn for one launch, but at least an epoch's. More would save
little, and a GPU that also draws a screen kills launches of many seconds."""
INSTALL = (
    "install numba-cuda[cu12], or numba-cuda[cu13] where torch.version.cuda begins "
    "with 13"
)


class FusedCudaTrainer(Trainer):
    """Trains by kernels that numba compiles; on CUDA, or in numba's simulator.

    Tests may give `threads` in a block, `layout` and `multiprocessors`; otherwise the
    plan chooses them.
    """

    name = "fused_cuda"

    def __init__(
        self,
        threads: int | None = None,
        layout: str = "",
        multiprocessors: int | None = None,
    ) -> None:
        self._threads, self._layout = threads, layout
        self._multiprocessors = multiprocessors
        self.only_on = "cpu" if _simulated() else "cuda"

    def unavailable(self, device: torch.device) -> str | None:
        """Return what numba lacks here to compile for CUDA. See `Trainer`."""
        try:
            cuda = import_module("numba.cuda")
            if _simulated():
                return None
            if getattr(cuda, "implementation", "") != "NVIDIA":
                return f"numba's own CUDA target is out of date: {INSTALL}"
            libs = import_module("numba.cuda.cudadrv.libs")
            barrier = Path(libs.get_cudalib("cudadevrt", static=True))
            usable = cuda.is_available() and barrier.is_file()
        except Exception as error:  # whatever an incomplete toolkit raises
            return f"numba cannot compile for CUDA ({type(error).__name__}): {INSTALL}"
        return None if usable else f"numba cannot compile for CUDA: {INSTALL}"

    def start(self, case: Case, data: Data, setup: Setup) -> "FusedCudaSession":
        """See `Trainer`.

        Raises:
            ValueError: for a row that is too large.
        """
        count = self._multiprocessors or _multiprocessors(setup.device)
        chosen = plan(case, count, self._threads, self._layout)
        return FusedCudaSession(case, data, setup, chosen)


class FusedCudaSession(Session):
    """The data, weights and velocity in the GPU's memory, and the compiled kernel.

    `notes` tells how the blocks share a batch.
    """

    def build(self, data: Data, chosen: Plan) -> None:
        """Move the data to the device and compile the kernel of a plan."""
        case, data = self.case, data.to(self.device)
        self._plan, self.notes = chosen, str(chosen)
        initial = torch.cat([t.reshape(-1) for t in initial_weights(case)])
        self._initial = initial.to(self.device)
        self._w = self._initial.clone()
        self._v = torch.zeros_like(self._w)
        most = max(1, min(case.epochs, MOST_ORDERS // case.samples))
        self._orders = torch.zeros(
            (most, case.samples), dtype=torch.int64, device=self.device
        )
        scratch = self._w.new_zeros(chosen.scratch)
        self._data = data.X.contiguous(), data.y.contiguous(), self._orders
        number = getattr(np, case.dtype)
        with _current(self.device):
            self._before = tuple(map(_array, self._data))
            state = tuple(map(_array, (self._w, self._v, scratch)))
        # A Python float would make all sums of the kernel float64.
        rates = number(case.learning_rate), number(case.momentum)
        self._after = *state, *rates
        self._kernel = _kernel(chosen)
        self._configured: tuple[int, Any] | None = None
        self._launch(0)  # compiles

    def reset(self) -> None:
        """Return to the initial weights, zero velocity and the first epoch's order."""
        self._w.copy_(self._initial)
        self._v.zero_()
        self.order.restart()

    def train(self, epochs: int) -> None:
        """Train further epochs; one launch for as many as `MOST_ORDERS` allows."""
        while epochs > 0:
            now = min(epochs, len(self._orders))
            for row in self._orders[:now]:
                row.copy_(self.order.next_epoch())
            self._launch(now)
            epochs -= now

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return CPU tensors W (features, classes) and b (classes,)."""
        w = self._w.cpu().reshape(-1, self.case.classes).clone()
        return w[:-1], w[-1]

    def _launch(self, epochs: int) -> None:
        """Train `epochs` epochs by the orders drawn, on torch's current stream."""
        with _current(self.device):
            stream = _stream(self.device)
            if self._configured is None or self._configured[0] != stream:
                self._configured = stream, self._on(stream)
            self._configured[1](*self._before, epochs, *self._after)

    def _on(self, stream: int) -> Any:
        cuda = import_module("numba.cuda")
        grid = self._plan.blocks, self._plan.threads
        with warnings.catch_warnings():
            # numba warns that one block leaves most of the GPU idle: that is intended.
            warnings.filterwarnings("ignore", message="Grid size")
            queue = cuda.external_stream(stream) if stream else 0
            return self._kernel[*grid, queue, self._plan.shared_bytes]


@cache
def _kernel(chosen: Plan) -> Any:
    """Return the kernel of a plan, compiled at its first launch and kept.

    It is kept so that the kernel that is verified is also the one that is timed. Its
    arguments are X (samples, features), y (samples,), orders (at least epochs,
    samples), epochs, w and v (features + 1) x classes, flat, the biases last, scratch
    (plan.scratch,), rate and momentum. It changes w and v.
    """
    name = "rows" if chosen.layout == LAYOUTS[2] else "features"
    module = import_module(f"softmax_core.trainers.fused_cuda.{name}")
    return getattr(module, f"{name}_kernel")(chosen)


# The differences between a GPU and numba's simulator, whose memory is numpy's:


def _simulated() -> bool:
    return bool(import_module("numba").config.ENABLE_CUDASIM)


def _array(tensor: Tensor) -> Any:
    """Return a view of a tensor that a kernel takes."""
    if tensor.device.type == "cpu":
        return tensor.numpy()
    return import_module("numba.cuda").as_cuda_array(tensor)


def _current(device: torch.device) -> Any:
    """Return a context in which the device is the current one, for torch and numba."""
    return nullcontext() if device.type == "cpu" else torch.cuda.device(device)


def _stream(device: torch.device) -> int:
    return torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0


def _multiprocessors(device: torch.device) -> int:
    if device.type == "cpu":
        return 1
    return torch.cuda.get_device_properties(device).multi_processor_count

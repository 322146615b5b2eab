"""A machine whose only GPU is a driver library of our own, which a test looks into.

trainer fused_cuda trains on it as on a GPU: numba-cuda compiles its kernels and
launches them through cuda-python and the driver. Tensors lie in the host's memory, and
each launch is carried out on the CPU (native.py, grid.cpp).
"""

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import traceback
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import torch

HERE = Path(__file__).parent
STREAM = 0x5EED
"""What stands for torch's current stream."""
GRID_BARRIER_OF_THE_BLOCK, NO_BLOCK_BARRIER = 1, 2
"""Faults that `grid.cpp` puts in."""
LAUNCH_FAILED = 719
TYPES = {torch.float32: "<f4", torch.float64: "<f8", torch.int64: "<i8"}


@dataclass(frozen=True)
class Launch:
    """What the driver was asked for, and how often the grid then waited for itself."""

    blocks: int
    threads: int
    shared_bytes: int
    is_cooperative: bool
    stream: int
    grid_barriers: int


class _Launch(ctypes.Structure):
    _fields_ = (
        ("kernel", ctypes.c_char_p),
        ("blocks", ctypes.c_uint),
        ("threads", ctypes.c_uint),
        ("shared_bytes", ctypes.c_uint),
        ("is_cooperative", ctypes.c_int),
        ("stream", ctypes.c_void_p),
        ("packed", ctypes.c_void_p),
    )


HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Launch))


def missing():
    """Return what this Python lacks to be such a machine; "" if it can."""
    if platform.machine() != "x86_64":
        return "the threads of a grid are written for x86-64"
    if compiler() is None:
        return "no C++ compiler"
    if importlib.util.find_spec("numba_cuda") is None:
        return "numba-cuda is not installed: make kernels"
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return ""
    return "NVIDIA's driver is here: pytest -m gpu runs the kernels on the GPU"


def compiler():
    """Return the C++ compiler, None if there is none."""
    return shutil.which(os.environ.get("CXX", "c++"))


class Machine:
    """The driver and what it was asked for; `seed` orders threads, `fault` is put in.

    `short_bytes` is taken away from a block's shared memory.
    """

    def __init__(self, folder):
        self.seed, self.fault, self.short_bytes = 1, 0, 0
        self.launches, self.error = [], None
        self._grid = _compiled(folder, "grid.cpp", "libgrid.so")
        self._grid.grid_run.restype = ctypes.c_char_p
        # Loaded before any other, it is what everybody gets who asks for this name.
        self._driver = _compiled(folder, "driver.cpp", "libcuda.so.1")
        self._handler = HANDLER(self._on_launch)
        self._dispatchers, self._natives = [], {}
        self.become((9, 0), 132)

    def become(self, capability, multiprocessors):
        """Have another GPU from now on."""
        self._driver.recorder_set(*capability, multiprocessors, self._handler)

    @contextmanager
    def in_use(self):
        """Let trainer fused_cuda take CPU tensors for those of this machine's GPU."""
        from numba import cuda

        from softmax_core.trainers.fused_cuda import trainer

        kernel_of = trainer._kernel

        def known(plan):
            self._dispatchers.append(kernel_of(plan))
            return self._dispatchers[-1]

        changes = {
            "_simulated": lambda: True,  # a CPU device is allowed
            "_array": lambda tensor: cuda.as_cuda_array(_Shown(tensor)),
            "_stream": lambda device: STREAM,
            "_kernel": known,
        }
        self.seed, self.fault, self.short_bytes, self.error = 1, 0, 0, None
        self.launches.clear()
        with ExitStack() as stack:
            for name, change in changes.items():
                stack.enter_context(patch.object(trainer, name, change))
            yield self

    def kernel(self, plan):
        """Return numba-cuda's one compiled kernel of a plan; compile it if need be."""
        from numba.cuda import types

        from softmax_core.trainers.fused_cuda import trainer

        def array(kind, dimensions):
            return types.Array(kind, dimensions, "C")

        dispatcher = trainer._kernel(plan)
        if not dispatcher.overloads:
            number, rows = getattr(types, plan.dtype), types.int64
            data = array(number, 2), array(rows, 1), array(rows, 2)
            state = (array(number, 1),) * 3
            dispatcher.compile((*data, rows, *state, number, number))
        (kernel,) = dispatcher.overloads.values()
        return kernel

    def _on_launch(self, told):
        try:
            self._carry_out(told[0])
        except Exception as error:  # C cannot pass it on
            traceback.print_exc()
            self.error = error
            return LAUNCH_FAILED
        return 0

    def _carry_out(self, told):
        barriers = ctypes.c_int64()
        packed, shared = ctypes.c_void_p(told.packed), told.shared_bytes
        error = self._grid.grid_run(
            self._native(told.kernel.decode()), packed, told.blocks, told.threads,
            shared - self.short_bytes, ctypes.c_uint64(self.seed), self.fault,
            ctypes.byref(barriers),
        )  # fmt: skip
        if error:
            raise RuntimeError(error.decode())
        self.launches.append(
            Launch(told.blocks, told.threads, shared, bool(told.is_cooperative),
                   told.stream or 0, barriers.value)
        )  # fmt: skip

    def _native(self, name):
        if name not in self._natives:
            from gpu.native import native

            compiled = (k for d in self._dispatchers for k in d.overloads.values())
            kernel = next(k for k in compiled if k.entry_name == name)
            self._natives[name] = native(kernel.library.llvm_strs, name, self._grid)
        return self._natives[name][0]


class _Shown:
    """A tensor in host memory that shows itself as torch shows one on CUDA."""

    def __init__(self, tensor):
        self.tensor = tensor
        self.__cuda_array_interface__ = {
            "shape": tuple(tensor.shape),
            "typestr": TYPES[tensor.dtype],
            "data": (tensor.data_ptr(), False),
            "strides": None,
            "version": 2,
        }


def _compiled(folder, source, name):
    """Compile a C++ file and load it under the name that others load it by."""
    command = [
        compiler(), "-std=c++17", "-O2", "-U_FORTIFY_SOURCE", "-shared", "-fPIC",
        f"-Wl,-soname,{name}", "-o", folder / name, HERE / source, "-ldl",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)

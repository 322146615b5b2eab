"""Run numba's CUDA simulator with all blocks of a grid at once, in an order of its own.

The simulator that comes with numba runs one block after the other, so that a barrier of
the grid cannot be passed. Here one thread of the grid runs at a time, up to its next
barrier, in an order shuffled after every round. That shows a missing barrier as wrong
numbers, and one that some threads do not reach as an error, the same in every run.
Set NUMBA_ENABLE_CUDASIM=1 before importing this.
"""

import random
import sys
import threading

import numpy as np
from numba.cuda.simulator import kernel as simulator
from numba.cuda.simulator.kernelapi import Dim3, FakeCUDAModule, FakeCUDAShared

MODULES = [
    f"softmax_core.trainers.fused_cuda.{m}" for m in ("parts", "features", "rows")
]


class Thread(threading.Thread):
    """A thread of the grid; `waits_at` names the barrier it is at."""

    def __init__(self, body, grid, index):
        super().__init__(daemon=True)
        self.body, self.grid = body, grid
        block, thread = divmod(index, grid.threads)
        self.blockIdx, self.threadIdx = Dim3(block, 0, 0), Dim3(thread, 0, 0)
        self.shared = grid.shared[block]
        self.turn, self.waits_at, self.error = threading.Semaphore(0), None, None

    def run(self):
        self.turn.acquire()
        try:
            self.body()
        except BaseException as error:
            self.error = error
        self.waits_at = "the end"
        self.grid.over.release()

    def wait(self, barrier):
        self.waits_at = barrier
        self.grid.over.release()
        self.turn.acquire()

    def syncthreads(self):
        self.wait("block")

    def sync(self):
        self.wait("grid")


class Cuda(FakeCUDAModule):
    """What a kernel sees as `cuda`: shared memory is a block's own."""

    shared = property(lambda self: threading.current_thread().shared)
    cg = property(lambda self: self)

    def this_grid(self):
        return threading.current_thread()


class Grid:
    def __init__(self, blocks, threads, shared_bytes, seed):
        self.blocks, self.threads, self.random = blocks, threads, random.Random(seed)
        self.shared = [FakeCUDAShared(shared_bytes) for _ in range(blocks)]
        for memory in self.shared:
            memory._dynshared[:] = -1  # as found: a NaN, whatever the dtype
        self.over = threading.Semaphore(0)

    def run(self, body):
        count = self.blocks * self.threads
        everyone = [Thread(body, self, index) for index in range(count)]
        for thread in everyone:
            thread.start()
        ready = everyone
        while ready:
            for thread in self.random.sample(ready, len(ready)):
                thread.turn.release()
                self.over.acquire()
                if thread.error:
                    raise thread.error
            ready = self.released(everyone)

    def released(self, everyone):
        at = [
            {t.waits_at for t in everyone[b * self.threads : (b + 1) * self.threads]}
            for b in range(self.blocks)
        ]
        if any(len(barriers) > 1 for barriers in at) or (
            {"grid"} in at and {"the end"} in at
        ):
            raise RuntimeError(f"threads wait at different barriers: {at}")
        if all(barriers == {"grid"} for barriers in at):
            return everyone
        # One block at a time: the others may lag behind by as much as barriers allow.
        block = self.random.choice(
            [b for b, x in enumerate(at) if x == {"block"}] or [-1]
        )
        return [t for t in everyone if t.blockIdx.x == block]


def install(seed=0):
    """Put this in the place of the simulator's own launch."""

    def launch(self, *args):
        if self._device:
            return self.fn(*args)
        blocks, threads = self.grid_dim[0], self.block_dim[0]
        fake = Cuda(self.grid_dim, self.block_dim, self.dynshared_size)
        args = [np.asarray(a) if isinstance(a, np.ndarray) else a for a in args]
        modules = [sys.modules[m] for m in MODULES if m in sys.modules]
        real = [m.cuda for m in modules]
        for module in modules:
            module.cuda = fake
        try:
            Grid(blocks, threads, self.dynshared_size, seed).run(lambda: self.fn(*args))
        finally:
            for module, cuda in zip(modules, real, strict=True):
                module.cuda = cuda

    simulator.FakeCUDAKernel.__call__ = launch

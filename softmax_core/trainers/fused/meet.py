"""Threads that train together: each waits for all the others between parts of a step.

The kernels call `meet`; it spins for some 100 us and then sleeps, so that beside
another program no thread burns the time in which the one it waits for would run.
"""

import ctypes
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from softmax_core.trainers.fused.compile import OPTIONS

SPINS = 300_000
"""Looks at the others' count before sleeping: some 100 us, as waking up takes 50 in a
virtual machine."""
TURN, MUTEX, CONDITION, BYTES = 64, 128, 256, 512
"""Places in the memory that threads share, in bytes; their count of arrivals is at 0.
The system's own objects take less than 128 bytes each on Linux and macOS."""

_lock: Any = types.ExternalFunction("pthread_mutex_lock", types.int32(types.intp))
_unlock: Any = types.ExternalFunction("pthread_mutex_unlock", types.int32(types.intp))
_wake: Any = types.ExternalFunction("pthread_cond_broadcast", types.int32(types.intp))
_sleep: Any = types.ExternalFunction(
    "pthread_cond_wait", types.int32(types.intp, types.intp)
)
_LONG = ir.IntType(64)


def meeting_places(count: int) -> Any:
    """Return the memory, (count, 64) int64, by which threads wait for each other."""
    places = np.zeros((count, BYTES // 8), np.int64)
    system = ctypes.CDLL(None)
    for place in places:
        here = place.ctypes.data
        system.pthread_mutex_init(ctypes.c_void_p(here + MUTEX), None)
        system.pthread_cond_init(ctypes.c_void_p(here + CONDITION), None)
    return places


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _LONG.as_pointer())


def _adding(typing_context: Any, address: Any, value: Any) -> Any:
    """Add to the integer at an address, at once for all threads; return the old one."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        where = _pointer(builder, args[0])
        return builder.atomic_rmw("add", where, args[1], "seq_cst")

    return types.int64(types.intp, types.int64), write


def _reading(typing_context: Any, address: Any) -> Any:
    """Read the integer at an address, as other threads may change it."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_pointer(builder, args[0]), "seq_cst", 8)

    return types.int64(types.intp), write


_add: Any = intrinsic(_adding)
_read: Any = intrinsic(_reading)


@njit(**OPTIONS)
def meet(place: Any, threads: int) -> None:
    """Wait until all of `threads` threads have called this; one alone does not wait."""
    if threads == 1:
        return
    here = np.int64(place.ctypes.data)
    turn = _read(here + TURN)
    if _add(here, 1) == threads - 1:
        _add(here, -threads)
        _lock(here + MUTEX)
        _add(here + TURN, 1)
        _wake(here + CONDITION)
        _unlock(here + MUTEX)
        return
    for _ in range(SPINS):
        if _read(here + TURN) != turn:
            return
    _lock(here + MUTEX)
    while _read(here + TURN) == turn:
        _sleep(here + CONDITION, here + MUTEX)
    _unlock(here + MUTEX)


@njit(**OPTIONS)
def share(count: int, thread: int, threads: int) -> tuple[int, int]:
    """Return where a thread's part of `count` things begins and ends."""
    return count * thread // threads, count * (thread + 1) // threads

"""Train small cases by fused_cuda in the simulator, whole and with a fault put in.

    NUMBA_ENABLE_CUDASIM=1 python fused_cuda_cases.py right wrong ...

prints one JSON object of the parts asked for: per case, or case and fault, how far the
weights end from the reference's, as a share of what is allowed, and the notes.
"""

import json
import math
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import fused_cuda_simulated as simulated
import torch
from numba import cuda

from softmax_core import TOLERANCE, Case, disagreement, make_data
from softmax_core.trainers.fused_cuda import features, rows
from softmax_core.trainers.fused_cuda import plan as plans
from softmax_core.trainers.fused_cuda import trainer as launching
from softmax_core.trainers.fused_cuda.parts import backward, forward
from softmax_core.trainers.fused_cuda.trainer import FusedCudaTrainer

ONE, SPREAD, ROWS = plans.LAYOUTS
LARGE = {"BLOCK_WORK": plans.BLOCK_WORK}
SMALL = {"BLOCK_WORK": 1, "ROWS_A_SLICE": 1}
MEMORY = {**SMALL, "MOST_PARTIALS": 0}


def settings(threads, layout="", multiprocessors=1):
    return {"threads": threads, "layout": layout, "multiprocessors": multiprocessors}


CASES = {
    "one block": (Case(25, epochs=2, momentum=0.5), settings(4), LARGE),
    "one block, float64": (
        Case(23, epochs=2, momentum=0.9, learning_rate=0.01, dtype="float64"),
        settings(3),
        LARGE,
    ),
    "one block, slices": (
        Case(21, 1, 2, 16, 2, momentum=0.5),
        settings(16, ONE),
        {"ROWS_A_SLICE": 2},
    ),
    "one block, batches of one": (Case(8, 3, 4, 1), settings(5), LARGE),
    "one block, one tile a batch": (
        Case(25, epochs=2, momentum=0.5),
        settings(4),
        {"SHARED_BYTES": 4 * (2 * 9 + 30 + 10 * 3)},
    ),
    "features": (Case(25, 7, epochs=2, momentum=0.5), settings(4, SPREAD, 3), SMALL),
    "features, float64": (
        Case(23, 5, 4, 6, 2, momentum=0.5, dtype="float64"),
        settings(4, SPREAD, 5),
        SMALL,
    ),
    "features, slices": (
        Case(25, 2, 2, 8, 2, momentum=0.5),
        settings(16, SPREAD, 2),
        SMALL,
    ),
    "rows": (
        Case(25, epochs=2, momentum=0.5),
        settings(4, ROWS, 3),
        {"BLOCK_WORK": 128, "SHARED_BYTES": 4 * (2 * 9 + 2 * 6)},
    ),
    "rows, slices, float64": (
        Case(23, 1, 2, 10, 2, momentum=0.5, dtype="float64"),
        settings(8, ROWS, 4),
        SMALL,
    ),
    "rows, weights in memory": (
        Case(25, 3, 4, epochs=2, momentum=0.5),
        settings(4, ROWS, 3),
        MEMORY,
    ),
    "rows, weights in memory, float64": (
        Case(23, 4, 5, 7, 2, momentum=0.5, dtype="float64"),
        settings(4, ROWS, 2),
        MEMORY,
    ),
}
CHECKED_FOR_BARRIERS = (
    "one block, one tile a batch",
    "one block, slices",
    "features, slices",
    "rows",
    "rows, slices, float64",
    "rows, weights in memory",
)


def far(name):
    """Return the case's disagreement as a share of what is allowed, and its notes."""
    case, told, constants = CASES[name]
    with patch.multiple(plans, **constants):
        trainer = FusedCudaTrainer(**told)
        notes = trainer.prepare(case, make_data(case), "cpu").notes
        return disagreement(trainer, case, "cpu") / TOLERANCE[case.dtype], notes


def far_at_fault(name):
    try:
        return far(name)[0]
    except (IndexError, ValueError):  # a NaN for a label, which has no number
        return math.inf


def forgets_momentum(plan, dtype):
    gradient, fold, _ = backward(plan, dtype)

    @cuda.jit(device=True)
    def update(w, v, j, gradient, rate, momentum):
        v[j] = gradient
        w[j] -= rate * v[j]

    return gradient, fold, update


def weighs_as_whole(plan, dtype):
    """Divide the short last batch's gradient by the size of the others."""
    load, logit, softmax = forward(plan, dtype)
    scale = dtype(1 / plan.batch)

    @cuda.jit(device=True)
    def wrong(errors, labels, first, rows, _, tid):
        softmax(errors, labels, first, rows, scale, tid)

    return load, logit, wrong


@contextmanager
def fault(name):
    part, wrong = {
        "forgets the momentum": ("backward", forgets_momentum),
        "weighs the short last batch as a whole one": ("forward", weighs_as_whole),
        "no barrier of the grid": ("sync", simulated.Thread.syncthreads),
    }[name]
    with ExitStack() as stack:
        for module in [simulated.Thread] if part == "sync" else [features, rows]:
            stack.enter_context(patch.object(module, part, wrong))
        stack.callback(launching._kernel.cache_clear)
        launching._kernel.cache_clear()
        yield


def without(place, seen):
    """Return a `syncthreads` that does nothing at one place (file, line)."""

    def syncthreads(self):
        caller = sys._getframe(1)
        here = Path(caller.f_code.co_filename).stem, caller.f_lineno
        seen.add(here)
        if here != place:
            threading.current_thread().syncthreads()

    return patch.object(simulated.Cuda, "syncthreads", syncthreads)


def without_barriers():
    """Return, for each barrier of a block in the code, the most its lack is noticed.

    Not every case needs each: one with a single tile a batch may overwrite it late.
    """
    found = {}
    for name in CHECKED_FOR_BARRIERS:
        seen = set()
        with without(None, seen):
            far(name)
        for place in sorted(seen):
            with without(place, set()):
                key = f"{place[0]}:{place[1]}"
                found[key] = max(found.get(key, 0.0), far_at_fault(name))
    return found


def repeats(name):
    """Tell whether two launches, and a session that was reset, train as one launch."""
    case, told, constants = CASES[name]
    trainer, data, ends = FusedCudaTrainer(**told), make_data(case), []
    with patch.multiple(plans, **constants):
        session = trainer.prepare(case, data, "cpu")
        with patch.object(launching, "MOST_ORDERS", 1):
            one_by_one = trainer.prepare(case, data, "cpu")
    for trained in (session, session, one_by_one):
        trained.reset()
        trained.train(2)
        ends.append(torch.cat([t.reshape(-1) for t in trained.weights()]))
    return all(torch.equal(ends[0], end) for end in ends)


def divergent():
    """Return what the simulator says of a barrier that some threads do not reach."""
    from softmax_core.trainers.fused_cuda import parts

    def body():
        if parts.cuda.threadIdx.x < 2:
            parts.cuda.syncthreads()

    kernel = cuda.jit(body)
    kernel[1, 4, 0, 8]
    try:
        kernel()
    except RuntimeError as error:
        return str(error)
    return ""


FAULTS = {
    "forgets the momentum": ("one block", "features", "rows, weights in memory"),
    "weighs the short last batch as a whole one": ("one block", "features", "rows"),
    "no barrier of the grid": ("features", "rows", "rows, weights in memory"),
}


def at_faults():
    found = {}
    for name, cases in FAULTS.items():
        for case in cases:
            with fault(name):
                found[f"{case}, {name}"] = far_at_fault(case)
    return found


PARTS = {
    "right": lambda: {name: far(name) for name in CASES},
    "wrong": at_faults,
    "without": without_barriers,
    "repeats": lambda: {n: repeats(n) for n in ("one block", "features", "rows")},
    "divergent": divergent,
}


def main(*parts):
    simulated.install()
    torch.set_num_threads(1)
    print(json.dumps({part: PARTS[part]() for part in parts}))


if __name__ == "__main__":
    main(*sys.argv[1:])

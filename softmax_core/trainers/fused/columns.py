"""Kernels for few features and classes: columns of samples, weights in registers.

`columns` holds the features and, last, the class numbers, each (samples + padding,)
of the case's dtype. The innermost loops are written out for the number of features and
classes, so that LLVM keeps weights and sums in registers and takes a vector of samples
at once. The gradient of the last class is minus the sum of all others.
"""

import math
from collections.abc import Iterator

from numba import njit
from numba.extending import overload

from softmax_core.trainers.fused.compile import OPTIONS, kernel, written
from softmax_core.trainers.fused.exp import cut
from softmax_core.trainers.fused.meet import meet, share
from softmax_core.trainers.fused.shuffle import deal

LANES = 8
"""Batches are read in multiples of this many samples; a mask leaves out the excess."""
BLOCK = 1024
"""Samples of a large batch that are shuffled and read at a time, while in the cache."""
FADING = 31
"""Velocities are cut after momentum alone may have halved them this many times. Cutting
them in every step would take a tenth of a small step's time."""


def _each(features: int, classes: int) -> list[tuple[int, int]]:
    """List each weight as (row, class); the last row is the bias."""
    return [(d, k) for d in range(features + 1) for k in range(classes)]


def _sample(features: int, classes: int, mask: str) -> Iterator[str]:
    """Write the lines that add sample `at` to the sums g; `mask` is 0 or 1."""
    for d in range(features):
        yield f"x{d} = columns[U64({d}), at]"
    yield f"y = columns[U64({features}), at]"
    for k in range(classes):
        products = "".join(f" + w{d}_{k} * x{d}" for d in range(features))
        yield f"z{k} = w{features}_{k}{products}"
    yield "top = z0"
    for k in range(1, classes):
        yield f"top = top if top > z{k} else z{k}"
    for k in range(classes):
        yield f"e{k} = exp(z{k} - top)"
    total = " + ".join(f"e{k}" for k in range(classes))
    yield f"share = {mask} / ({total})"
    for k in range(classes - 1):
        yield f"off = e{k} * share - ({mask} if y == F({k}) else F(0))"
        for d in range(features):
            yield f"g{d}_{k} += off * x{d}"
        yield f"g{features}_{k} += off"


def _steps_lines(features: int, classes: int, lanes: int) -> Iterator[str]:
    """Write the function `steps`: batches of at most `BLOCK` samples, one step each."""
    each, last = _each(features, classes), classes - 1
    yield (
        "def steps(features, classes, lanes, "
        "columns, start, count, size, mask, w, u, rate, m):"
    )
    yield f"    width = {lanes or f'(size + {LANES - 1}) // {LANES} * {LANES}'}"
    for d, k in each:
        yield f"    w{d}_{k} = w[{d}, {k}]; u{d}_{k} = u[{d}, {k}]"
    yield "    for b in range(count):"
    for d, k in _each(features, last):
        yield f"        g{d}_{k} = F(0)"
    yield "        first = U64(start) + U64(b) * U64(size)"
    yield "        for s in range(width):"
    yield "            at = first + U64(s); one = mask[U64(s)]"
    for line in _sample(features, classes, "one"):
        yield f"            {line}"
    for d in range(features + 1):
        others = " + ".join(f"g{d}_{k}" for k in range(last))
        yield f"        g{d}_{last} = -({others})"
    for d, k in each:
        # The old velocity is subtracted first, as the gradient is known last.
        yield f"        kept = m * u{d}_{k}"
        yield f"        u{d}_{k} = kept + rate * g{d}_{k}"
        yield f"        w{d}_{k} = (w{d}_{k} - kept) - rate * g{d}_{k}"
    for d, k in each:
        yield f"    w[{d}, {k}] = w{d}_{k}; u[{d}, {k}] = u{d}_{k}"


def _sums_lines(features: int, classes: int) -> Iterator[str]:
    """Write the function `sums`: add the gradient of part of a batch to g."""
    sums = _each(features, classes - 1)
    yield "def sums(features, classes, columns, start, stop, w, g):"
    for d, k in _each(features, classes):
        yield f"    w{d}_{k} = w[{d}, {k}]"
    for d, k in sums:
        yield f"    g{d}_{k} = F(0)"
    yield "    for s in range(stop - start):"
    yield "        at = U64(start) + U64(s)"
    for line in _sample(features, classes, "F(1)"):
        yield f"        {line}"
    for d, k in sums:
        yield f"    g[{d}, {k}] += g{d}_{k}"


def steps(features, classes, lanes, columns, start, count, size, mask, w, u, rate, m):
    """Take `count` steps on batches of `size` samples from `start` on.

    Args:
        features: a tuple as long as their number; numba compiles for each length.
        classes: a tuple as long as their number.
        lanes: a tuple as long as a batch, rounded up to `LANES`; () for any length.
        columns: (features + 1, samples + padding).
        start: first sample.
        count: number of batches.
        size: samples in each batch.
        mask: (lanes,), ones for the batch's samples, then zeros.
        w: (features + 1, classes) weights, the last row the bias; changed.
        u: like w, the velocity times the learning rate; changed.
        rate: learning rate / size.
        m: momentum.
    """
    raise NotImplementedError("only inside compiled functions")


@overload(steps, jit_options=OPTIONS)
def _steps(features, classes, lanes, columns, start, count, size, mask, w, u, rate, m):
    lines = _steps_lines(len(features), len(classes), len(lanes))
    return written(lines, columns.dtype)


def sums(features, classes, columns, start, stop, w, g):
    """Add the gradient of samples start to stop to g (features + 1, classes - 1)."""
    raise NotImplementedError("only inside compiled functions")


@overload(sums, jit_options=OPTIONS)
def _sums(features, classes, columns, start, stop, w, g):
    return written(_sums_lines(len(features), len(classes)), columns.dtype)


@kernel()
def lay(columns, X, y, order):
    """Fill the columns with the samples in `order`; an empty one means the data's."""
    for s in range(len(X)):
        i = order[s] if len(order) else s
        for d in range(X.shape[1]):
            columns[d, s] = X[i, d]
        columns[X.shape[1], s] = y[i]


@kernel()
def train_small(
    columns, samples, batch, w, u, rates, m, state, shuffled, epochs,
    features, classes, lanes, masks,
):  # fmt: skip
    """Train `epochs` epochs of batches of at most `BLOCK` samples.

    `masks` and `rates` have one row for full batches and one for the short last one;
    `state` is the generator of the shuffles, used if `shuffled`.
    """
    block = max(1, BLOCK // 4 // batch)
    if m > 0:
        block = max(1, min(block, int(FADING / -math.log2(m))))
    for _ in range(epochs):
        start = 0
        while start < samples:
            count, size, last = min(block, (samples - start) // batch), batch, 0
            if count == 0:
                count, size, last = 1, samples - start, 1
            stop = start + count * size
            if shuffled:
                deal((0, *features), columns, start, stop, samples, state)
            steps(
                features, classes, lanes,
                columns, start, count, size, masks[last], w, u, rates[last], m,
            )  # fmt: skip
            if m > 0:
                _cut_each(u)
            start = stop


@kernel()
def train_large(
    columns, samples, batch, w, u, rates, m, state, shuffled, epochs,
    features, classes, g, thread, threads, places,
):  # fmt: skip
    """Train `epochs` epochs of batches of any size, in one of `threads` threads.

    Of several, the first one only shuffles, which takes as long as the rest: a block
    ahead of the others, whose samples it does not touch any more. Arguments as for
    `train_small`; and `g`, (threads, features + 1, classes - 1) zeros, which they are
    in the end, too; `thread`, the number of this one; and `places`, where all wait for
    each other, and where those do that do not shuffle.
    """
    workers = max(1, threads - 1)
    worker = thread if threads == 1 else thread - 1
    for _ in range(epochs):
        for start in range(0, samples, batch):
            stop = min(start + batch, samples)
            for first in range(start, stop, BLOCK):
                end = min(first + BLOCK, stop)
                if shuffled and thread == 0:
                    deal((0, *features), columns, first, end, samples, state)
                meet(places[0], threads)
                if worker >= 0:
                    a, b = share(end - first, worker, workers)
                    sums(features, classes, columns, first + a, first + b, w, g[worker])
            if worker >= 0:
                meet(places[1], workers)
                if worker == 0:
                    _update(w, u, g, rates[int(stop - start < batch)], m)
                meet(places[1], workers)
        meet(places[0], threads)


@njit(**OPTIONS)
def _cut_each(u):
    """Set to 0 the velocities that are nearer to 0 than the cut."""
    for d in range(u.shape[0]):
        for k in range(u.shape[1]):
            u[d, k] = cut(u[d, k])


@njit(**OPTIONS)
def _update(w, u, g, rate, m):
    """Take a step by the sums of all threads, and set them to 0."""
    for d in range(w.shape[0]):
        others = g.dtype.type(0)
        for k in range(w.shape[1]):
            gradient = -others
            if k < g.shape[2]:
                gradient = g.dtype.type(0)
                for t in range(g.shape[0]):
                    gradient += g[t, d, k]
                    g[t, d, k] = 0
                others += gradient
            u[d, k] = cut(m * u[d, k] + rate * gradient)
            w[d, k] -= u[d, k]

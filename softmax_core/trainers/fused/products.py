"""The kernel for many classes: both products of a step by torch's matrix library.

The rows of a batch are copied together, `tile` at a time, with a last column of ones
for the biases. w and u are (features + 1, classes and some); the scores z are (rows,
classes and some). Several threads share the rows for the scores (with many weights, the
classes), and the features or classes for the weights: each changes its own part. If a
batch has more rows than a tile, each thread has a tile and sums of its own, and they
meet but twice a batch.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

from softmax_core.trainers.fused.compile import OPTIONS, kernel
from softmax_core.trainers.fused.exp import cut, exp
from softmax_core.trainers.fused.gemm import PLAIN, TURNED, gemm
from softmax_core.trainers.fused.meet import meet, share
from softmax_core.trainers.fused.rows import ONE
from softmax_core.trainers.fused.shuffle import deal

U64, I64 = np.uint64, np.int64
WIDE = 1 << 13
"""From this many weights for each row of a batch on, each of several threads reads only
the weights of its classes, as all of them would not stay in its cache."""


@njit(**OPTIONS)
def _gather(X: Any, order: Any, first: int, begin: int, end: int, tile: Any) -> None:
    """Copy the rows order[first + s] to tile[s], for s from `begin` to `end`."""
    for s in range(begin, end):
        i, to = U64(order[0, U64(first + s)]), U64(s)
        for f in range(X.shape[1]):
            d = U64(f)
            tile[to, d] = X[i, d]


@njit(**OPTIONS)
def _scores(
    product: int, tile: Any, begin: int, end: int, w: Any, z: Any, classes: Any
) -> None:
    """Set z[s] to the scores of tile[s], for s from `begin` to `end`.

    `classes` is (first class, last), the last one not included.
    """
    item, zero, one = I64(z.itemsize), z.dtype.type(0), z.dtype.type(1)
    class_0, class_1 = classes
    gemm(
        product, PLAIN, class_1 - class_0, end - begin, w.shape[0], one,
        I64(w.ctypes.data) + class_0 * item, w.shape[1],
        I64(tile.ctypes.data) + begin * tile.shape[1] * item, tile.shape[1], zero,
        I64(z.ctypes.data) + (begin * z.shape[1] + class_0) * item, z.shape[1],
    )  # fmt: skip


def _larger(typing_context: Any, a: Any, b: Any) -> Any:
    """Return the larger of two numbers, in a way that LLVM vectorises.

    Of some that are not numbers, any may be found: the weights that made them stay so.
    """

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        function = ir.FunctionType(kind, [kind, kind])
        largest = builder.module.declare_intrinsic("llvm.maxnum", [kind], function)
        return builder.call(largest, args, fastmath=("nnan", "nsz"))

    return a(a, a), write


larger: Any = intrinsic(_larger)


@njit(**OPTIONS)
def _largest(z: Any, s: Any, classes: int) -> Any:
    """Return the largest of the first numbers of a row."""
    top = z[s, 0]
    for k in range(1, classes):
        top = larger(top, z[s, U64(k)])
    return top


@njit(**OPTIONS)
def _off(
    z: Any, begin: int, end: int, classes: int, labels: Any, order: Any, first: int
) -> None:
    """Turn the scores of some rows into probabilities - one-hot labels, in place."""
    one = z.dtype.type(1)
    for r in range(begin, end):
        s, total = U64(r), z.dtype.type(0)
        top = _largest(z, s, classes)
        for k in range(classes):
            power = exp(z[s, U64(k)] - top)
            z[s, U64(k)] = power
            total += power
        share = one / total
        for k in range(classes):
            z[s, U64(k)] *= share
        z[s, U64(labels[order[0, U64(first + r)]])] -= one


@njit(**OPTIONS)
def _gradient(
    product: int, tile: Any, count: int, z: Any, alpha: Any, beta: Any, to: Any,
    part: Any,
) -> None:  # fmt: skip
    """Set `to` to `beta` x itself + `alpha` x the gradient, in a part of it.

    `part` is (first class, last, first feature, last), the last ones not included.
    """
    item, width = I64(z.itemsize), to.shape[1]
    class_0, class_1, feature_0, feature_1 = part
    gemm(
        product, TURNED, class_1 - class_0, feature_1 - feature_0, count, alpha,
        I64(z.ctypes.data) + class_0 * item, z.shape[1],
        I64(tile.ctypes.data) + feature_0 * item, tile.shape[1], beta,
        I64(to.ctypes.data) + (feature_0 * width + class_0) * item, width,
    )  # fmt: skip


@njit(**OPTIONS)
def _part(
    classes: int, features: int, is_wide: bool, thread: int, threads: int
) -> tuple[int, int, int, int]:
    """Return a thread's part of the weights: of the features, or of more classes."""
    if features >= classes and not is_wide:
        first, last = share(features, thread, threads)
        return 0, classes, first, last
    first, last = share(classes, thread, threads)
    return first, last, 0, features


@njit(**OPTIONS)
def _step(w: Any, u: Any, g: Any, part: Any) -> None:
    """Add the other threads' sums to the velocities, and take a step in a part.

    u and g have the learning rate as a factor.
    """
    for f in range(part[2], part[3]):
        d = U64(f)
        for t in range(g.shape[0]):
            for k in range(part[0], part[1]):
                u[d, U64(k)] += g[t, d, U64(k)]
        for k in range(part[0], part[1]):
            c = U64(k)
            u[d, c] = cut(u[d, c])
            w[d, c] -= u[d, c]


@njit(**OPTIONS)
def _sums(
    product: int, X: Any, labels: Any, order: Any, begin: int, end: int, w: Any,
    tile: Any, z: Any, classes: int, rate: Any, kept: Any, to: Any,
) -> None:  # fmt: skip
    """Set `to` to `kept` x itself + `rate` x the gradient of rows `begin` to `end`."""
    one, whole = z.dtype.type(1), (0, classes, 0, w.shape[0])
    for first in range(begin, max(end, begin + 1), len(tile)):
        count = min(len(tile), end - first)
        if count > 0:
            _gather(X, order, first, 0, count, tile)
            _scores(product, tile, 0, count, w, z, (0, classes))
            _off(z, 0, count, classes, labels, order, first)
        _gradient(product, tile, count, z, rate, kept, to, whole)
        kept = one


@kernel()
def train_products(
    X, labels, order, batch, w, u, rates, m, state, shuffled, epochs,
    tiles, z, g, classes, product, thread, threads, place,
):  # fmt: skip
    """Train `epochs` epochs, in one of `threads` threads that all call this.

    Args:
        X: (samples, features).
        labels: (samples,) class numbers.
        order: (1, samples) int32; changed if `shuffled`.
        batch: samples in a batch.
        w: (features + 1, classes or more); changed.
        u: like w, the velocity times the learning rate; changed.
        rates: learning rate / size, for full batches and for the short last one.
        m: momentum.
        state: (1,), the generator of the shuffles; changed.
        shuffled: whether each epoch is shuffled.
        epochs: number of epochs.
        tiles: (threads, rows, features + 1 or more), column `features` ones; changed.
        z: (threads, rows, classes or more); changed.
        g: like w for each thread but the first, if a batch has more rows; changed.
        classes: their number.
        product: the address of torch's matrix product.
        thread: the number of this thread.
        threads: how many there are.
        place: where they wait for each other.
    """
    samples, rows, one = len(X), tiles.shape[1], X.dtype.type(1)
    zero, tile, scores = X.dtype.type(0), tiles[0], z[0]
    is_wide = threads > 1 and batch <= rows and w.size >= WIDE * batch
    part = _part(classes, len(w), is_wide, thread, threads)
    own, kept = (u, m) if thread == 0 else (g[thread - 1], zero)
    for _ in range(epochs):
        for start in range(0, samples, batch):
            stop = min(start + batch, samples)
            rate = rates[int(stop - start < batch)]
            if shuffled and thread == 0:
                deal(ONE, order, start, stop, samples, state)
            meet(place, threads)
            begin, end = share(stop - start, thread, threads)
            if batch > rows:
                _sums(
                    product, X, labels, order, start + begin, start + end, w,
                    tiles[thread], z[thread], classes, rate, kept, own,
                )  # fmt: skip
                meet(place, threads)
                _step(w, u, g, part)
                continue
            size = stop - start
            _gather(X, order, start, begin, end, tile)
            if is_wide:
                meet(place, threads)
                _scores(product, tile, 0, size, w, scores, (part[0], part[1]))
                meet(place, threads)
            else:
                _scores(product, tile, begin, end, w, scores, (0, classes))
            _off(scores, begin, end, classes, labels, order, start)
            meet(place, threads)
            if m == 0:
                _gradient(product, tile, size, scores, -rate, one, w, part)
            else:
                _gradient(product, tile, size, scores, rate, m, u, part)
                _step(w, u, g, part)

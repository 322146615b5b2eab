"""Kernels for many features or classes: rows are read in place, in a shuffled order.

A few rows at a time are read twice: for the scores, with two rows and four classes in
registers, and for the gradient, with four rows and two classes. w and u are
(classes, features + 1 and some), column `features` the bias and those after it zeros.
Each thread has sums like w of its own, in g, and z (classes, ROWS) for the scores.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numba import njit
from numba.extending import overload

from softmax_core.trainers.fused.compile import OPTIONS, kernel, written
from softmax_core.trainers.fused.exp import cut, exp
from softmax_core.trainers.fused.meet import meet, share
from softmax_core.trainers.fused.shuffle import deal

ROWS = 32
"""Rows read for the scores before the gradient, which finds them in the cache."""
ONE = (0,)
"""The order of the samples has one row: see `deal`."""
U64 = np.uint64


def _rows(tile: int) -> Iterator[str]:
    """Write the lines that look up a tile's row numbers, order[first + s] and on."""
    for r in range(tile):
        yield f"        i{r} = U64(order[first + s + {r}]); s{r} = U64(s + {r})"


def _scores_tile(rows: int, classes: int, k: str) -> Iterator[str]:
    """Write the lines that compute the scores of a tile for the classes from k on.

    Beyond the last class, that one is computed again: all numbers of classes have one
    kernel.
    """
    tile = list(product(range(rows), range(classes)))
    yield f"        for k in {k}:"
    for c in range(classes):
        yield f"            k{c} = U64(min(k + {c}, len(w) - 1))"
    for r, c in tile:
        yield f"            z{r}_{c} = F(0)"
    yield "            for f in range(features):"
    yield "                d = U64(f)"
    for r, c in tile:
        yield f"                z{r}_{c} += X[i{r}, d] * w[k{c}, d]"
    for r, c in tile:
        yield f"            z[k{c}, s{r}] = z{r}_{c} + w[k{c}, features]"


def _gradient_tile(rows: int, classes: int, k: str) -> Iterator[str]:
    """Write the lines that add a tile to the gradient of classes k and k + half.

    LLVM tests once, for all k, whether both overlap; neighbouring classes would.
    """
    yield f"        for k in {k}:"
    for c in range(classes):
        total = " + ".join(f"z{r}_{c}" for r in range(rows))
        yield f"            k{c} = U64(k + {c} * half)"
        for r in range(rows):
            yield f"            z{r}_{c} = z[k{c}, s{r}]"
        yield f"            g[k{c}, features] += {total}"
    yield "            for f in range(features):"
    yield "                d = U64(f)"
    for c in range(classes):
        total = " + ".join(f"z{r}_{c} * X[i{r}, d]" for r in range(rows))
        yield f"                g[k{c}, d] += {total}"


def _scores_lines() -> Iterator[str]:
    yield "def scores(X, order, first, count, w, z):"
    yield "    features = X.shape[1]; whole = (len(w) + 1) // 4 * 4"
    for rows, s in ((2, "range(0, count - 1, 2)"), (1, "range(count // 2 * 2, count)")):
        yield f"    for s in {s}:"
        yield from _rows(rows)
        yield from _scores_tile(rows, 4, "range(0, whole, 4)")
        yield from _scores_tile(rows, 2, "range(whole, len(w), 2)")


def _gradient_lines() -> Iterator[str]:
    yield "def gradient(X, order, first, count, z, g):"
    yield "    features = X.shape[1]; half = len(g) // 2"
    for rows, s in ((4, "range(0, count - 3, 4)"), (1, "range(count // 4 * 4, count)")):
        yield f"    for s in {s}:"
        yield from _rows(rows)
        yield from _gradient_tile(rows, 2, "range(half)")
        yield from _gradient_tile(rows, 1, "range(2 * half, len(g))")


def _scores(X, order, first, count, w, z):
    """Set z[:, s] to the scores of row order[first + s], for s below `count`."""
    raise NotImplementedError("only inside compiled functions")


def _gradient(X, order, first, count, z, g):
    """Add to g the rows order[first + s] times z[:, s], for s below `count`."""
    raise NotImplementedError("only inside compiled functions")


@overload(_scores, jit_options=OPTIONS)
def _write_scores(X, order, first, count, w, z):
    return written(_scores_lines(), X.dtype)


@overload(_gradient, jit_options=OPTIONS)
def _write_gradient(X, order, first, count, z, g):
    return written(_gradient_lines(), X.dtype)


@njit(**OPTIONS)
def _off(z: Any, labels: Any, order: Any, first: Any, count: Any, scale: Any) -> None:
    """Turn scores into `scale` x (probabilities - one-hot labels), in place."""
    top, total = np.empty(ROWS, z.dtype), np.zeros(ROWS, z.dtype)
    classes = z.shape[0]
    for s in range(count):
        top[s] = z[0, s]
    for k in range(1, classes):
        for s in range(count):
            top[s] = top[s] if top[s] > z[k, s] else z[k, s]
    for k in range(classes):
        for s in range(count):
            z[k, s] = exp(z[k, s] - top[s])
            total[s] += z[k, s]
    for s in range(count):
        total[s] = scale / total[s]
    for k in range(classes):
        for s in range(count):
            z[k, s] *= total[s]
    for s in range(count):
        z[labels[order[first + s]], s] -= scale


@njit(**OPTIONS)
def _sums(X: Any, labels: Any, order: Any, w: Any, g: Any, z: Any, scale: Any) -> None:
    """Add to g `scale` times the gradient of the rows in `order`.

    g may be w if there are at most ROWS rows.
    """
    for first in range(0, len(order), ROWS):
        count = min(ROWS, len(order) - first)
        _scores(X, order, first, count, w, z)
        _off(z, labels, order, first, count, scale)
        _gradient(X, order, first, count, z, g)


@njit(**OPTIONS)
def _update(w: Any, u: Any, g: Any, rate: Any, m: Any, begin: int, end: int) -> None:
    """Take a step for the features from `begin` to `end`, and set their sums to 0.

    u is the velocity times the learning rate; g has the sums of each thread.
    """
    zero = g.dtype.type(0)
    for k in range(w.shape[0]):
        for t in range(1, g.shape[0]):
            for f in range(begin, end):
                d = U64(f)
                g[0, k, d] += g[t, k, d]
                g[t, k, d] = zero
        if m == zero:
            for f in range(begin, end):
                d = U64(f)
                w[k, d] -= rate * g[0, k, d]
                g[0, k, d] = zero
        else:
            for f in range(begin, end):
                d = U64(f)
                u[k, d] = cut(m * u[k, d] + rate * g[0, k, d])
                w[k, d] -= u[k, d]
                g[0, k, d] = zero


@kernel()
def train_rows(
    X, labels, order, batch, w, u, rates, m, state, shuffled, epochs,
    z, g, thread, threads, place,
):  # fmt: skip
    """Train `epochs` epochs, in one of `threads` threads that all call this.

    Args:
        X: (samples, features).
        labels: (samples,) class numbers.
        order: (1, samples) int32; changed if `shuffled`.
        batch: samples in a batch.
        w: (classes, features + 1 or more); changed.
        u: like w, the velocity times the learning rate; changed.
        rates: learning rate / size, for full batches and for the short last one.
        m: momentum.
        state: (1,), the generator of the shuffles; changed.
        shuffled: whether each epoch is shuffled.
        epochs: number of epochs.
        z: (threads, classes, ROWS); changed.
        g: zeros like w for each thread, which they are again in the end.
        thread: the number of this thread.
        threads: how many there are.
        place: where they wait for each other.
    """
    samples, one = len(X), X.dtype.type(1)
    first, last = share(w.shape[1], thread, threads)
    for _ in range(epochs):
        for start in range(0, samples, batch):
            stop = min(start + batch, samples)
            if shuffled and thread == 0:
                deal(ONE, order, start, stop, samples, state)
            meet(place, threads)
            begin, end = share(stop - start, thread, threads)
            rate, rows = rates[int(stop - start < batch)], order[0, start:stop]
            if threads == 1 and m == 0 and batch <= ROWS:
                _sums(X, labels, rows, w, w, z[0], -rate)
            else:
                _sums(X, labels, rows[begin:end], w, g[thread], z[thread], one)
                meet(place, threads)
                _update(w, u, g, rate, m, first, last)

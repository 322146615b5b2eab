"""Kernels for many features or classes: rows are read in place, in a shuffled order.

A few rows at a time are read twice: for the scores, with two rows and four classes in
registers, and for the gradient, with four rows and two classes. w, u and g are
(classes, features + 1), the last column the bias; z (classes, ROWS) holds the scores.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numba import njit, prange
from numba.extending import overload

from softmax_core.trainers.fused.compile import OPTIONS, kernel, written
from softmax_core.trainers.fused.exp import cut, exp
from softmax_core.trainers.fused.shuffle import deal

ROWS = 32
"""Rows read for the scores before the gradient, which finds them in the cache."""
ONE = (0,)
"""The order of the samples has one row: see `deal`."""


def _rows(tile: int) -> Iterator[str]:
    """Write the lines that look up a tile's row numbers, order[first + s] and on."""
    for r in range(tile):
        yield f"        i{r} = U64(order[first + s + {r}]); s{r} = U64(s + {r})"


def _scores_tile(rows: int, classes: int, k: str) -> Iterator[str]:
    """Write the lines that compute the scores of a tile for the classes from k on."""
    tile = list(product(range(rows), range(classes)))
    yield f"        for k in {k}:"
    for c in range(classes):
        yield f"            k{c} = U64(k + {c})"
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


def _scores_lines(rest: int) -> Iterator[str]:
    yield "def scores(rest, X, order, first, count, w, z):"
    yield "    features = X.shape[1]; whole = len(w) // 4 * 4"
    for rows, s in ((2, "range(0, count - 1, 2)"), (1, "range(count // 2 * 2, count)")):
        yield f"    for s in {s}:"
        yield from _rows(rows)
        yield from _scores_tile(rows, 4, "range(0, whole, 4)")
        if rest:
            yield from _scores_tile(rows, rest, "(whole,)")


def _gradient_lines(rest: int) -> Iterator[str]:
    yield "def gradient(rest, X, order, first, count, z, g):"
    yield "    features = X.shape[1]; half = len(g) // 2"
    for rows, s in ((4, "range(0, count - 3, 4)"), (1, "range(count // 4 * 4, count)")):
        yield f"    for s in {s}:"
        yield from _rows(rows)
        yield from _gradient_tile(rows, 2, "range(half)")
        if rest % 2:
            yield from _gradient_tile(rows, 1, "(2 * half,)")


def _scores(rest, X, order, first, count, w, z):
    """Set z[:, s] to the scores of row order[first + s], for s below `count`.

    `rest` is a tuple whose length is the number of classes modulo 4.
    """
    raise NotImplementedError("only inside compiled functions")


def _gradient(rest, X, order, first, count, z, g):
    """Add to g the rows order[first + s] times z[:, s], for s below `count`."""
    raise NotImplementedError("only inside compiled functions")


@overload(_scores, jit_options=OPTIONS)
def _write_scores(rest, X, order, first, count, w, z):
    return written(_scores_lines(len(rest)), X.dtype)


@overload(_gradient, jit_options=OPTIONS)
def _write_gradient(rest, X, order, first, count, z, g):
    return written(_gradient_lines(len(rest)), X.dtype)


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
def _sums(
    X: Any, labels: Any, order: Any, w: Any, g: Any, z: Any, scale: Any, rest: Any
) -> None:
    """Add to g `scale` times the gradient of the rows in `order`.

    g may be w if there are at most ROWS rows.
    """
    for first in range(0, len(order), ROWS):
        count = min(ROWS, len(order) - first)
        _scores(rest, X, order, first, count, w, z)
        _off(z, labels, order, first, count, scale)
        _gradient(rest, X, order, first, count, z, g)


@njit(**OPTIONS)
def _update(w: Any, u: Any, g: Any, rate: Any, m: Any) -> None:
    """Take a step and set g to 0; u is the velocity times the learning rate."""
    zero = g.dtype.type(0)
    for k in range(w.shape[0]):
        if m == zero:
            for d in range(w.shape[1]):
                w[k, d] -= rate * g[k, d]
                g[k, d] = zero
        else:
            for d in range(w.shape[1]):
                u[k, d] = cut(m * u[k, d] + rate * g[k, d])
                w[k, d] -= u[k, d]
                g[k, d] = zero


@njit(**OPTIONS)
def _gather(g: Any) -> None:
    """Add the threads' sums to the first one's, and set them to 0."""
    for t in range(1, g.shape[0]):
        for k in range(g.shape[1]):
            for d in range(g.shape[2]):
                g[0, k, d] += g[t, k, d]
                g[t, k, d] = g.dtype.type(0)


@kernel()
def train_rows(X, labels, order, batch, w, u, rates, m, state, shuffled, epochs, rest):
    """Train `epochs` epochs.

    Args:
        X: (samples, features).
        labels: (samples,) class numbers.
        order: (1, samples) int32; changed if `shuffled`.
        batch: samples in a batch.
        w: (classes, features + 1); changed.
        u: like w, the velocity times the learning rate; changed.
        rates: learning rate / size, for full batches and for the short last one.
        m: momentum.
        state: (1,), the generator of the shuffles; changed.
        shuffled: whether each epoch is shuffled.
        epochs: number of epochs.
        rest: a tuple whose length is the number of classes modulo 4.
    """
    samples, one = len(X), X.dtype.type(1)
    z, g = np.empty((len(w), ROWS), X.dtype), np.zeros_like(w)
    for _ in range(epochs):
        for start in range(0, samples, batch):
            stop = min(start + batch, samples)
            if shuffled:
                deal(ONE, order, start, stop, samples, state)
            rate, rows = rates[int(stop - start < batch)], order[0, start:stop]
            if m == 0 and batch <= ROWS:
                _sums(X, labels, rows, w, w, z, -rate, rest)
            else:
                _sums(X, labels, rows, w, g, z, one, rest)
                _update(w, u, g, rate, m)


@kernel(parallel=True)
def train_rows_threaded(
    X, labels, order, batch, w, u, rates, m, state, shuffled, epochs, rest, threads
):
    """Train as `train_rows` does, with each batch shared among `threads` threads."""
    samples, one = len(X), X.dtype.type(1)
    z = np.empty((threads, len(w), ROWS), X.dtype)
    g = np.zeros((threads, w.shape[0], w.shape[1]), X.dtype)
    for _ in range(epochs):
        for start in range(0, samples, batch):
            stop = min(start + batch, samples)
            if shuffled:
                deal(ONE, order, start, stop, samples, state)
            part = -(-(stop - start) // threads)
            for t in prange(threads):
                first = min(start + t * part, stop)
                end = min(first + part, stop)
                _sums(X, labels, order[0, first:end], w, g[t], z[t], one, rest)
            _gather(g)
            _update(w, u, g[0], rates[int(stop - start < batch)], m)

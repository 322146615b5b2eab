"""The kernel of trainer fused_cuda for rows shared among blocks.

A block has all features of some rows of each batch; blocks exchange their sums of the
gradient. Few weights stay in the shared memory of every block, which adds up all sums
itself: one barrier of the grid a step. Many weights are in global memory, each block
adds up some of them, and there is a second barrier.
"""

# mypy: ignore-errors
# Compiled by numba, which infers the types; its `cuda` has no annotations.

import numba
from numba import cuda

from softmax_core.trainers.fused_cuda.parts import LIMITS, backward, forward


def _accumulate(plan, dtype):
    """Return the function that sums the gradient over a block's share of a batch."""
    threads, classes, weights = plan.threads, plan.classes, plan.weights
    chunk, slices = plan.tile, plan.slices
    (load, logit, softmax), own = forward(plan, dtype), plan.features
    gradient, fold, _ = backward(plan, dtype)

    @cuda.jit(device=True)
    def add(tile, errors, sums, total, base, rows, tid):
        if slices > 1:
            for i in range(tid, slices * weights, threads):
                s, j = i // weights, i % weights
                sums[i] = gradient(tile, errors, 0, s, rows, slices, j)
            fold(sums, slices, tid)
            for j in range(tid, weights, threads):
                total[base + j] += sums[j]
        else:
            for j in range(tid, weights, threads):
                total[base + j] += gradient(tile, errors, 0, 0, rows, 1, j)

    @cuda.jit(device=True)
    def accumulate(
        X, y, order, start, stop, scale, w, errors, labels, tile, sums, total, base, tid
    ):
        for j in range(tid, weights, threads):
            total[base + j] = dtype(0)
        for at in range(start, stop, chunk):
            rows = min(chunk, stop - at)
            load(X, y, order, at, rows, 0, labels, tile, tid)
            cuda.syncthreads()
            for i in range(tid, rows * classes, threads):
                c = i % classes
                bias = w[own * classes + c]
                errors[i] = bias + logit(tile, w, i // classes, c)
            cuda.syncthreads()
            softmax(errors, labels, 0, rows, scale, tid)
            cuda.syncthreads()
            add(tile, errors, sums, total, base, rows, tid)
            cuda.syncthreads()

    return accumulate


def _combine(plan, dtype):
    """Return the function that sums the gradient over all blocks and takes a step."""
    threads, weights = plan.threads, plan.weights
    blocks, folds = plan.blocks, plan.folds
    _, fold, update = backward(plan, dtype)

    @cuda.jit(device=True)
    def by_each(total, half, sums, w, v, rate, momentum, tid):
        """Let every block add up all sums itself: no second barrier."""
        for i in range(tid, folds * weights, threads):
            s, j = i // weights, i % weights
            g = dtype(0)
            for block in range(s, blocks, folds):
                g += total[half + block * weights + j]
            if folds > 1:
                sums[i] = g
            else:
                update(w, v, j, g, rate, momentum)
        if folds > 1:
            fold(sums, folds, tid)
            for j in range(tid, weights, threads):
                update(w, v, j, sums[j], rate, momentum)
        # The weights are read only after the barrier that follows loading more rows.

    @cuda.jit(device=True)
    def shared_out(total, half, sums, w, v, rate, momentum, tid):
        """Let every block take the step for some of the weights, in global memory."""
        for j in range(cuda.blockIdx.x * threads + tid, weights, blocks * threads):
            g = dtype(0)
            for block in range(blocks):
                g += total[half + block * weights + j]
            update(w, v, j, g, rate, momentum)
        cuda.cg.this_grid().sync()

    return by_each if plan.on_chip else shared_out


def rows_kernel(plan):
    """Return the kernel in which each block has all features of some rows."""
    dtype = getattr(numba, plan.dtype)
    a, b, c, d, e, f, end = plan.starts
    threads, weights, blocks = plan.threads, plan.weights, plan.blocks
    batch, on_chip = plan.batch, plan.on_chip
    accumulate, combine = _accumulate(plan, dtype), _combine(plan, dtype)

    @cuda.jit(**LIMITS)
    def train(X, y, orders, epochs, w, v, scratch, rate, momentum):
        shared = cuda.shared.array(0, dtype)
        sums, errors = shared[c:d], shared[d:e]
        labels, tile = shared[e:f], shared[f:end]
        tid, block = cuda.threadIdx.x, cuda.blockIdx.x
        if on_chip:
            kept, speed = shared[a:b], shared[b:c]
            for j in range(tid, weights, threads):
                kept[j], speed[j] = w[j], v[j]
        else:
            kept, speed = w, v
        samples, parity = X.shape[0], 0
        for epoch in range(epochs):
            order = orders[epoch]
            for first in range(0, samples, batch):
                rows = min(batch, samples - first)
                share = (rows + blocks - 1) // blocks
                start = first + min(block * share, rows)
                stop = min(start + share, first + rows)
                scale = dtype(1) / dtype(rows)
                half = parity * blocks * weights
                base = half + block * weights
                memory = errors, labels, tile, sums, scratch
                accumulate(X, y, order, start, stop, scale, kept, *memory, base, tid)
                cuda.cg.this_grid().sync()
                combine(scratch, half, sums, kept, speed, rate, momentum, tid)
                parity = 1 - parity
        if on_chip and block == 0:
            for j in range(tid, weights, threads):
                w[j], v[j] = kept[j], speed[j]

    return train

"""The kernel of trainer fused_cuda for one block, or features shared among blocks.

A block has some features of all rows and keeps their weights in shared memory. Blocks
exchange their parts of a batch's logits: one barrier of the grid a step.
"""

# mypy: ignore-errors
# Compiled by numba, which infers the types; its `cuda` has no annotations.

import numba
from numba import cuda

from softmax_core.trainers.fused_cuda.parts import LIMITS, backward, forward


def _logits(plan, dtype):
    """Return the function that computes a batch's logits from all blocks' features."""
    threads, blocks, length = plan.threads, plan.blocks, plan.batch * plan.classes
    own, classes, (_, logit, _) = plan.features, plan.classes, forward(plan, dtype)

    @cuda.jit(device=True)
    def alone(tile, w, logits, scratch, parity, first, rows, tid):
        for i in range(tid, rows * classes, threads):
            c = i % classes
            bias = w[own * classes + c]
            logits[i] = bias + logit(tile, w, first + i // classes, c)

    @cuda.jit(device=True)
    def together(tile, w, logits, scratch, parity, first, rows, tid):
        # Two halves take turns: a block may write its next logits while another still
        # reads the last ones; the logits after those come only after a barrier.
        half = parity * blocks * length
        mine = half + cuda.blockIdx.x * length
        for i in range(tid, rows * classes, threads):
            scratch[mine + i] = logit(tile, w, first + i // classes, i % classes)
        cuda.cg.this_grid().sync()
        for i in range(tid, rows * classes, threads):
            total = w[own * classes + i % classes]
            for block in range(blocks):
                total += scratch[half + block * length + i]
            logits[i] = total

    return together if blocks > 1 else alone


def _descend(plan, dtype):
    """Return the function that takes a step of SGD on a block's weights."""
    threads, weights, slices = plan.threads, plan.weights, plan.slices
    gradient, fold, update = backward(plan, dtype)

    @cuda.jit(device=True)
    def descend(tile, errors, sums, w, v, first, rows, rate, momentum, tid):
        if slices > 1:
            for i in range(tid, slices * weights, threads):
                s, j = i // weights, i % weights
                sums[i] = gradient(tile, errors, first, s, rows, slices, j)
            fold(sums, slices, tid)
            for j in range(tid, weights, threads):
                update(w, v, j, sums[j], rate, momentum)
        else:
            for j in range(tid, weights, threads):
                g = gradient(tile, errors, first, 0, rows, 1, j)
                update(w, v, j, g, rate, momentum)
        cuda.syncthreads()

    return descend


def _move(plan, dtype):
    """Return the functions that load and store a block's weights."""
    threads, own = plan.threads, plan.features
    classes, weights = plan.classes, plan.weights

    @cuda.jit(device=True)
    def place(j, offset, features):
        """Return weight j's place in memory; -1 if its feature does not exist."""
        d = j // classes
        if d == own:
            return features * classes + j % classes
        if offset + d < features:
            return offset * classes + j
        return -1

    @cuda.jit(device=True)
    def load(w, kept, offset, features, tid):
        for j in range(tid, weights, threads):
            at = place(j, offset, features)
            if at >= 0:
                kept[j] = w[at]
            else:
                kept[j] = dtype(0)

    @cuda.jit(device=True)
    def store(w, kept, offset, features, tid):
        for j in range(tid, weights, threads):
            at = place(j, offset, features)
            if at >= 0 and (offset == 0 or j < own * classes):
                w[at] = kept[j]

    return load, store


def features_kernel(plan):
    """Return the kernel in which each block has some features of all rows."""
    dtype = getattr(numba, plan.dtype)
    a, b, c, d, e, f, end = plan.starts
    batch, tile_rows, own = plan.batch, plan.tile, plan.features
    load, _, softmax = forward(plan, dtype)
    logits, descend = _logits(plan, dtype), _descend(plan, dtype)
    fetch, store = _move(plan, dtype)

    @cuda.jit(**LIMITS)
    def train(X, y, orders, epochs, w, v, scratch, rate, momentum):
        shared = cuda.shared.array(0, dtype)
        kept, speed, sums = shared[a:b], shared[b:c], shared[c:d]
        errors, labels, tile = shared[d:e], shared[e:f], shared[f:end]
        tid = cuda.threadIdx.x
        samples, features = X.shape
        offset = cuda.blockIdx.x * own
        fetch(w, kept, offset, features, tid)
        fetch(v, speed, offset, features, tid)
        parity = 0
        for epoch in range(epochs):
            order = orders[epoch]
            for start in range(0, samples, tile_rows):
                count = min(tile_rows, samples - start)
                load(X, y, order, start, count, offset, labels, tile, tid)
                cuda.syncthreads()
                for first in range(0, count, batch):
                    rows = min(batch, count - first)
                    logits(tile, kept, errors, scratch, parity, first, rows, tid)
                    cuda.syncthreads()
                    scale = dtype(1) / dtype(rows)
                    softmax(errors, labels, first, rows, scale, tid)
                    cuda.syncthreads()
                    step = first, rows, rate, momentum, tid
                    descend(tile, errors, sums, kept, speed, *step)
                    parity = 1 - parity
        store(w, kept, offset, features, tid)
        store(v, speed, offset, features, tid)

    return train

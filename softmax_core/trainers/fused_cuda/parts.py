"""Device functions that both kernels of trainer fused_cuda use.

Each function here returns device functions, compiled for a plan. Every number has the
case's dtype, because a bare 0.0 or an integer would turn a sum into float64. No barrier
is in a branch that depends on the thread. Sums have a fixed order: no atomics.
"""

# mypy: ignore-errors
# Compiled by numba, which infers the types; its `cuda` has no annotations.

import math

import numba
from numba import cuda

SIMULATED = bool(numba.config.ENABLE_CUDASIM)
# The simulator's `jit` does not accept a limit on registers.
LIMITS = {} if SIMULATED else {"max_registers": 128}


def forward(plan, dtype):
    """Return `load`, `logit` and `softmax`: from rows of the data to their errors."""
    threads, own, classes = plan.threads, plan.features, plan.classes

    @cuda.jit(device=True)
    def load(X, y, order, start, rows, offset, labels, tile, tid):
        """Put rows of an order into shared memory, zeros after the last feature."""
        features = X.shape[1]
        for i in range(tid, rows, threads):
            labels[i] = dtype(y[order[start + i]])
        for i in range(tid, rows * own, threads):
            feature = offset + i % own
            if feature < features:
                tile[i] = X[order[start + i // own], feature]
            else:
                tile[i] = dtype(0)

    @cuda.jit(device=True)
    def logit(tile, w, row, c):
        """Return the part of a logit that comes from the block's features."""
        total = dtype(0)
        for d in range(own):
            total += tile[row * own + d] * w[d * classes + c]
        return total

    @cuda.jit(device=True)
    def softmax(logits, labels, first, rows, scale, tid):
        """Turn the logits of rows into (P - Y) x scale."""
        for r in range(tid, rows, threads):
            at = r * classes
            top = logits[at]
            for c in range(1, classes):
                top = max(top, logits[at + c])
            total = dtype(0)
            for c in range(classes):
                p = dtype(math.exp(logits[at + c] - top))
                logits[at + c] = p
                total += p
            share = scale / total
            label = int(labels[first + r])
            for c in range(classes):
                p = logits[at + c] * share
                if c == label:
                    p -= scale
                logits[at + c] = p

    return load, logit, softmax


def backward(plan, dtype):
    """Return `gradient`, `fold` and `update`: from the errors to a step of SGD."""
    threads, own, classes = plan.threads, plan.features, plan.classes
    weights = plan.weights

    @cuda.jit(device=True)
    def gradient(tile, errors, first, begin, rows, step, j):
        """Return weight j's gradient, summed over every `step`-th row from `begin`."""
        d, c = j // classes, j % classes
        total = dtype(0)
        if d == own:
            for r in range(begin, rows, step):
                total += errors[r * classes + c]
        else:
            for r in range(begin, rows, step):
                total += tile[(first + r) * own + d] * errors[r * classes + c]
        return total

    @cuda.jit(device=True)
    def fold(sums, slices, tid):
        """Add up the slices of each weight, by a tree, into the first slice."""
        cuda.syncthreads()
        half = slices // 2
        while half > 0:
            for i in range(tid, half * weights, threads):
                sums[i] += sums[i + half * weights]
            cuda.syncthreads()
            half //= 2

    @cuda.jit(device=True)
    def update(w, v, j, gradient, rate, momentum):
        """Take a step of torch.optim.SGD on weight j."""
        v[j] = momentum * v[j] + gradient
        w[j] -= rate * v[j]

    return gradient, fold, update

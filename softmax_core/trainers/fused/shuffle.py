"""Shuffling inside the kernels: Fisher and Yates' method, forward, a part at a time.

Each position in turn gets one of the elements not yet dealt, all with the same chance.
So after the last one every permutation is equally likely, whatever the order before.
"""

from typing import Any

import numpy as np
from numba import njit

from softmax_core.trainers.fused.compile import kernel

U64 = np.uint64
GOLDEN = U64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = U64(0xBF58476D1CE4E5B9), U64(0x94D049BB133111EB)
S27, S30, S31, S32 = U64(27), U64(30), U64(31), U64(32)
LOW32, TWO32 = U64(0xFFFFFFFF), U64(1 << 32)
ZERO, ONE = U64(0), U64(1)


@njit(error_model="numpy")
def _mixed(z: Any) -> Any:
    """Return 32 random bits of a counter. Source: SplitMix64, Steele et al. 2014."""
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return (z ^ (z >> S31)) >> S32


@njit(error_model="numpy")
def _below(limit: Any, counter: Any) -> tuple[Any, Any]:
    """Draw an integer in [0, limit), limit < 2^32, without bias.

    The result is the integer and the new counter. Source: Lemire, Fast random integer
    generation in an interval, 2019.
    """
    counter += GOLDEN
    product = _mixed(counter) * limit
    if (product & LOW32) < limit:
        least = (TWO32 - limit) % limit
        while (product & LOW32) < least:
            counter += GOLDEN
            product = _mixed(counter) * limit
    return product >> S32, counter


@kernel()
def deal(
    rows: Any, columns: Any, start: int, stop: int, samples: int, state: Any
) -> None:
    """Draw the samples of positions `start` to `stop` from those not yet dealt.

    Args:
        rows: a tuple whose length is the number of rows; numba compiles for each.
        columns: (rows, samples or more); whole columns change places.
        start: first position; earlier ones are dealt already.
        stop: end of the positions.
        samples: number of positions in all.
        state: (1,) uint64, the generator's counter; changed.
    """
    counter = state[0]
    # Unsigned: a signed index could count from the end, and numba tests for that.
    i, end, n = U64(start), U64(stop), U64(samples)
    while i < end:
        drawn, counter = _below(n - i, counter)
        j = i + drawn
        for row in range(len(rows)):
            d = U64(row)
            kept = columns[d, j]
            columns[d, j] = columns[d, i]
            columns[d, i] = kept
        i += ONE
    state[0] = counter

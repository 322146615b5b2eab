"""exp for the fused kernels, and the cut below which their numbers are zero.

numba's own exp calls the C library for each value; this one is arithmetic only, so that
LLVM computes it for a whole vector at once. softmax calls it with values up to 0.

The cut is the square root of the smallest normal number, so that a product of two
numbers above it is normal, too. Many processors take a hundred times as long for other
numbers. The cut changes no weight: float32 rounds a sum to 6e-8 of its size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

EXACT: Any = {"error_model": "numpy", "fastmath": {"contract"}}
"""Only contraction is allowed: reordering would cancel the additions that round."""


def exp(x: Any) -> Any:
    """Return e to the power x <= 0, for kernels, within 2 units in the last place.

    A result below the cut, for x below -43.7 (float32) or -354.2 (float64), is 0.
    """
    raise NotImplementedError("only inside compiled functions")


def cut(x: Any) -> Any:
    """Return x, or 0 if it is nearer to 0 than the cut; for kernels.

    Numbers that decay step by step, as velocities do, would end at the smallest numbers
    that exist and stay there, since these round to themselves.
    """
    raise NotImplementedError("only inside compiled functions")


@overload(exp, jit_options=EXACT)
def _exp(x: Any) -> Callable[..., Any] | None:
    return {types.float32: _exp32, types.float64: _exp64}.get(x)


@overload(cut, jit_options=EXACT)
def _cut(x: Any) -> Callable[..., Any] | None:
    return {types.float32: _cut32, types.float64: _cut64}.get(x)


# Both write x = n ln 2 + r with |r| <= ln 2 / 2: e^x is 2^n times a polynomial of r.
# Adding MAGIC = 1.5 * 2^(mantissa bits) rounds to an integer and leaves it in the low
# bits, where a shift brings it to the exponent. The coefficients minimise the largest
# relative error (Lawson's iteration in 40 digits); those of 1 and r are exactly 1.
F32 = np.float32
F32_MAGIC = F32(12582912.0)
F32_CUT, F32_LEAST = F32(2.0**-63), F32(-44.0)
F32_LOG2E = F32(1.4426950408889634)
F32_LN2_HIGH, F32_LN2_LOW = F32(0.693145751953125), F32(1.428606765330187e-06)
F32_C2, F32_C3 = F32(0.4999999344341009), F32(0.16666520568962843)
F32_C4, F32_C5 = F32(0.04166838882441125), F32(0.008368724364244902)
F32_C6 = F32(0.001381457949701486)
ZERO32, ZERO64 = F32(0.0), 0.0
ONE32, ONE64 = F32(1.0), 1.0


def _cut32(x: Any) -> Any:
    return ZERO32 if abs(x) < F32_CUT else x


def _exp32(x: Any) -> Any:
    x = x if x > F32_LEAST else F32_LEAST
    t = x * F32_LOG2E + F32_MAGIC
    n = t - F32_MAGIC
    r = x - n * F32_LN2_HIGH
    r = r - n * F32_LN2_LOW
    p = F32_C6 * r + F32_C5
    p = p * r + F32_C4
    p = p * r + F32_C3
    p = p * r + F32_C2
    p = p * r + ONE32
    p = p * r + ONE32
    # numba makes int64 of int32 arithmetic, and its vectors are half as wide.
    shifted = np.int32(np.float32(t).view(np.int32) << np.int32(23))
    power = np.int32(np.float32(p).view(np.int32) + shifted).view(np.float32)
    # Compared only here, because a mask from earlier on would take a register.
    return power if power >= F32_CUT else ZERO32


F64_MAGIC = 6755399441055744.0
F64_CUT, F64_LEAST = 2.0**-511, -355.0
F64_LOG2E = 1.4426950408889634
F64_LN2_HIGH, F64_LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
F64_C2, F64_C3 = 0.50000000000000106384, 0.16666666666666412257
F64_C4, F64_C5 = 0.04166666666653004428, 0.0083333333334945934382
F64_C6, F64_C7 = 0.0013888888943664242482, 0.00019841269506377351153
F64_C8, F64_C9 = 0.000024801493059959271082, 2.7557586477797626296e-6
F64_C10, F64_C11 = 2.7630263397560643149e-7, 2.5000052861077447722e-8


def _exp64(x: Any) -> Any:
    x = x if x > F64_LEAST else F64_LEAST
    t = x * F64_LOG2E + F64_MAGIC
    n = t - F64_MAGIC
    r = x - n * F64_LN2_HIGH
    r = r - n * F64_LN2_LOW
    p = F64_C11 * r + F64_C10
    p = p * r + F64_C9
    p = p * r + F64_C8
    p = p * r + F64_C7
    p = p * r + F64_C6
    p = p * r + F64_C5
    p = p * r + F64_C4
    p = p * r + F64_C3
    p = p * r + F64_C2
    p = p * r + ONE64
    p = p * r + ONE64
    shifted = np.float64(t).view(np.int64) << np.int64(52)
    power = np.int64(np.float64(p).view(np.int64) + shifted).view(np.float64)
    return power if power >= F64_CUT else ZERO64


def _cut64(x: Any) -> Any:
    return ZERO64 if abs(x) < F64_CUT else x

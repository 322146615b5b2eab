"""The product of two matrices, by the library that torch itself multiplies with.

Kernels call it by its address, without Python. Its Fortran interface takes pointers
only, and reads matrices column by column: a row here is a column there.
"""

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

NAMES = {"float32": "sgemm_", "float64": "dgemm_"}
LIBRARIES = "libtorch_cpu.so", "libtorch_cpu.dylib"
_ANY = ir.IntType(8).as_pointer()
PLAIN, TURNED = np.uint8(ord("N")), np.uint8(ord("T"))


@functools.cache
def address(dtype: str) -> int:
    """Return where torch's library has the product of a dtype; 0 if it shows none."""
    for name in LIBRARIES:
        path = Path(torch.__file__).parent / "lib" / name
        try:
            found = getattr(ctypes.CDLL(str(path)), NAMES[dtype])
        except (OSError, AttributeError):
            continue
        return ctypes.cast(found, ctypes.c_void_p).value or 0
    return 0


def _gemm(
    typing_context: Any, where: Any, turned: Any, m: Any, n: Any, k: Any, alpha: Any,
    a: Any, lda: Any, b: Any, ldb: Any, beta: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    """Set c (m, n) to alpha a b + beta c, column by column.

    Args:
        typing_context: numba's.
        where: the function's address.
        turned: `TURNED` if b is stored as (n, k), else `PLAIN`.
        m: rows of c.
        n: columns of c.
        k: columns of a, rows of b.
        alpha: of the matrices' dtype.
        a: address of the first matrix; `b` and `c` likewise.
        lda: numbers from one column of a to the next; `ldb` and `ldc` likewise.
        b: (k, n).
        ldb: see `lda`.
        beta: of the matrices' dtype; at 0, c is not read.
        c: changed.
        ldc: see `lda`.
    """
    long, address_of = types.int64, types.intp
    signature = types.void(
        address_of, types.uint8, long, long, long, alpha, address_of, long, address_of,
        long, alpha, address_of, long,
    )  # fmt: skip

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        where, turned, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc = args

        def slot(value: Any) -> Any:
            kept = cgutils.alloca_once_value(builder, value)
            return builder.bitcast(kept, _ANY)

        def pointer(number: Any) -> Any:
            return builder.inttoptr(number, _ANY)

        plain = ir.Constant(ir.IntType(8), int(PLAIN))
        # A number of 64 bits below 2^31 reads the same as one of 32: either will do.
        given = [
            slot(plain), slot(turned), slot(m), slot(n), slot(k), slot(alpha),
            pointer(a), slot(lda), pointer(b), slot(ldb), slot(beta), pointer(c),
            slot(ldc),
        ]  # fmt: skip
        kind = ir.FunctionType(ir.VoidType(), [_ANY] * len(given))
        builder.call(builder.inttoptr(where, kind.as_pointer()), given)
        return context.get_dummy_value()

    return signature, write


gemm: Any = intrinsic(_gemm)

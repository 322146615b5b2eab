"""Compile the fused kernels, and the code that is written out for given sizes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import njit

from softmax_core.trainers.fused.exp import exp

OPTIONS: Any = {
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
}
"""Sums may be reordered and fused, or they could not be vectorised. NaN and infinity
keep their meaning, because a training that diverges must be seen to. numba's other
error model tests each divisor, and that branch stops LLVM's vectoriser."""


def kernel(**options: Any) -> Any:
    """Compile with a cache on disk, or without one if no folder can be written.

    numba looks only at the time stamp of a kernel's own file: after editing another
    file that a kernel uses, empty `__pycache__`.
    """

    def compiled(function: Any) -> Any:
        settings: dict[str, Any] = {"error_model": "numpy", "nogil": True, **options}
        try:
            return njit(cache=True, **settings)(function)
        except RuntimeError:
            return njit(**settings)(function)

    return compiled


def written(lines: Iterable[str], dtype: Any) -> Any:
    """Return the function that the lines define, for `overload` to compile.

    Sizes reach an overload as tuples, because numba compiles anew for each length. In
    the lines F makes a constant of the dtype and U64 an unsigned index: for a signed
    one, numba tests whether it counts from the end, and LLVM does not vectorise that.
    """
    names = {"F": getattr(np, dtype.name), "U64": np.uint64, "exp": exp}
    known = set(names) | {"__builtins__"}
    exec("\n".join(lines), names)
    (name,) = set(names) - known
    return names[name]

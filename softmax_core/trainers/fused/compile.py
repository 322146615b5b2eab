"""How the fused kernels are compiled, and how loops are written out for given sizes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import njit

from softmax_core.trainers.fused.exp import exp

OPTIONS: Any = {
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
}
"""Sums may be reordered and fused, which vectorising them takes. Not a number and
infinity keep their meaning: a training that diverges must be seen to. numba's other
error model tests each divisor, and such a branch stops LLVM's vectoriser."""


def kernel(**options: Any) -> Any:
    """Compile to a cache on disk, or without one where no folder can be written.

    numba looks at the time stamp of a kernel's own file only: after editing what a
    kernel takes from another file, empty `__pycache__`.
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

    Sizes reach an overload as tuples: numba compiles anew for each length. In the
    lines F makes a constant of the dtype and U64 an index that cannot be negative: for
    one that could, numba tests whether to count from the end, and LLVM gives up.
    """
    names = {"F": getattr(np, dtype.name), "U64": np.uint64, "exp": exp}
    known = set(names) | {"__builtins__"}
    exec("\n".join(lines), names)
    (name,) = set(names) - known
    return names[name]

"""An error in one line, as it is recorded, and whether memory ran out."""

import re

SPENT = re.compile(
    r"out[ _]of[ _]memory|ALLOC_FAILED|MemoryAllocation|can(no|')t allocate memory"
    r"|bad_alloc",
    re.IGNORECASE,
)
"""How the libraries around torch say that memory is spent: CUDA for graphs and pinned
memory, cuBLAS and cuDNN for their workspaces, numba, the system for the host."""
MOST_CAUSES = 10


def first_line(error: BaseException) -> str:
    """Return an error's kind and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def out_of_memory(error: BaseException) -> BaseException | None:
    """Return the error that says memory is spent, itself or one before it, or None.

    What fails while a CUDA graph is captured is followed by the failing capture.
    """
    found: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if found is None or isinstance(found, MemoryError) or SPENT.search(str(found)):
            return found
        found = found.__cause__ or found.__context__
    return None

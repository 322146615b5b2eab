"""Errors in one line: their kind and message, and whether memory was spent.

Workers make rows of them.
"""

import re

SPENT = re.compile(
    r"out[ _]of[ _]memory|ALLOC_FAILED|MemoryAllocation|can(no|')t allocate memory"
    r"|bad_alloc",
    re.IGNORECASE,
)
"""Matches messages of spent memory: by CUDA for graphs and pinned memory, by cuBLAS and
cuDNN for their workspaces, by numba, and by the system for the host."""
MOST_CAUSES = 10
"""Longest chain of causes of an error that is searched."""


def first_line(error: BaseException) -> str:
    """Return an error's kind and the first line of its message."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def out_of_memory(error: BaseException) -> BaseException | None:
    """Return the error, or the cause of it, that tells of spent memory; or None.

    An error inside the capture of a CUDA graph is followed by that of the capture.
    """
    found: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if found is None or isinstance(found, MemoryError) or SPENT.search(str(found)):
            return found
        found = found.__cause__ or found.__context__
    return None

"""Equal work of contenders that no reference exists for: their results are compared.

The first contender of a case that can be measured leaves its result in a file; those
after it compare theirs. Workers call it as they open a cell.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Arrays = Sequence[np.ndarray[Any, Any]]
CAUSE = "draw weights and data on the CPU, then move them"
"""Why results of one program usually differ from device to device."""


def agree(results: Arrays, who: str, share: float, kept: Path) -> str:
    """Compare a contender's result with that of the first one, or keep it as that.

    Args:
        results: arrays of one dimension, as `Session.result` returns them.
        who: the contender.
        share: how far values may lie apart, as a share of the largest.
        kept: the file of the first one's result.

    Returns:
        What differs, "" if nothing does.
    """
    if not kept.exists():
        _keep(results, who, kept)
        return ""
    with np.load(kept, allow_pickle=False) as file:
        first = str(file["who"])
        theirs = [file[f"{i}"] for i in range(len(file.files) - 1)]
    return "" if first == who else differing(results, theirs, first, share)


def _keep(results: Arrays, who: str, kept: Path) -> None:
    whole = {"who": np.array(who), **{f"{i}": a for i, a in enumerate(results)}}
    part = kept.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, allow_pickle=False, **whole)
    part.replace(kept)


def differing(mine: Arrays, theirs: Arrays, first: str, share: float) -> str:
    """Say how a result differs from the first contender's; "" if it does not.

    Args:
        mine: arrays of one dimension.
        theirs: those of the first contender.
        first: who that is.
        share: how far values may lie apart, as a share of the largest of theirs.
    """
    shapes = [[array.size for array in arrays] for arrays in (mine, theirs)]
    if shapes[0] != shapes[1]:
        return (
            f"the result after 3 steps has {json.dumps(shapes[0])} numbers, that of "
            f"{first} has {json.dumps(shapes[1])}: must be the same work"
        )
    if not mine:
        return ""
    ours, their = np.concatenate(mine), np.concatenate(theirs)
    if not ours.size:
        return ""
    alike = (ours == their) | (np.isnan(ours) & np.isnan(their))
    largest = np.max(np.abs(their[np.isfinite(their)]), initial=0.0)
    with np.errstate(invalid="ignore"):
        off = np.max(np.abs(ours - their), where=~alike, initial=0.0)
    if off <= share * largest:
        return ""
    by = f"by {off / largest:.2g} of the largest" if largest and off < np.inf else ""
    return (
        f"the result after 3 steps differs from that of {first} {by or 'without bound'}"
        f", more than {share:g}: must be the same work ({CAUSE})"
    )

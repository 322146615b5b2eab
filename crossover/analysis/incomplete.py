"""What a run lacks of what it was asked for: why its exit code is 3.

In: a run and its crossovers. Out: reasons in words. Unavailable devices beside a pair
that was measured are none, nor are sizes that only the search proposed.
"""

from collections import Counter
from collections.abc import Iterable

from crossover.findings import Crossover
from crossover.nouns import Run

WENT_WRONG = ("oom", "timeout", "crashed", "failed")
"""How a cell may end that makes a run incomplete."""


def incomplete(run: Run, found: Iterable[Crossover]) -> list[str]:
    """Return what a run lacks, an item each; empty for a whole one."""
    lacking = unreached(found)
    ended = Counter(m.status for m in run.measurements if m.status in WENT_WRONG)
    said = []
    if lacking:
        pairs = "1 pair" if len(lacking) == 1 else f"{len(lacking)} pairs"
        said.append(f"{pairs} did not reach all sizes asked for")
    if ended:
        cells = "1 cell" if ended.total() == 1 else f"{ended.total()} cells"
        said.append(f"{cells} ended without a time ({', '.join(sorted(ended))})")
    return said + ([run.lost] if run.lost else [])


def unreached(found: Iterable[Crossover]) -> list[Crossover]:
    """Return the answers of pairs that did not reach all sizes, one for each pair."""
    asked = (c for c in found if c.view == "train" and c.metric == "time_s")
    return [c for c in asked if any(map(_is_unreached, c.answer.flags))]


def _is_unreached(flag: str) -> bool:
    return flag.startswith("unfinished") or flag.endswith(": not reached")

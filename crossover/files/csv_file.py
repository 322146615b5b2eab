"""CSV as everything here writes it: full precision, and no formula in a cell."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from crossover.files.escape import cell, harmless

if TYPE_CHECKING:
    import pandas as pd


def csv_text(
    head: Sequence[str], rows: Iterable[Iterable[object]], foreign: bool = True
) -> str:
    """Return rows as CSV; None is an empty cell, a tuple its items between `;`.

    Args:
        head: the columns' names.
        rows: the cells.
        foreign: texts may be a stranger's, so that no spreadsheet may run them.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for row in (head, *rows):
        texts = (";".join(map(str, c)) if isinstance(c, tuple) else c for c in row)
        writer.writerow(map(cell, texts) if foreign else texts)
    return file.getvalue()


def frame_csv(table: "pd.DataFrame") -> str:
    """Return a table of pandas as CSV."""
    return harmless(table).to_csv(index=False)

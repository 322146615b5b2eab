"""Texts from strangers in what is written: as data in CSV, Markdown and LaTeX.

HTML is escaped by its templates.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile("(?<![^;])(?=[=+\\-@\uff1d\uff0b\uff0d\uff20\\t\\r\\n])")
"""Where a spreadsheet would begin a formula: in front of a cell's first character, and,
where semicolons part its cells, after one."""
TEXTS = ("string", "str", "category", "object")
"""The types of columns that may hold texts."""
FENCE = re.compile("`+")


def harmless(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table in which no text, nor a column's name, is a spreadsheet's formula.

    An apostrophe goes before a text that starts with `=`, `+`, `-`, `@`, one of these
    in full width or a control character (OWASP, "CSV Injection").
    """
    changed = {}
    for name, kind in table.dtypes.items():
        if str(kind) in TEXTS:
            column = table[name].astype("object")
            safe = {value: cell(value) for value in column.unique()}
            if any(value is not kept for value, kept in safe.items()):
                changed[str(name)] = column.map(safe)
    return table.assign(**changed).rename(columns=cell)


def cell(value: Any) -> Any:
    """Return a value of a table's cell, a text so that no spreadsheet runs it."""
    if isinstance(value, str) and FORMULA.search(value):
        return FORMULA.sub("'", value)
    return value


def text(plain: str) -> str:
    """Return a line of Markdown that shows a text as it is."""
    return " ".join(unmarked(plain).split())


def unmarked(plain: str) -> str:
    """Escape what Markdown would read as a table's edge, HTML, a link or emphasis."""
    for character in "\\`*[]|":
        plain = plain.replace(character, f"\\{character}")
    return plain.replace("&", "&amp;").replace("<", "&lt;")


def code(plain: str) -> str:
    """Return code for Markdown, whatever backticks it holds."""
    plain = " ".join(plain.split())
    longest = max(map(len, FENCE.findall(plain)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence} {plain} {fence}" if longest else f"`{plain}`"

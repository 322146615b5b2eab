"""A verdict in sections with tables: as Markdown and as one self-contained page."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from crossover.report.pictures.embed import Shown, embedded
from crossover.report.template import environment, shipped


@dataclass(frozen=True)
class Table:
    """Cells as they are read: the first names its row, the others are numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, then tables, then pictures; nothing is escaped."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Document:
    """A question, the answer to it, and the sections that it rests on."""

    title: str
    question: str
    answer: str
    """In a few words."""
    reasons: str
    facts: str
    """Machine, versions, command."""
    sections: tuple[Section, ...]


def markdown(document: Document) -> str:
    """Return the text as Markdown; pictures are links to plots/."""
    lines = [f"# {_plain(document.title)}", "", f"> {_plain(document.question)}", ""]
    lines += [
        f"**{_plain(document.answer)}** {_plain(document.reasons)}",
        "",
        _plain(document.facts),
    ]
    for section in document.sections:
        lines += ["", f"## {_plain(section.title)}"]
        for paragraph in section.paragraphs:
            lines += ["", _plain(paragraph)]
        for table in section.tables:
            lines += ["", f"{_plain(table.caption)}:", "", *_table(table)]
        for picture in section.pictures:
            file = f"plots/{picture.name}.png"
            lines += ["", f"![{_plain(picture.alt)}]({file})", "", picture.caption]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Escape what Markdown would take for a tag, a column or emphasis."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("*", r"\*")):
        text = text.replace(char, entity)
    return text


def _table(table: Table) -> list[str]:
    rule = ["---", *["---:"] * (len(table.head) - 1)]
    rows: Sequence[Sequence[str]] = (table.head, rule, *table.rows)
    return [f"| {' | '.join(map(_plain, row))} |" for row in rows]


def page(document: Document) -> str:
    """Return the text as HTML that loads nothing, not even a script."""
    templates = environment()
    templates.filters["embedded"] = embedded
    template = templates.get_template("verdict.html")
    return template.render(document=document, style=Markup(shipped("page.css")))

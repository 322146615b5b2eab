"""A text in sections: as Markdown, and as one self-contained page.

Reports, predictions, verdicts and tables of machines all are a `Document`.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup, escape

from crossover.files.escape import code, text, unmarked
from crossover.report.words.table import Table, markdown_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BYTES = 2_500_000
"""All pictures in a page together have at most this many; the others are linked."""


class Strong(str):
    """A text in bold."""


class Code(str):
    """A text as it is typed."""


Text = str | tuple[str, ...]
"""A text, or its parts, some of which may be `Strong` or `Code`."""


@dataclass(frozen=True)
class Picture:
    """A picture that is saved in plots/, with the words around it."""

    name: str
    """The file's stem: letters, digits, `-` and `_` only."""
    heading: str
    alt: str
    """What is seen, in a sentence with the key numbers."""
    caption: str = ""
    """n, what bands and shades mean, and which CSV holds the values."""
    png: bytes = b""
    values: tuple[str, str] | None = None
    """A link to its exact values, and the words for it."""
    sweep: int | None = None
    """The sweep whose numbers stand below it, from 1."""
    draw: "Callable[[], Figure] | None" = None
    """Draws it; None once it is saved."""

    @property
    def data(self) -> str:
        """The PNG in base64."""
        return base64.b64encode(self.png).decode()

    @property
    def size(self) -> list[int]:
        """Width and height in pixels, which stand in a PNG's header."""
        return [int.from_bytes(self.png[i : i + 4]) for i in (16, 20)]


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, then tables, a list and pictures."""

    anchor: str = ""
    title: str = ""
    paragraphs: tuple[Text, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    items: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Document:
    """A question, the answer to it, and the sections that it rests on.

    Nothing in it is escaped.
    """

    title: str
    question: str = ""
    answer: str = ""
    """The answer in a few words, which are set in bold."""
    reasons: str = ""
    facts: Text = ""
    """The machine, its versions and the command."""
    sections: tuple[Section, ...] = ()


def markdown(document: Document) -> str:
    """Return the text as Markdown; pictures are links to plots/."""
    return "\n\n".join(filter(None, _blocks(document))) + "\n"


def _blocks(document: Document) -> Iterator[str]:
    yield f"# {text(document.title)}"
    if document.question:
        yield f"> {text(document.question)}"
        yield _marked((Strong(document.answer), " ", document.reasons))
    yield _marked(document.facts)
    for section in document.sections:
        yield section.title and f"## {text(section.title)}"
        yield from map(_marked, section.paragraphs)
        for table in section.tables:
            yield table.caption and f"{text(table.caption)}:"
            yield "\n".join(markdown_lines(table))
        yield "\n".join(f"- {_marked(item)}" for item in section.items)
        for picture in section.pictures:
            yield f"![{text(picture.alt)}](plots/{picture.name}.png)"
            yield text(picture.caption)


def _marked(said: Text) -> str:
    """Return a text in Markdown."""
    parts = (said,) if isinstance(said, str) else said
    return " ".join("".join(map(_part, parts)).split())


def _part(part: str) -> str:
    if isinstance(part, Code):
        return code(part)
    return f"**{text(part)}**" if isinstance(part, Strong) else unmarked(part)


def page(document: Document) -> str:
    """Return the text as HTML that loads nothing, not even a script."""
    template = templates().get_template("verdict.html")
    return template.render(document=document, style=Markup(shipped("page.css")))


def fragment(sections: Iterable[Section]) -> str:
    """Return sections as a part of somebody's page, such as a notebook's output."""
    return templates().get_template("fragment.html").render(sections=sections)


def _inline(said: Text) -> Markup:
    """Return a text in HTML."""
    tags = {Strong: Markup("<strong>{}</strong>"), Code: Markup("<code>{}</code>")}
    parts = (said,) if isinstance(said, str) else said
    return Markup("").join(
        tags[type(part)].format(str(part)) if type(part) in tags else escape(part)
        for part in parts
    )


def shown(pictures: Iterable[Picture]) -> Iterator[tuple[Picture, bool]]:
    """Yield pictures, and whether there is room for their bytes in the page."""
    room = MOST_BYTES
    for picture in pictures:
        room -= len(picture.data)
        yield picture, room >= 0


def templates(**names: object) -> jinja2.Environment:
    """Return where templates are found, with the functions that they may call.

    Every text is escaped, and a name that is missing is an error.
    """
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(shipped),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.globals |= {"shown": shown, "inline": _inline, **names}
    return made


def shipped(name: str) -> str:
    """Return a template, style or script by its file name."""
    return files("crossover").joinpath("report", "templates", name).read_text("utf-8")

"""Write the verdict on the lesson's claim: verdict.html, verdict.md and its picture."""

from pathlib import Path

from crossover.files.atomic import write_atomically
from crossover.lesson.decides import codes
from crossover.lesson.evidence import BATCH_SIZE, QUOTE, Code, Evidence
from crossover.lesson.sections import sections
from crossover.lesson.verdict import OUTCOMES, outcome, reasons, share
from crossover.report.pictures.figures import small_png
from crossover.report.pictures.lesson import save
from crossover.report.pictures.verdict import StepCurve, steps_figure
from crossover.report.words.document import (
    Document,
    Picture,
    Section,
    markdown,
    page,
)
from crossover.report.words.numbers import seconds

NAMES = "verdict.md", "verdict.html"


def document(e: Evidence, facts: str, png: bytes) -> Document:
    """Return the whole text, the picture of the steps under what decides."""
    which = outcome(e)
    return Document(
        "Is the GPU faster once a job takes over 4 hours?",
        f'The lesson, of a job of {e.steps:,} steps of batch {BATCH_SIZE}: "{QUOTE}".',
        f"{OUTCOMES[which]}.",
        reasons(e, which),
        facts,
        tuple(_with_picture(e, section, png) for section in sections(e)),
    )


def _with_picture(e: Evidence, section: Section, png: bytes) -> Section:
    if section.anchor != "decides":
        return section
    floors = ", ".join(f"{code.name} {seconds(code.fit()[0])}" for code in codes(e))
    n = len(e.loop.at(BATCH_SIZE).seconds)
    picture = Picture(
        "steps",
        "Time per step by batch size",
        f"Time per step against batch size, both axes logarithmic. Floors: {floors}.",
        f"n = {n} chunks a point, medians with intervals. Lines: cost per step + "
        "cost per row x batch size. Dotted: the floor, which a step costs however few "
        "rows it has. Values: the first table.",
        png,
    )
    return Section(
        section.anchor, section.title, section.paragraphs, section.tables, (picture,)
    )


def curve(code: Code) -> StepCurve:
    """Return what the picture needs of a code."""
    steps = [cost.step_s for cost in code.costs]
    return StepCurve(
        code.name,
        tuple(cost.batch_size for cost in code.costs),
        tuple(s.middle for s in steps),
        tuple(s.low for s in steps),
        tuple(s.high for s in steps),
        *code.fit(),
    )


def write_verdict(e: Evidence, facts: str, out: Path) -> None:
    """Write the page, the Markdown and plots/steps into a folder that exists."""
    cost = e.loop.at(BATCH_SIZE)
    title = f"median of n = {len(cost.seconds)} chunks, bar: {share(cost.step_s)}"
    figure = steps_figure([curve(code) for code in codes(e)], BATCH_SIZE, title)
    png = small_png(figure)
    save(figure, out / "plots", "steps")
    text = document(e, facts, png)
    for name, written in zip(NAMES, (markdown(text), page(text)), strict=True):
        write_atomically(out / name, written)

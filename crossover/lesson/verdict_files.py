"""Write the verdict on the lesson's claim: verdict.html, verdict.md and its picture."""

from dataclasses import replace
from pathlib import Path

from crossover.files.atomic import write_atomically
from crossover.lesson.evidence import BATCH_SIZE, QUOTE, STEPS, Evidence
from crossover.lesson.sections import sections
from crossover.lesson.verdict import OUTCOMES, outcome, reasons
from crossover.report.pictures import captions
from crossover.report.pictures.curves import sweep_figure
from crossover.report.pictures.figures import palette_of, save
from crossover.report.words.document import Document, Picture, markdown, page

NAMES = "verdict.md", "verdict.html"


def document(e: Evidence, facts: str, png: bytes) -> Document:
    """Return the whole text, the picture of the batch sizes under what decides."""
    heading, alt, _ = captions.sweep(e.result)
    caption = (
        "Medians of the rounds; bands: their intervals. An epoch has 5,000 rows, so "
        "that larger batches are fewer steps. Values a step: the first table."
    )
    picture = Picture("steps", heading, alt, caption, png)
    return Document(
        "Is the GPU faster once a job takes over 4 hours?",
        f'The lesson, of a job of {STEPS:,} steps of batch {BATCH_SIZE}: "{QUOTE}".',
        f"{OUTCOMES[outcome(e)]}.",
        reasons(e),
        facts,
        tuple(
            replace(section, pictures=(picture,) * (section.anchor == "decides"))
            for section in sections(e)
        ),
    )


def write_verdict(e: Evidence, facts: str, out: Path) -> None:
    """Write the page, the Markdown and plots/steps into a folder that exists."""
    figure = sweep_figure(e.result, palette_of([e.result]))
    text = document(e, facts, save(figure, out / "plots", "steps"))
    write_atomically(out / "verdict.md", markdown(text))
    write_atomically(out / "verdict.html", page(text))

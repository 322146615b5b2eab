"""The page templates that ship with the package, and how they are read."""

from importlib.resources import files

import jinja2


def environment() -> jinja2.Environment:
    """Return where templates are found; every text is escaped, nothing is optional."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(shipped),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def shipped(name: str) -> str:
    """Return a template, style or script by its file name."""
    return files("crossover").joinpath("report", "templates", name).read_text("utf-8")
